"""Writes the golden values that tests/golden.rs compares with: the same random weights and inputs, run
through timm's SE-ResNet blocks, transformers' BERT and torchattacks' FGSM and PGD.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 timm transformers torchattacks
    venv/bin/python tests/golden/make.py            (the networks)
    venv/bin/python tests/golden/make.py tokens     (the tokens of real reports; see `sentences`)

The versions used are recorded in each file's metadata.
"""

import csv
import hashlib
import importlib.metadata
import io
import os
import pathlib
import sys
import zipfile

import timm
import torch
import torchattacks
from formula import fill
from safetensors.torch import save_file
from timm.models.senet import SEResNetBlock
from torch import nn
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification, BertTokenizer

FOLDER = pathlib.Path(__file__).parent
VERSIONS = {name: importlib.metadata.version(name) for name in ["torch", "timm", "transformers", "torchattacks"]}
WIDTH, VIEWS, SIDE, CASES = 4, 2, 32, 3
SUITE = 0.008


class SmallSeResnet(nn.Module):
    """timm's SE-ResNet-18 blocks behind a stem for small gray inputs, every view through one trunk."""

    def __init__(self, width=WIDTH, views=VIEWS):
        super().__init__()
        self.layer0 = nn.Sequential()
        self.layer0.add_module("conv1", nn.Conv2d(1, width, 3, stride=2, padding=1, bias=False))
        self.layer0.add_module("bn1", nn.BatchNorm2d(width))
        self.layer0.add_module("relu1", nn.ReLU())
        into = width
        for stage in range(4):
            out = width << stage
            blocks = []
            for block in range(2):
                stride = 2 if stage > 0 and block == 0 else 1
                downsample = None
                if into != out:
                    downsample = nn.Sequential(nn.Conv2d(into, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))
                reduction = out // max(1, out // 16)
                blocks.append(SEResNetBlock(into, out, 1, reduction, stride, downsample))
                into = out
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.last_linear = nn.Linear(into * views, 2)

    def forward(self, images):
        cases, views, side, _ = images.shape
        x = (images.reshape(cases * views, 1, side, side) - 0.5) / 0.25
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.layer0(x)))))
        return self.last_linear(x.mean((2, 3)).reshape(cases, -1))


def randomise(model):
    """Weights and statistics away from their starting values, so that every one of them matters."""
    with torch.no_grad():
        for name, tensor in list(model.named_parameters()) + list(model.named_buffers()):
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2.0)
            elif tensor.dtype == torch.float32 and tensor.dim() == 1:
                tensor.normal_(1.0 if name.endswith("weight") else 0.0, 0.2)
    return model.eval()


def state(model):
    skip = ("num_batches_tracked", "position_ids")
    return {name: t.clone().contiguous() for name, t in model.state_dict().items() if not name.endswith(skip)}


def vision():
    torch.manual_seed(1)
    model = randomise(SmallSeResnet())
    images = torch.rand(CASES, VIEWS, SIDE, SIDE)
    labels = torch.tensor([0, 1, 1])
    leaf = images.clone().requires_grad_()
    logits = model(leaf)
    nn.functional.cross_entropy(logits, labels, reduction="sum").backward()
    fgsm = torchattacks.FGSM(model, eps=0.05)(images, labels)
    pgd = torchattacks.PGD(model, eps=0.05, alpha=0.0125, steps=10, random_start=False)(images, labels)
    golden = {
        "images": images, "labels": labels, "logits": logits, "gradient": leaf.grad,
        "fgsm.images": fgsm, "fgsm.logits": model(fgsm), "pgd.logits": model(pgd),
    }
    save("se_resnet", model, golden)


def crowd():
    """The network of `vision` and 256 noise images; labels are its own clean answers."""
    torch.manual_seed(1)
    model = randomise(SmallSeResnet()).requires_grad_(False)
    places = torch.arange(256 * VIEWS * SIDE * SIDE, dtype=torch.int64)
    mixed = (places * 2654435761 % 2**32) >> 8
    images = (mixed.float() / 2**24).reshape(256, VIEWS, SIDE, SIDE)
    # noise images look alike to a random network: its answers are centred, so that both classes occur
    logits = model(images)
    shift = (logits[:, 1] - logits[:, 0]).median() + 1e-6
    model.last_linear.bias[1] -= shift
    return model, images, model(images).argmax(1), shift


def suite():
    """Which cases of `crowd` torchattacks breaks."""
    model, images, labels, shift = crowd()
    golden = {"labels": labels, "shift": shift.reshape(1)}
    attacks = {
        "fgsm": torchattacks.FGSM(model, eps=SUITE),
        "momentum": torchattacks.MIFGSM(model, eps=SUITE, alpha=SUITE / 10, steps=10, decay=1.0),
        "pgd": torchattacks.PGD(model, eps=SUITE, alpha=2.5 * SUITE / 40, steps=40, random_start=True),
        "apgd": torchattacks.APGD(model, norm="Linf", eps=SUITE, steps=100, n_restarts=1, loss="ce"),
    }
    for seed in range(4):
        name, budget = f"square{seed}", {"n_queries": 300, "n_restarts": 1, "loss": "margin", "seed": seed}
        attacks[name] = torchattacks.Square(model, norm="Linf", eps=SUITE, **budget)
    for name, attack in attacks.items():
        torch.manual_seed(9)
        golden[f"{name}.broken"] = (model(attack(images, labels)).argmax(1) != labels).long()
    save_file({f"golden.{k}": v.contiguous() for k, v in golden.items()}, FOLDER / "suite.safetensors", metadata=VERSIONS)
    print({name: float(value.sum()) for name, value in golden.items()})


def published():
    """timm's networks at full size on one gray image, its three channels normalised as ImageNet's."""
    golden = {}
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(3))
    golden["image"] = image
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    for name in [
        "resnet18", "resnet50", "legacy_seresnet50", "legacy_seresnet101", "legacy_seresnet152",
        "legacy_seresnext50_32x4d", "legacy_seresnext101_32x4d", "legacy_senet154",
    ]:
        model = fill(timm.create_model(name, num_classes=2))
        leaf = image.clone().requires_grad_()
        logits = model((leaf - mean) / deviation)
        logits[0, 1].backward()
        golden |= {f"{name}.logits": logits, f"{name}.gradient": leaf.grad}
    # BERT-base as Bio_ClinicalBERT has it: the cased vocabulary
    model = fill(BertForSequenceClassification(BertConfig(vocab_size=28996, num_labels=2)))
    lengths = torch.tensor([24, 9])
    mask = (torch.arange(24)[None] < lengths[:, None]).long()
    ids = torch.randint(5, 28996, (2, 24), generator=torch.Generator().manual_seed(8)) * mask
    golden |= {"bert.ids": ids, "bert.logits": model(input_ids=ids, attention_mask=mask).logits}
    tensors = {f"golden.{key}": value.detach().contiguous() for key, value in golden.items()}
    save_file(tensors, FOLDER / "published.safetensors", metadata=VERSIONS)


def language():
    torch.manual_seed(2)
    config = BertConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=12, num_labels=2,
    )
    model = randomise(BertForSequenceClassification(config))
    lengths = torch.tensor([12, 5, 2])
    mask = (torch.arange(12)[None] < lengths[:, None]).long()
    ids = torch.randint(1, 40, (3, 12)) * mask
    logits = model(input_ids=ids, attention_mask=mask).logits
    save("bert", model, {"ids": ids, "lengths": lengths, "logits": logits})


class CrossAttention(nn.Module):
    """Both directions of torch's MultiheadAttention, each with a residual and a layer norm, mean-pooled."""

    def __init__(self, channels, hidden, width, heads):
        super().__init__()
        self.image = nn.Linear(channels, width)
        self.text = nn.Linear(hidden, width)
        self.text_to_image = nn.MultiheadAttention(width, heads, batch_first=True)
        self.image_to_text = nn.MultiheadAttention(width, heads, batch_first=True)
        self.text_to_image_norm = nn.LayerNorm(width)
        self.image_to_text_norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(2 * width, 2)

    def forward(self, regions, words, mask):
        image, text = self.image(regions), self.text(words)
        looked = self.text_to_image(text, image, image, need_weights=False)[0]
        read = self.image_to_text(image, text, text, key_padding_mask=mask == 0, need_weights=False)[0]
        text = self.text_to_image_norm(text + looked)
        image = self.image_to_text_norm(image + read)
        text = (text * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.classifier(torch.cat([text, image.mean(1)], 1))


def cross():
    torch.manual_seed(4)
    model = randomise(CrossAttention(6, 10, 8, 2))
    regions = torch.randn(3, 5, 6)
    words = torch.randn(3, 7, 10)
    lengths = torch.tensor([7, 4, 2])
    mask = (torch.arange(7)[None] < lengths[:, None]).float()
    regions.requires_grad_()
    words.requires_grad_()
    logits = model(regions, words, mask)
    logits[:, 1].sum().backward()
    golden = {
        "regions": regions, "words": words, "mask": mask, "logits": logits,
        "regions.gradient": regions.grad, "words.gradient": words.grad,
    }
    save("cross", model, golden)


def folder():
    """A whole classifier in Hugging Face's layout, in several files, and what it says of two texts."""
    torch.manual_seed(5)
    path = FOLDER / "checkpoint"
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] no effusion ##s the lung is are clear . , heart size normal".split()
    path.mkdir(exist_ok=True)
    (path / "vocab.txt").write_text("\n".join(words) + "\n")
    (path / "tokenizer_config.json").write_text('{"do_lower_case": true}\n')
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=16, num_labels=2,
    )
    model = randomise(BertForSequenceClassification(config))
    model.save_pretrained(path, max_shard_size="8KB")
    tokenizer = BertTokenizer(str(path / "vocab.txt"))
    texts = ["The lungs are CLEAR. No effusions, heart size normal.", "Effusion"]
    tokens = tokenizer(texts, padding=True, return_tensors="pt")
    tensors = {"golden.logits": model(**tokens).logits.detach(), "golden.ids": tokens["input_ids"]}
    save_file(tensors, FOLDER / "checkpoint.safetensors", metadata=VERSIONS)


class Reads(nn.Module):
    """A small classifier of one gray view and a report, sound or with one fault."""

    def __init__(self, fault: str, outputs: int):
        super().__init__()
        self.fault = fault
        self.image = nn.Conv2d(1, 4, 5, stride=4)
        self.norm = nn.BatchNorm2d(4)
        self.words = nn.Embedding(64, 4)
        self.last = nn.Linear(8, outputs)

    def forward(self, frontal, ids, mask):
        if self.fault == "counts":
            self.norm.num_batches_tracked.add_(1)
        if self.fault == "detached":
            frontal = frontal.detach()
        maps = self.image(frontal)
        if self.fault == "neighbours":
            maps = nn.functional.batch_norm(maps, None, None, training=True)
        else:
            maps = self.norm(maps)
        if self.fault == "noise":
            maps = nn.functional.dropout(maps, 0.5, training=True)
        seen = torch.relu(maps).mean((2, 3))
        weights = mask.unsqueeze(2).to(torch.float32)
        read = (self.words(ids % 64) * weights).sum(1) / weights.sum(1)
        logits = self.last(torch.cat([seen, read], 1))
        if self.fault == "probabilities":
            return torch.sigmoid(logits) if logits.size(1) == 1 else torch.softmax(logits, 1)
        return logits


def bare(whole, path):
    """The module without the debug files, which name the place of this script."""
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as copy:
        for name in source.namelist():
            if not name.endswith(".debug_pkl"):
                copy.writestr(zipfile.ZipInfo(name), source.read(name))


def scripts():
    path = FOLDER / "scripts"
    path.mkdir(exist_ok=True)
    for fault in ["sound", "detached", "neighbours", "noise", "probabilities", "counts"]:
        for outputs, name in [(1, "logit"), (2, "logits")]:
            if outputs == 2 or fault in ["sound", "probabilities"]:
                torch.manual_seed(6)
                model = randomise(Reads(fault, outputs))
                whole = io.BytesIO()
                torch.jit.save(torch.jit.script(model), whole)
                bare(whole, path / f"{fault}-{name}.pt")
    frontal = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(7)).requires_grad_()
    ids = torch.tensor([[2, 9, 8, 3], [2, 7, 3, 0], [2, 3, 0, 0]])
    logits = torch.jit.load(str(path / "sound-logits.pt"))((frontal - 0.5) / 0.25, ids, (ids > 0).long())
    logits[:, 1].sum().backward()
    tensors = {"golden.frontal": frontal.detach(), "golden.ids": ids, "golden.logits": logits.detach(),
               "golden.gradient": frontal.grad}
    save_file(tensors, FOLDER / "scripts.safetensors", metadata=VERSIONS)


def sentences():
    """Ids of the Indiana University reports, as a digest a report: the reports themselves stay where they are.

    MEDCERT_DATA names the folder with iu_xray/ and lexicons/, MINILM the folder that `ci/weights minilm` makes.
    """
    data = pathlib.Path(os.environ["MEDCERT_DATA"])
    with open(data / "iu_xray/indiana_reports.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:1000]
    texts = [" ".join(row[key] for key in ["indication", "findings", "impression"]) for row in rows]
    cased = BertTokenizer(str(data / "lexicons/bert-base-cased-vocab.txt"), do_lower_case=False)
    uncased = AutoTokenizer.from_pretrained(os.environ["MINILM"])
    lines = []
    for text in texts:
        digests = []
        for tokenizer in [cased, uncased]:
            ids = tokenizer(text, truncation=True, max_length=512, padding=False)["input_ids"]
            digests.append(hashlib.sha256(" ".join(map(str, ids)).encode()).hexdigest()[:16])
        lines.append(" ".join(digests))
    (FOLDER / "tokens.txt").write_text("\n".join(lines) + "\n")


def save(name, model, golden):
    tensors = {f"weights.{key}": value for key, value in state(model).items()}
    tensors |= {f"golden.{key}": value.detach().contiguous() for key, value in golden.items()}
    save_file(tensors, FOLDER / f"{name}.safetensors", metadata=VERSIONS)


if __name__ == "__main__":
    if sys.argv[1:] == ["tokens"]:
        sentences()
    else:
        vision()
        suite()
        language()
        published()
        cross()
        folder()
        scripts()
