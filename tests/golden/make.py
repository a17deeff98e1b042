"""Writes the golden values that tests/golden.rs compares with: the same random weights and inputs, run
through timm's SE-ResNet blocks, transformers' BERT and torchattacks' FGSM and PGD.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 timm transformers torchattacks
    venv/bin/python tests/golden/make.py

The versions used are recorded in each file's metadata.
"""

import importlib.metadata
import pathlib

import torch
import torchattacks
from safetensors.torch import save_file
from timm.models.senet import SEResNetBlock
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

FOLDER = pathlib.Path(__file__).parent
VERSIONS = {name: importlib.metadata.version(name) for name in ["torch", "timm", "transformers", "torchattacks"]}
WIDTH, VIEWS, SIDE, CASES = 4, 2, 32, 3


class SmallSeResnet(nn.Module):
    """timm's SE-ResNet-18 blocks behind a stem for small gray inputs, every view through one trunk."""

    def __init__(self):
        super().__init__()
        self.layer0 = nn.Sequential()
        self.layer0.add_module("conv1", nn.Conv2d(1, WIDTH, 3, stride=2, padding=1, bias=False))
        self.layer0.add_module("bn1", nn.BatchNorm2d(WIDTH))
        self.layer0.add_module("relu1", nn.ReLU())
        into = WIDTH
        for stage in range(4):
            out = WIDTH << stage
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
        self.last_linear = nn.Linear(into * VIEWS, 2)

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


def save(name, model, golden):
    tensors = {f"weights.{key}": value for key, value in state(model).items()}
    tensors |= {f"golden.{key}": value.detach().contiguous() for key, value in golden.items()}
    save_file(tensors, FOLDER / f"{name}.safetensors", metadata=VERSIONS)


vision()
language()
