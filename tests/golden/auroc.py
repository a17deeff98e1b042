"""Writes what scikit-learn says of the areas under the ROC curves of made-up findings, ties and missing labels included.

    venv/bin/pip install scikit-learn
    venv/bin/python tests/golden/auroc.py

auroc.json holds for each finding the `labels` (1, 0, or null where it is not known), the `scores`, and the `area` of
`sklearn.metrics.roc_auc_score` over the cases whose label is known; and the `mean` of the areas (scikit-learn's
`average="macro"`, which knows no missing label).
"""

import json
import pathlib
import random

import sklearn
from sklearn.metrics import roc_auc_score

CASES = 120
chance = random.Random(20)
findings = []
for place in range(14):
    share, lift = chance.uniform(0.05, 0.6), chance.uniform(0.0, 2.5)
    labels = [1 if chance.random() < share else 0 for _ in range(CASES)]
    labels[:2] = [0, 1]  # both classes, whatever is left out below
    # two digits, so that scores tie
    scores = [round(chance.gauss(lift * label, 1.0), 1) for label in labels]
    known = [label if case < 2 or chance.random() > 0.2 else None for case, label in enumerate(labels)]
    kept = [(label, score) for label, score in zip(known, scores) if label is not None]
    area = float(roc_auc_score(*zip(*kept)))
    findings.append({"labels": known, "scores": scores, "area": area})
mean = sum(finding["area"] for finding in findings) / len(findings)
whole = {"scikit-learn": sklearn.__version__, "findings": findings, "mean": mean}
path = pathlib.Path(__file__).parent / "auroc.json"
path.write_text(json.dumps(whole, separators=(",", ":")) + "\n")
