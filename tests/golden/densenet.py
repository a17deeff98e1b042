"""Writes the golden values of the densely connected networks, which tests/golden/networks.rs compares with:
torchvision's and torchxrayvision's DenseNet-121, narrow and at full size, with weights by `fill`'s formula.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 torchvision torchxrayvision safetensors
    venv/bin/python tests/golden/densenet.py

The versions used are recorded in the file's metadata.
"""

import importlib.metadata
import pathlib

import torch
from formula import fill
from safetensors.torch import save_file
from torchvision.models import DenseNet
from torchxrayvision.models import DenseNet as GrayDenseNet

FOLDER = pathlib.Path(__file__).parent
VERSIONS = {name: importlib.metadata.version(name) for name in ["torch", "torchvision", "torchxrayvision"]}
LAYERS, NARROW, FULL = (6, 12, 24, 16), 4, 32
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)


def coloured(growth):
    """torchvision's network, with a gray image in all three channels."""
    model = fill(DenseNet(growth, LAYERS, num_init_features=2 * growth, num_classes=2))
    return lambda image: model((image - MEAN) / DEVIATION)


def gray(growth):
    """torchxrayvision's network, with pixels scaled as `torchxrayvision.datasets.normalize` does."""
    model = fill(GrayDenseNet(growth, LAYERS, num_init_features=2 * growth, num_classes=2, weights=None))
    return lambda image: model((2 * image - 1) * 1024)


if __name__ == "__main__":
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(3))
    golden = {"image": image}
    for name, make in [("densenet121", coloured), ("xrv_densenet121", gray)]:
        for suffix, growth in [(".narrow", NARROW), ("", FULL)]:
            leaf = image.clone().requires_grad_()
            logits = make(growth)(leaf)
            logits[0, 1].backward()
            golden |= {f"{name}{suffix}.logits": logits, f"{name}{suffix}.gradient": leaf.grad}
    tensors = {f"golden.{key}": value.detach().contiguous() for key, value in golden.items()}
    save_file(tensors, FOLDER / "densenet.safetensors", metadata=VERSIONS)
