"""Writes small files of `torch.save`, and what PyTorch reads from them, for tests/golden/pickles.rs.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 safetensors==0.8.0 numpy
    venv/bin/python tests/golden/pickles.py
"""

import os
import pathlib
from collections import OrderedDict

import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "pickles"


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)
        self.norm = nn.BatchNorm2d(3)
        self.head = nn.Linear(3, 2)
        self.tied = nn.Linear(3, 2)
        self.tied.weight = self.head.weight


class Evil:
    def __reduce__(self):
        return os.system, ("echo executed",)


def every_type():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    types = [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
    tensors = {str(of).split(".")[1]: torch.arange(5).to(of) for of in types}
    tensors |= {
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 4),
        "transposed": base.t(),
        "every other": base[1::2, 1:4],
        "shared": base[2],
        "whole": base,
        "negative": torch.tensor([-1, -(2**40)]),
    }
    return tensors


def write(name, obj, weights=None):
    torch.save(obj, FOLDER / f"{name}.pth")
    if weights is None:
        return
    read = torch.load(FOLDER / f"{name}.pth", weights_only=True)
    tensors = {key: tensor.detach().contiguous().clone() for key, tensor in weights(read).items() if torch.is_tensor(tensor)}
    save_file(tensors, FOLDER / f"{name}.safetensors")


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(1)
    network = Network()
    state = network.state_dict()
    optimizer = torch.optim.Adam(network.parameters())
    network.head(torch.rand(4, 3)).sum().backward()
    optimizer.step()
    write("flat", state, lambda read: read)
    write("types", every_type(), lambda read: read)
    write("parameters", OrderedDict(network.named_parameters()), lambda read: read)
    checkpoint = {"epoch": 12345, "loss": 0.25, "best": None, "name": "é", "done": True, "steps": [1, (2, 300)]}
    write("nested", {**checkpoint, "optimizer": optimizer.state_dict(), "state_dict": state}, lambda read: read["state_dict"])
    write("two", {"ema": state, "model": state}, lambda read: read["model"])
    write("parallel", nn.DataParallel(network).state_dict(), lambda read: {name[7:]: tensor for name, tensor in read.items()})
    write("refused-module", network)
    write("refused-sequential", nn.Sequential(nn.Linear(2, 2)))
    write("refused-evil", {"weight": torch.zeros(2), "evil": Evil()})
    write("refused-numbers", {"epoch": 3})
    torch.save(state, FOLDER / "refused-legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state, FOLDER / "refused-protocol.pth", pickle_protocol=4)
    torch.jit.script(nn.Sequential(nn.Linear(2, 2))).save(FOLDER / "refused-script.pth")


if __name__ == "__main__":
    main()
