"""Writes the golden values that tests/golden.rs compares with: the same random weights and inputs, run
through timm's SE-ResNet blocks, transformers' BERT and torchattacks' FGSM and PGD.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 timm transformers torchattacks
    venv/bin/python tests/golden/make.py

The versions used are recorded in each file's metadata.
"""

import importlib.metadata
import math
import pathlib

import numpy as np
import timm
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


def fill(model):
    """Weights by a formula that tests/golden.rs repeats, so that a full-size network needs no file."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.dtype != torch.float32:
                continue
            key = 2166136261
            for byte in name.encode():
                key = (key ^ byte) * 16777619 % 2**32
            mixed = (np.arange(tensor.numel(), dtype=np.uint64) * 2654435761 + key) % 2**32
            mixed = (mixed ^ (mixed >> 15)) * 2246822519 % 2**32
            value = (mixed.astype(np.float64) / 2**32 - 0.5).astype(np.float32)
            if tensor.dim() > 1:
                value *= np.float32(math.sqrt(24 / (tensor.numel() // tensor.shape[0])))
            elif name.endswith("running_var"):
                value = np.float32(1) + np.float32(0.4) * value
            elif name.endswith("weight"):  # small, or fifty blocks amplify the rounding of the first
                value = np.float32(0.4) + np.float32(0.2) * value
            else:
                value *= np.float32(0.4)
            tensor.copy_(torch.from_numpy(value).reshape(tensor.shape))
    return model.eval()


def published():
    """timm's networks at full size on one gray image, its three channels normalised as ImageNet's."""
    golden = {}
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(3))
    golden["image"] = image
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
    for name in [
        "resnet18", "resnet50", "legacy_seresnet50", "legacy_seresnext50_32x4d", "legacy_senet154",
    ]:
        model = fill(timm.create_model(name, num_classes=2))
        leaf = image.clone().requires_grad_()
        logits = model((leaf - mean) / deviation)
        logits[0, 1].backward()
        golden |= {f"{name}.logits": logits, f"{name}.gradient": leaf.grad}
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


def save(name, model, golden):
    tensors = {f"weights.{key}": value for key, value in state(model).items()}
    tensors |= {f"golden.{key}": value.detach().contiguous() for key, value in golden.items()}
    save_file(tensors, FOLDER / f"{name}.safetensors", metadata=VERSIONS)


vision()
language()
published()
