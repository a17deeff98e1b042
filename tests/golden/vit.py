"""Writes the golden values of the vision transformers, which tests/golden/networks.rs compares with: timm's `vit_tiny`
(also a narrow one) and `deit_small`, at 64 pixels, with weights by `fill`'s formula.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 timm safetensors
    venv/bin/python tests/golden/vit.py

The versions used are recorded in the file's metadata.
"""

import importlib.metadata
import pathlib

import timm
import torch
from formula import fill
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent
VERSIONS = {name: importlib.metadata.version(name) for name in ["torch", "timm"]}
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SYMMETRIC = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def network(name, scale, **sizes):
    """timm's network, with a gray image in all three channels."""
    model = fill(timm.create_model(name, img_size=64, num_classes=2, **sizes))
    mean, deviation = (torch.tensor(part).reshape(1, 3, 1, 1) for part in scale)
    return lambda image: model((image - mean) / deviation)


NETWORKS = {
    "vit.narrow": network("vit_tiny_patch16_224", SYMMETRIC, embed_dim=64, num_heads=1),
    "vit_tiny_patch16_224": network("vit_tiny_patch16_224", SYMMETRIC),
    "deit_small_patch16_224": network("deit_small_patch16_224", IMAGENET),
}


if __name__ == "__main__":
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(3))
    golden = {"image": image}
    for name, model in NETWORKS.items():
        leaf = image.clone().requires_grad_()
        logits = model(leaf)
        logits[0, 1].backward()
        golden |= {f"{name}.logits": logits, f"{name}.gradient": leaf.grad}
    tensors = {f"golden.{key}": value.detach().contiguous() for key, value in golden.items()}
    save_file(tensors, FOLDER / "vit.safetensors", metadata=VERSIONS)
