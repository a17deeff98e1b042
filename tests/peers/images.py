"""The rows on one image model, done by torchattacks, Foolbox and ART as their users do: the clean answers, the attack,
and the answers to what it made. A peer is a function that gives logits or attacked images by the attack's words."""

import foolbox
import numpy as np
import torch
import torchattacks
from art.attacks import evasion
from art.estimators.classification import PyTorchClassifier
from torch import nn

STRENGTHS = [0.01, 0.05, 0.1, 0.2]
WEAK, STRONG = 0.0005, 8 / 255
MILD, MILD_SQUARE = 0.03, 0.15  # break some of the surest cases
STEPS, QUERIES = 20, 100


class Peers:
    """A model in the form that each library asks for."""

    def __init__(self, cases):
        self.model, self.images, self.labels = cases.model, cases.images, cases.labels
        self.count = len(cases.images)
        self.fool = foolbox.PyTorchModel(self.model, bounds=(0, 1), device="cpu")
        self.art = PyTorchClassifier(
            self.model, loss=nn.CrossEntropyLoss(), input_shape=tuple(cases.images.shape[1:]), nb_classes=2,
            clip_values=(0, 1), device_type="cpu",
        )

    def torchattacks(self, attacks):
        """Each attack by its words, and the clean answers first."""
        with torch.no_grad():
            found = {"clean": self.model(self.images)}
        for words, attack in attacks.items():
            attacked = attack(self.images, self.labels)
            with torch.no_grad():
                found[words] = self.model(attacked)
        return found

    def foolbox(self, attack, strengths):
        """One attack at several strengths; the library judges the images itself."""
        foolbox.accuracy(self.fool, self.images, self.labels)
        _, images, _ = attack(self.fool, self.images, self.labels, epsilons=list(strengths.values()))
        return dict(zip(strengths, images))

    def arts(self, attacks):
        """Each attack by its words, and the clean answers first."""
        images, targets = self.images.numpy(), nn.functional.one_hot(self.labels, 2).numpy()
        found = {"clean": self.art.predict(images, batch_size=self.count)}
        for words, attack in attacks.items():
            found[words] = self.art.predict(attack.generate(images, targets), batch_size=self.count)
        return {words: torch.from_numpy(logits) for words, logits in found.items()}


def fgsm(cases):
    p = Peers(cases)
    strengths = {f"FGSM ε={epsilon}": epsilon for epsilon in STRENGTHS}
    torched = {words: torchattacks.FGSM(p.model, eps=epsilon) for words, epsilon in strengths.items()}
    arted = {
        words: evasion.FastGradientMethod(p.art, eps=epsilon, batch_size=p.count)
        for words, epsilon in strengths.items()
    }
    return {
        "torchattacks": lambda: p.torchattacks(torched),
        "Foolbox": lambda: p.foolbox(foolbox.attacks.LinfFastGradientAttack(), strengths),
        "ART": lambda: p.arts(arted),
    }


def descent(cases, words, epsilon):
    """PGD from a random start, with medcert's length of a step."""
    p, step = Peers(cases), 2.5 * epsilon / STEPS
    torched = torchattacks.PGD(p.model, eps=epsilon, alpha=step, steps=STEPS, random_start=True)
    fooled = foolbox.attacks.LinfPGD(abs_stepsize=step, steps=STEPS, random_start=True)
    arted = evasion.ProjectedGradientDescent(
        p.art, norm=np.inf, eps=epsilon, eps_step=step, max_iter=STEPS, num_random_init=1, batch_size=p.count,
        verbose=False,
    )
    return {
        "torchattacks": lambda: p.torchattacks({words: torched}),
        "Foolbox": lambda: p.foolbox(fooled, {words: epsilon}),
        "ART": lambda: p.arts({words: arted}),
    }


def pgd(cases):
    return descent(cases, "weak-pgd", WEAK)


def trained(cases):
    return descent(cases, "strong-pgd", STRONG)


def exported(cases):
    """The same attack on the module that `Cases.export` has written, as torch.export gives it back."""
    p = Peers(cases)
    module = torch.export.load(cases.exported).module()
    attack = torchattacks.PGD(p.model, eps=STRONG, alpha=2.5 * STRONG / STEPS, steps=STEPS, random_start=True)
    loaded = torchattacks.PGD(
        Exported(module), eps=STRONG, alpha=2.5 * STRONG / STEPS, steps=STEPS, random_start=True,
    )
    return {
        "torchattacks": lambda: p.torchattacks({"strong-pgd": attack}),
        "torchattacks on the export": lambda: p.torchattacks({"strong-pgd": loaded}),
    }


class Exported(nn.Module):
    """A module of torch.export, which refuses `eval`, as torchattacks asks of every model."""

    def __init__(self, module):
        super().__init__()
        self.module, self.training = module, False

    def train(self, mode=True):
        return self

    def forward(self, images):
        return self.module(images)


def auto(cases, words, epsilon):
    p = Peers(cases)
    torched = torchattacks.APGD(p.model, norm="Linf", eps=epsilon, steps=STEPS, n_restarts=1, loss="ce")
    arted = evasion.AutoProjectedGradientDescent(
        p.art, norm=np.inf, eps=epsilon, eps_step=2 * epsilon, max_iter=STEPS, nb_random_init=1, batch_size=p.count,
        loss_type="cross_entropy", verbose=False,
    )
    return {"torchattacks": lambda: p.torchattacks({words: torched}), "ART": lambda: p.arts({words: arted})}


def apgd(cases):
    return auto(cases, "weak-apgd", WEAK)


def squares(cases, words, epsilon):
    p = Peers(cases)
    torched = torchattacks.Square(p.model, norm="Linf", eps=epsilon, n_queries=QUERIES, n_restarts=1, loss="margin")
    arted = evasion.SquareAttack(
        p.art, norm=np.inf, max_iter=QUERIES, eps=epsilon, p_init=0.8, nb_restarts=1, batch_size=p.count, verbose=False,
    )
    return {"torchattacks": lambda: p.torchattacks({words: torched}), "ART": lambda: p.arts({words: arted})}


def square(cases):
    return squares(cases, "weak-square", WEAK)


# the same, strong enough to break some of the cases
CHECKS = {
    "pgd": lambda cases: descent(cases, "mild-pgd", MILD),
    "apgd": lambda cases: auto(cases, "mild-apgd", MILD),
    "square": lambda cases: squares(cases, "mild-square", MILD_SQUARE),
}


def steps_to_success(cases):
    """Steps until PGD first breaks a right case, the mean and how many were broken: what stopping could save."""
    epsilon, step = STRONG, 2.5 * STRONG / STEPS
    with torch.no_grad():
        first = torch.where(cases.model(cases.images).argmax(1) == cases.labels, STEPS, -1)
    x = (cases.images + epsilon * (2 * torch.rand_like(cases.images) - 1)).clamp(0, 1)
    for number in range(1, STEPS + 1):
        leaf = x.detach().requires_grad_()
        loss = nn.functional.cross_entropy(cases.model(leaf), cases.labels)
        x = leaf.detach() + step * torch.autograd.grad(loss, leaf)[0].sign()
        x = x.clamp(cases.images - epsilon, cases.images + epsilon).clamp(0, 1)
        with torch.no_grad():
            lost = cases.model(x).argmax(1) != cases.labels
        first = torch.where(lost & (first == STEPS), number, first)
    right = first[first > 0]
    return right.float().mean().item(), int((right < STEPS).sum()), len(right)
