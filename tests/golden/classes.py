"""Writes what torchattacks' and Foolbox's attacks do on two small networks of 3 and of 10 exclusive classes.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 torchattacks foolbox numpy safetensors
    venv/bin/python tests/golden/classes.py          tests/golden/classes.safetensors

The network of K classes is two convolutions and a linear layer, trained here for a few hundred steps on drawn images
of K patterns; its weights are in the file. `golden.K.ATTACK.broken` is 1 where the label is lost, and `.norm` is the
length of the change, 0 where the attack left the label as it was. Attacks that draw have a first axis of seeds. The
cases are those that the network has right. It takes about ten minutes on one core.

Sources: DeepFool, Moosavi-Dezfooli et al., CVPR 2016, 1511.04599; FAB, Croce and Hein, ICML 2020, 1907.02044; APGD, DLR
and AutoAttack, Croce and Hein, ICML 2020, 2003.01690; Square, Andriushchenko et al., ECCV 2020, 1912.00049; Carlini and
Wagner, S&P 2017, 1608.04644.
"""

import importlib.metadata
import pathlib
import random
import time

import foolbox
import numpy as np
import torch
import torchattacks
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent
VERSIONS = {name: importlib.metadata.version(name) for name in ["torch", "torchattacks", "foolbox", "numpy"]}
SIDE, CASES = 12, 64
EPSILON, SEEDS = 0.06, 96


class Square(torchattacks.Square):
    """Places squares as the paper does (algorithm 2): anywhere. torchattacks' code, as its authors', draws a place below
    h - s, so that no square covers the last row or column; on 12 x 12 pixels that is 1.7 points of 3 classes."""

    def random_int(self, low=0, high=1, shape=(1,)):
        return super().random_int(low, high + 1, shape)


def settle(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def network(classes):
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(8 * 9, classes),
    )


def draw(patterns, count):
    labels = torch.randint(len(patterns), (count,))
    noise = 0.16 * torch.randn(count, 1, SIDE, SIDE)
    return (0.5 + 0.14 * patterns[labels] + noise).clamp(0, 1), labels


def trained(classes):
    settle(classes)
    patterns = torch.randn(classes, 1, SIDE, SIDE).clamp(-1.5, 1.5)
    model = network(classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(400):
        images, labels = draw(patterns, 128)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
    model.eval().requires_grad_(False)
    images, labels = draw(patterns, 8 * CASES)
    right = model(images).argmax(1) == labels
    print(f"{classes} classes: {right.float().mean():.3f} right")
    return model, images[right][:CASES].contiguous(), labels[right][:CASES].contiguous()


def attacks(classes, model, images, labels):
    def broken(attacked):
        return (model(attacked).argmax(1) != labels).float()

    def norms(attacked, order):
        return (attacked - images).flatten(1).norm(p=order, dim=1) * broken(attacked)

    def seeded(attack, seeds):
        rows = []
        for seed in range(seeds):
            settle(seed)
            rows.append(broken(attack(images, labels)))
        return torch.stack(rows)

    fool = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
    misses = foolbox.criteria.Misclassification(labels)
    budget = {"n_restarts": 1, "seed": 0}
    linf = {"norm": "Linf", "eps": EPSILON, **budget}
    targets = {"n_classes": classes}
    yield "fgsm.broken", seeded(torchattacks.FGSM(model, eps=EPSILON), 1)[0]
    momentum = torchattacks.MIFGSM(model, eps=EPSILON, alpha=EPSILON / 10, steps=10, decay=1.0)
    yield "momentum.broken", seeded(momentum, 1)[0]
    still = torchattacks.PGD(model, eps=EPSILON, alpha=EPSILON / 16, steps=40, random_start=False)
    yield "pgd.broken", seeded(still, 1)[0]
    yield "apgd_ce.broken", seeded(torchattacks.APGD(model, loss="ce", steps=100, **linf), 1)
    yield "apgd_dlr.broken", seeded(torchattacks.APGD(model, loss="dlr", steps=100, **linf), 1)
    if classes >= 4:
        yield "apgd_t.broken", seeded(torchattacks.APGDT(model, steps=100, **linf, **targets), 1)
    settle(0)
    deepfool = foolbox.attacks.L2DeepFoolAttack(steps=50, overshoot=0.02, candidates=classes, loss="logits")
    yield "deepfool.norm", norms(deepfool.run(fool, images, misses), 2)
    for name, order in [("Linf", torch.inf), ("L2", 2)]:
        fab = torchattacks.FAB(model, norm=name, eps=1e3, steps=100, n_restarts=1, multi_targeted=False, **targets)
        yield f"fab_{name.lower()}.norm", norms(fab(images, labels), order)
    fab = torchattacks.FAB(model, norm="Linf", eps=EPSILON, steps=100, n_restarts=1, multi_targeted=True, **targets)
    yield "fab_t.broken", seeded(fab, 1)[0]
    carlini = foolbox.attacks.L2CarliniWagnerAttack(
        binary_search_steps=9, steps=100, stepsize=0.01, initial_const=1e-3, abort_early=False
    )
    settle(0)
    yield "carlini.norm", norms(carlini.run(fool, images, misses), 2)
    square = [
        seeded(Square(model, norm="Linf", eps=EPSILON, n_queries=300, n_restarts=1, seed=seed), 1)[0]
        for seed in range(SEEDS)
    ]
    yield "square.broken", torch.stack(square)
    if classes >= 4:
        suite = torchattacks.AutoAttack(model, norm="Linf", eps=EPSILON, version="standard", seed=0, **targets)
        yield "suite.broken", seeded(suite, 1)[0]


def main():
    torch.set_num_threads(1)
    golden = {}
    for classes in (3, 10):
        model, images, labels = trained(classes)
        for name, value in model.state_dict().items():
            golden[f"{classes}.{name}"] = value.contiguous()
        golden[f"golden.{classes}.images"] = images
        golden[f"golden.{classes}.labels"] = labels.float()
        for name, value in attacks(classes, model, images, labels):
            golden[f"golden.{classes}.{name}"] = value.float().contiguous()
            shown = value.mean(-1).tolist() if name.endswith("broken") else value.median().item()
            print(f"  {name} {tuple(value.shape)}: {shown}", flush=True)
    save_file(golden, FOLDER / "classes.safetensors", metadata=VERSIONS)


start = time.perf_counter()
main()
print(f"{time.perf_counter() - start:.0f} s")
