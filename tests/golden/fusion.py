"""Exports an early fusion that medcert has trained, whole, as a `.pt2` of both views and the report, so that the model as a
graph can be compared with the built-in one on the same weights.

    python tests/golden/fusion.py WEIGHTS FOLDER

WEIGHTS is the file `models/fusion-….sealed` of medcert's cache after `medcert check specs/fusion.yaml`. FOLDER receives
`fusion.safetensors` (its weights), `fusion.pt2`, the folder `tokenizer`, and the specs `ours.yaml` and `theirs.yaml`. Needs
torch 2.13, safetensors, timm and transformers. Then, in FOLDER:

    medcert check ours.yaml --evidence ours.mce --profile
    medcert check theirs.yaml --evidence theirs.mce --profile
"""

import hashlib
import json
import pathlib
import struct
import sys

import torch
from safetensors.torch import load
from torch import nn
from torch.export import Dim
from transformers import BertConfig, BertModel

from make import SmallSeResnet

SIDE = 56
HEAD = """claim: The model is the same, whatever form it has
data:  {{phantom: {{studies: 2000, seed: 7, missed: 25%}}}}
split: {{by: patient, test: 25%, validation: 10%, seed: 7, cases: 64}}
models:
{models}
table: [clean, FGSM ε=0.01, FGSM ε=0.05, FGSM ε=0.1, FGSM ε=0.2, 20% synonyms, 40% synonyms, 50% deletion,
        FGSM ε=0.1 + 40% synonyms, FGSM ε=0.1 + 50% deletion]
require: [fusion accuracy ≥ 60%]
"""
OURS = """  vision:   {{se_resnet18: {{image: 56, width: 16, train: {{optimizer: adam, lr: 2e-3, epochs: 8, batch: 16}}}}}}
  language: {{bert: {{config: tiny, train: {{optimizer: adamw, lr: 5e-4, epochs: 6, batch: 16}}}}}}
  fusion:   {{early_fusion: {{vision: vision, language: language, weights: {{path: fusion.safetensors, sha256: {digest}}}}}}}"""
THEIRS = """  fusion: {{pt2: {{file: fusion.pt2, sha256: {digest}, reads: both, image: 56, mean: [0.5], deviation: [0.25],
                  tokenizer: tokenizer, max_tokens: 128, outputs: logits}}}}"""


class Early(nn.Module):
    """The features of both views and BERT's pooled state, one linear layer over all."""

    def __init__(self, weights, vocabulary):
        super().__init__()
        words = weights["language.bert.embeddings.word_embeddings.weight"].shape
        layers = {name.split(".")[4] for name in weights if ".encoder.layer." in name}
        inner = weights["language.bert.encoder.layer.0.intermediate.dense.weight"].shape[0]
        positions = weights["language.bert.embeddings.position_embeddings.weight"].shape[0]
        config = BertConfig(vocab_size=len(vocabulary), hidden_size=words[1], num_hidden_layers=len(layers),
                            num_attention_heads=2, intermediate_size=inner, max_position_embeddings=positions)
        self.vision = SmallSeResnet(weights["vision.layer0.conv1.weight"].shape[0], 1)
        self.vision.last_linear = nn.Identity()
        self.language = nn.Module()
        self.language.bert = BertModel(config)
        self.fusion = nn.Linear(*reversed(weights["fusion.weight"].shape))

    def seen(self, view):
        of = self.vision
        return of.layer4(of.layer3(of.layer2(of.layer1(of.layer0(view))))).mean((2, 3))

    def forward(self, frontal, lateral, ids, mask):
        read = self.language.bert(input_ids=ids, attention_mask=mask).pooler_output
        return self.fusion(torch.cat([self.seen(frontal), self.seen(lateral), read], 1))


def main(path, folder):
    sealed = path.read_bytes()
    length = struct.unpack("<Q", sealed[:8])[0]
    tensors = json.loads(sealed[8:8 + length])
    vocabulary = tensors.pop("__metadata__")["vocabulary"].split("\n")
    # a seal follows the tensors
    own = sealed[:8 + length + max(tensor["data_offsets"][1] for tensor in tensors.values())]
    weights = load(own)
    (folder / "tokenizer").mkdir(parents=True, exist_ok=True)
    (folder / "fusion.safetensors").write_bytes(own)
    (folder / "tokenizer/vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (folder / "tokenizer/tokenizer_config.json").write_text('{"do_lower_case": true}')
    model = Early(weights, vocabulary).eval()
    missing, extra = model.load_state_dict(weights, strict=False)
    assert not extra and all(name.endswith("num_batches_tracked") for name in missing), (missing, extra)
    ids = torch.randint(5, 20, (2, 9))
    cases, length = {0: Dim.DYNAMIC}, {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}
    views = (torch.rand(2, 1, SIDE, SIDE), torch.rand(2, 1, SIDE, SIDE))
    program = torch.export.export(model, (*views, ids, torch.ones_like(ids)), dynamic_shapes=(cases, cases, length, length))
    torch.export.save(program, folder / "fusion.pt2")
    for name, block, file in [("ours", OURS, "fusion.safetensors"), ("theirs", THEIRS, "fusion.pt2")]:
        digest = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        (folder / f"{name}.yaml").write_text(HEAD.format(models=block.format(digest=digest)))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
