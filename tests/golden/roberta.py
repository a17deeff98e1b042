"""Writes a small RoBERTa in Hugging Face's layout, with a classifier and the head of a masked language model, and what
transformers makes of it. tests/golden/roberta.rs compares with them.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 transformers==4.57.1 safetensors
    venv/bin/python tests/golden/roberta.py

The ids come from transformers' own tokenizer in Python (`RobertaTokenizer`), not from the library that medcert uses.
"""

import importlib.metadata
import json
import pathlib

import torch
from safetensors.torch import save_file
from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaConfig, RobertaForMaskedLM, RobertaForSequenceClassification, RobertaTokenizer

FOLDER = pathlib.Path(__file__).parent
PLACE = FOLDER / "roberta"
VERSIONS = {name: importlib.metadata.version(name) for name in ["torch", "transformers", "tokenizers"]}
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
REPORTS = [
    "INDICATION: Cough and fever for 3 days.",
    "The lungs are clear. No focal consolidation, effusion or pneumothorax.",
    "Heart size is normal; the mediastinal contours aren't widened.",
    "There is a small left-sided pleural effusion (2.5 cm) with adjacent atelectasis.",
    "IMPRESSION: No acute cardiopulmonary abnormality.",
]
TEXTS = [
    REPORTS[1],
    "  Two  spaces,\n\na new line\tand a tab ",
    "Ödem, 37 °C – “mild”… naïve 心",
    "It isn't <mask> normal.",
    "",
    "...",
    " ".join(REPORTS),
]
MASKED = "The heart size is <mask> today."


def randomise(model):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-0.5, 0.5)
    return model.eval()


def write_tokenizer():
    made = ByteLevelBPETokenizer(add_prefix_space=False)
    made.train_from_iterator(REPORTS * 3, vocab_size=380, min_frequency=2, special_tokens=SPECIAL, show_progress=False)
    # RoBERTa's mask swallows the space before it
    whole = json.loads(made.to_str())
    for token in whole["added_tokens"]:
        token["lstrip"] = token["content"] == "<mask>"
    made.save_model(str(PLACE))
    whole["post_processor"] = None
    (PLACE / "tokenizer.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1) + "\n")
    return len(whole["model"]["vocab"])


if __name__ == "__main__":
    PLACE.mkdir(exist_ok=True)
    torch.manual_seed(5)
    config = RobertaConfig(
        vocab_size=write_tokenizer(), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=42, type_vocab_size=1, num_labels=2, layer_norm_eps=1e-5,
        architectures=["RobertaForSequenceClassification"],
    )
    classifier = randomise(RobertaForSequenceClassification(config))
    language = randomise(RobertaForMaskedLM(config))
    language.roberta.load_state_dict(classifier.roberta.state_dict())
    config.save_pretrained(PLACE)
    heads = {name: value for name, value in language.state_dict().items() if name.startswith("lm_head.")}
    tensors = classifier.state_dict() | {name: heads[name] for name in heads if not name.startswith("lm_head.decoder")}
    save_file({name: value.clone().contiguous() for name, value in tensors.items()}, PLACE / "model.safetensors")

    tokenizer = RobertaTokenizer(str(PLACE / "vocab.json"), str(PLACE / "merges.txt"))
    tokens = tokenizer(TEXTS, padding=True, truncation=True, max_length=40, return_tensors="pt")
    lengths = tokens["attention_mask"].sum(1)
    golden = {"ids": tokens["input_ids"], "lengths": lengths, "logits": classifier(**tokens).logits}
    masked = tokenizer([MASKED], return_tensors="pt")
    at = (masked["input_ids"][0] == tokenizer.mask_token_id).nonzero().item()
    golden["masked.logits"] = language(**masked).logits[0, at]
    tensors = {f"golden.{key}": value.detach().contiguous() for key, value in golden.items()}
    save_file(tensors, FOLDER / "roberta.safetensors", metadata=VERSIONS)
    (FOLDER / "roberta.json").write_text(json.dumps({"texts": TEXTS, "masked": MASKED}, ensure_ascii=False, indent=1) + "\n")
