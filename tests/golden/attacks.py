"""Writes what other libraries' image attacks do on the network and the 256 images of make.py's `crowd`, and the
losses of AutoAttack on tables of logits.

    venv/bin/pip install adversarial-robustness-toolbox foolbox cloudpickle       (beside make.py's environment)
    venv/bin/python tests/golden/attacks.py losses          tests/golden/losses.safetensors
    venv/bin/python tests/golden/attacks.py                 tests/golden/norms.safetensors, every part
    venv/bin/python tests/golden/attacks.py fab spsa        only these parts, the others kept as they were

norms.safetensors holds float32 arrays `golden.PART.what` with the cases last. `broken` is 1 where the label is lost.
`norm` is the length of the change, 0 where the attack left the label as it was. An attack that draws has a first
axis of seeds. The parameters of each array are those of the function that makes it. The versions used are recorded
in each file's metadata. All of it takes about ten minutes on one core.

Sources: R+FGSM, Tramèr et al., ICLR 2018, 1705.07204; PGD, Madry et al., ICLR 2018, 1706.06083; DeepFool,
Moosavi-Dezfooli et al., CVPR 2016, 1511.04599; FAB, Croce and Hein, ICML 2020, 1907.02044; Carlini and Wagner, S&P
2017, 1608.04644; APGD and DLR, Croce and Hein, ICML 2020, 2003.01690; Square, Andriushchenko et al., ECCV 2020,
1912.00049; SPSA, Uesato et al., ICML 2018, 1802.05666; NES, Ilyas et al., ICML 2018, 1804.08598; HopSkipJump, Chen
et al., S&P 2020, 1904.02144; the boundary attack, Brendel et al., ICLR 2018, 1712.04248.
"""

import importlib.metadata
import random
import sys
import time

import foolbox
import numpy as np
import torch
import torchattacks
from art.attacks import evasion
from art.estimators.classification import PyTorchClassifier
from make import FOLDER, SIDE, SUITE, VIEWS, crowd
from safetensors.torch import load_file, save_file
from torch import nn

NAMES = ["torch", "torchattacks", "adversarial-robustness-toolbox", "foolbox", "numpy"]
VERSIONS = {name: importlib.metadata.version(name) for name in NAMES}
RADIUS = 0.1  # of the L2 ball


class Single(nn.Module):
    """The network on images that come in float64, as some of Foolbox's and ART's do."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(x.float())


class Crowd:
    """The network, its images and labels, in the form each library asks for; counts the images it answers."""

    def __init__(self):
        self.model, self.images, self.labels, _ = crowd()
        self.queries = 0
        self.model.register_forward_pre_hook(self.count)
        single = Single(self.model).eval()
        self.fool = foolbox.PyTorchModel(single, bounds=(0, 1), device="cpu")
        self.art = PyTorchClassifier(
            single, loss=nn.CrossEntropyLoss(), input_shape=(VIEWS, SIDE, SIDE), nb_classes=2,
            clip_values=(0, 1), device_type="cpu",
        )

    def count(self, _, inputs):
        self.queries += len(inputs[0])

    def broken(self, attacked):
        """Which of the first cases an attack breaks."""
        with torch.no_grad():
            return (self.model(attacked).argmax(1) != self.labels[: len(attacked)]).float()

    def lengths(self, attacked, order):
        """The length of the change of the first cases."""
        return (attacked - self.images[: len(attacked)]).flatten(1).norm(p=order, dim=1)

    def norms(self, attacked, order):
        """The length of the change of the first cases, 0 where the label stands."""
        return self.lengths(attacked, order) * self.broken(attacked)

    def seeded(self, attack, seeds, cases=256):
        """Which cases an attack of torchattacks' form breaks, a row a seed."""
        rows = []
        for seed in range(seeds):
            settle(seed)
            rows.append(self.broken(attack(self.images[:cases], self.labels[:cases])))
        return torch.stack(rows)

    def arted(self, attack, cases=256):
        """The images an attack of ART makes of the first cases."""
        settle(0)
        targets = nn.functional.one_hot(self.labels[:cases], 2).numpy()
        return torch.from_numpy(attack.generate(self.images[:cases].numpy(), targets)).float()

    def fooled(self, attack, cases=256):
        """The images a smallest-change attack of Foolbox makes of the first cases."""
        settle(0)
        criterion = foolbox.criteria.Misclassification(self.labels[:cases])
        return attack.run(self.fool, self.images[:cases], criterion).float()


def settle(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def rfgsm(c):
    """A step of ε/2 to a random corner, then one of ε/2 along the gradient's sign."""
    return {"broken": c.seeded(torchattacks.RFGSM(c.model, eps=SUITE, alpha=SUITE / 2, steps=1), 4)}


def pgd_l2(c):
    """L2 ball of RADIUS, 40 steps of 2.5 RADIUS / 40: from the image itself, and from points of the ball."""
    still = torchattacks.PGDL2(c.model, eps=RADIUS, alpha=RADIUS / 16, steps=40, random_start=False)
    drawn = torchattacks.PGDL2(c.model, eps=RADIUS, alpha=RADIUS / 16, steps=40, random_start=True)
    return {"still.broken": c.seeded(still, 1)[0], "broken": c.seeded(drawn, 2)}


def art(c):
    """128 cases, ART at linf SUITE: FGSM, 40 steps of PGD from the image itself, APGD on cross-entropy, 300 Squares."""
    apgd = {"eps_step": 2 * SUITE, "max_iter": 100, "nb_random_init": 1, "loss_type": "cross_entropy"}
    ball = {"norm": np.inf, "eps": SUITE, "batch_size": 256}
    steps = {"eps_step": SUITE / 16, "max_iter": 40, "verbose": False}
    attacks = {
        "fgsm": evasion.FastGradientMethod(c.art, **ball),
        "pgd": evasion.ProjectedGradientDescent(c.art, **ball, **steps),
        "apgd": evasion.AutoProjectedGradientDescent(c.art, **ball, **apgd, verbose=False),
        "square": evasion.SquareAttack(c.art, **ball, max_iter=300, verbose=False),
    }
    return {f"{name}.broken": c.broken(c.arted(attack, 128)) for name, attack in attacks.items()}


class Margin(torchattacks.APGD):
    """APGD on z_other - z_label, which takes the place of the DLR loss where there are two classes."""

    def dlr_loss(self, x, y):
        rows = torch.arange(len(x))
        return x[rows, 1 - y] - x[rows, y]


def margin(c):
    """APGD of 100 steps: linf SUITE on the margin; 128 cases, L2 RADIUS, on the margin and on cross-entropy."""
    budget = {"steps": 100, "n_restarts": 1}
    attacks = {
        "linf": (Margin(c.model, norm="Linf", eps=SUITE, loss="dlr", **budget), 256),
        "l2": (Margin(c.model, norm="L2", eps=RADIUS, loss="dlr", **budget), 128),
        "ce_l2": (torchattacks.APGD(c.model, norm="L2", eps=RADIUS, loss="ce", **budget), 128),
    }
    return {f"{name}.broken": c.seeded(attack, 1, cases)[0] for name, (attack, cases) in attacks.items()}


def deepfool(c):
    """128 cases: overshoot 0.02, 50 steps. Foolbox and ART overshoot the sum of the steps.

    torchattacks overshoots every step and so ends within rounding of the boundary: its lengths count broken or not.
    """
    half = c.images[:128], c.labels[:128]
    return {
        "torchattacks.norm": c.lengths(torchattacks.DeepFool(c.model, steps=50, overshoot=0.02)(*half), 2),
        "foolbox.norm": c.norms(c.fooled(foolbox.attacks.L2DeepFoolAttack(steps=50, overshoot=0.02), 128), 2),
        "art.norm": c.norms(c.arted(evasion.DeepFool(c.art, 50, 0.02, batch_size=128, verbose=False), 128), 2),
    }


def fab(c):
    """128 cases, 100 steps from the image itself, α at most 0.1, η 1.05, β 0.9; no largest change."""
    found = {}
    for name, order in [("Linf", torch.inf), ("L2", 2)]:
        attack = torchattacks.FAB(c.model, norm=name, eps=1e3, steps=100, n_restarts=1, n_classes=2)
        found[f"{name.lower()}.norm"] = c.norms(attack(c.images[:128], c.labels[:128]), order)
    return found


def carlini(c):
    """32 cases: 9 searches of 100 steps of Adam, rate 0.01, c from 0.001, κ 0, no early end.

    A rate of 0.01 is coarse for the images that lie near the boundary: their lengths are several times FAB's.
    """
    budget = {"binary_search_steps": 9, "steps": 100, "stepsize": 0.01, "initial_const": 1e-3, "abort_early": False}
    return {"norm": c.norms(c.fooled(foolbox.attacks.L2CarliniWagnerAttack(**budget), 32), 2)}


def square(c):
    """1000 queries on the margin, linf SUITE, the schedule of p rescaled to them."""
    attack = torchattacks.Square(c.model, norm="Linf", eps=SUITE, n_queries=1000, n_restarts=1, loss="margin", seed=0)
    return {"broken": c.seeded(attack, 1)}


def spsa(c):
    """64 cases, linf 2 SUITE: 8 steps of Adam, rate SUITE / 2, each from 16 pairs at distance 0.01."""
    budget = {"delta": 0.01, "lr": SUITE / 2, "nb_iter": 8, "nb_sample": 16, "max_batch_size": 2}
    return {"broken": c.seeded(torchattacks.SPSA(c.model, eps=2 * SUITE, **budget), 2, 64)}


def nes(c):
    """64 cases, linf 2 SUITE: 8 sign steps of SUITE / 2, each from 16 antithetic pairs, σ 0.001, by the formula."""

    def attack(images, labels):
        x, sign = images.clone(), 1 - 2 * labels  # the margin of the other class is sign (z1 - z0)
        for _ in range(8):
            gradient = torch.zeros_like(x)
            for _ in range(16):
                noise = torch.randn_like(x)
                with torch.no_grad():
                    logits = [c.model(x + side * 1e-3 * noise) for side in (1, -1)]
                ahead, behind = [sign * (z[:, 1] - z[:, 0]) for z in logits]
                gradient += (ahead - behind).reshape(-1, 1, 1, 1) * noise / (32 * 1e-3)
            x = x + SUITE / 2 * gradient.sign()
            x = torch.minimum(torch.maximum(x, images - 2 * SUITE), images + 2 * SUITE).clamp(0, 1)
        return x

    return {"broken": c.seeded(attack, 2, 64)}


def hop(c):
    """16 cases, L2: 5 steps of ART's HopSkipJump, 100 evaluations at first; `queries` is their mean a case."""
    attack = evasion.HopSkipJump(c.art, batch_size=256, norm=2, max_iter=5, max_eval=1000, init_eval=100, verbose=False)
    c.queries = 0
    attacked = c.arted(attack, 16)
    return {"queries": torch.tensor([c.queries / 16]), "norm": c.norms(attacked, 2)}


def boundary(c):
    """16 cases, L2: 500 steps of Foolbox's boundary attack from blended noise; `queries` as for `hop`."""
    start = foolbox.attacks.LinearSearchBlendedUniformNoiseAttack(directions=100, steps=50)
    c.queries = 0
    attacked = c.fooled(foolbox.attacks.BoundaryAttack(init_attack=start, steps=500), 16)
    return {"queries": torch.tensor([c.queries / 16]), "norm": c.norms(attacked, 2)}


PARTS = [rfgsm, deepfool, fab, pgd_l2, carlini, hop, spsa, nes, boundary, margin, art, square]


def losses():
    """Cross-entropy, margin, DLR and targeted DLR of 24 rows of logits for each number of classes, with gradients.

    The DLR losses are those that torchattacks took over from AutoAttack; values and gradients are in float64.
    """
    settle(0)
    golden = {}
    untargeted, targeted = torchattacks.APGD(nn.Identity()), torchattacks.APGDT(nn.Identity())
    rows = torch.arange(24)
    for classes in range(2, 11):
        logits = 3 * torch.randn(24, classes)
        labels = torch.randint(classes, (24,))
        labels[:8] = logits[:8].argmax(1)  # whatever the draw, some answers are right
        targets = (labels + torch.randint(1, classes, (24,))) % classes
        z = logits.double().requires_grad_()
        others = z.masked_fill(nn.functional.one_hot(labels, classes).bool(), -torch.inf)
        values = {
            "ce": nn.functional.cross_entropy(z, labels, reduction="none"),
            "margin": others.amax(1) - z[rows, labels],
        }
        if classes >= 3:
            values["dlr"] = untargeted.dlr_loss(z, labels)
        if classes >= 4:
            values["dlr_targeted"] = targeted.dlr_loss_targeted(z, labels, targets)
        named = {"logits": logits, "labels": labels, "targets": targets}
        for name, value in values.items():
            named[name] = value.detach().float()
            named[f"{name}.gradient"] = torch.autograd.grad(value.sum(), z, retain_graph=True)[0].float()
        golden |= {f"golden.{classes}.{name}": value.contiguous() for name, value in named.items()}
    save_file(golden, FOLDER / "losses.safetensors", metadata=VERSIONS)


def main():
    torch.set_num_threads(1)
    if sys.argv[1:] == ["losses"]:
        return losses()
    path = FOLDER / "norms.safetensors"
    asked = sys.argv[1:] or [part.__name__ for part in PARTS]
    golden = load_file(path) if path.exists() and sys.argv[1:] else {}
    crowd = Crowd()
    for part in PARTS:
        if part.__name__ not in asked:
            continue
        start = time.perf_counter()
        for what, value in part(crowd).items():
            golden[f"golden.{part.__name__}.{what}"] = value.float().contiguous()
            shown = value.sum(-1).tolist() if what.endswith("broken") else value.median().item()
            print(f"{part.__name__}.{what} {tuple(value.shape)}: {shown}")
        print(f"  {time.perf_counter() - start:.0f} s", flush=True)
        save_file(golden, path, metadata=VERSIONS)


main()
