"""Times medcert's victim beside the same network in eager PyTorch and in torchattacks' loop: the same weights,
images, machine and run. Quiet the machine first; it takes about ten minutes on two cores.

    venv/bin/python tests/golden/race.py        (the environment of make.py)
"""

import re
import statistics
import subprocess
import time

import timm
import torch
import torchattacks
from make import FOLDER, SmallSeResnet, fill
from torch import nn

STRENGTHS = [0.01, 0.05, 0.1, 0.2]
MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)


class Normalised(nn.Module):
    """A gray image, its three channels normalised as ImageNet's."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network((x - MEAN) / DEVIATION)


def median(action, runs):
    action()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def images(cases, side):
    """The pixels of tests/golden/race.rs."""
    places = torch.arange(cases * side * side, dtype=torch.int64)
    return ((places * 40503 % 65536).float() / 65536).reshape(cases, 1, side, side)


def eager(model, x, labels, runs):
    def forward():
        with torch.no_grad():
            model(x)

    def gradient():
        leaf = x.clone().requires_grad_()
        loss = nn.functional.cross_entropy(model(leaf), labels, reduction="sum")
        torch.autograd.grad(loss, leaf)

    def accumulated():
        leaf = x.clone().requires_grad_()
        nn.functional.cross_entropy(model(leaf), labels, reduction="sum").backward()
        model.zero_grad()

    def fgsm():
        forward()
        for epsilon in STRENGTHS:
            attacked = torchattacks.FGSM(model, eps=epsilon)(x, labels)
            with torch.no_grad():
                model(attacked)

    found = {}
    model.requires_grad_(False)
    found["forward"], found["gradient"] = median(forward, runs), median(gradient, runs)
    model.requires_grad_(True)
    found["gradient, parameters too"], found["FGSM at four ε"] = median(accumulated, runs), median(fgsm, runs)
    with torch.no_grad():
        return found, model(x)[:, 1].sum().item()


def ours():
    command = ["cargo", "test", "--release", "--test", "golden", "race", "--", "--ignored", "--nocapture"]
    text = subprocess.run(command, cwd=FOLDER.parent.parent, capture_output=True, text=True, check=True)
    lines = re.findall(r"^race: (\S+) / (.+) = (\S+)$", text.stdout + text.stderr, re.MULTILINE)
    return {(name, what): float(value) for name, what, value in lines}


def main():
    torch.set_num_threads(2)
    rivals = {
        "senet154": (Normalised(fill(timm.create_model("legacy_senet154", num_classes=2))), 8, 224, 3),
        "se_resnet18": (fill(SmallSeResnet(64, 1)), 16, 128, 9),
    }
    mine = ours()
    for name, (model, cases, side, runs) in rivals.items():
        model.eval()
        theirs, total = eager(model, images(cases, side), torch.arange(cases) % 2, runs)
        print(f"{name}, {cases} images of {side}: logits add up to {total:.4f} and {mine[name, 'logits']:.4f}")
        for what, seconds in theirs.items():
            own = mine[name, what.split(",")[0]]
            print(f"  {what:<26} PyTorch {seconds:.3f} s, medcert {own:.3f} s: {seconds / own:.2f} times")


main()
