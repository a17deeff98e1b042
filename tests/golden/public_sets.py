"""Writes tests/golden/public_sets.tsv, which tests/pure/public_sets.rs compares with: how many cases of each finding
torchxrayvision's own dataset classes find present and absent in the tables that its wheel ships.

    python3 -m venv venv && venv/bin/pip install numpy pandas && venv/bin/pip install --no-deps torchxrayvision==1.5.7
    venv/bin/python tests/golden/public_sets.py

The classes read their labels with numpy and pandas alone; what they import to open images is replaced by empty modules.
"""

import pathlib
import sys
import types
import warnings
from unittest import mock

import numpy as np

warnings.simplefilter("ignore")
for name in ["imageio", "imageio.v2", "torch", "torchvision", "skimage", "skimage.transform", "skimage.io"]:
    sys.modules[name] = mock.MagicMock(spec=types.ModuleType(name), __path__=[])
sys.modules["torchvision"].transforms = mock.MagicMock()
sys.modules["skimage.io"].imread = None
package = pathlib.Path(next(path for path in sys.path if (pathlib.Path(path) / "torchxrayvision").is_dir())) / "torchxrayvision"
fake = types.ModuleType("torchxrayvision")
fake.__path__ = [str(package)]
sys.modules["torchxrayvision"] = fake
from torchxrayvision import datasets  # noqa: E402

datasets.Dataset.check_paths_exist = lambda self: None
everything = {"imgpath": ".", "unique_patients": False}
SETS = {
    "nih": lambda: datasets.NIH_Dataset(views=["*"], **everything),
    "chexpert": lambda: datasets.CheX_Dataset(views=["PA", "AP"], **everything),
    "padchest": lambda: datasets.PC_Dataset(views=["PA", "AP"], **everything),
    "vinbig": lambda: datasets.VinDr_Dataset(imgpath=".", views=["*"]),
    "rsna": lambda: datasets.RSNA_Pneumonia_Dataset(imgpath=".", views=["*"]),
}
lines = []
for name, make in SETS.items():
    found = make()
    for place, finding in enumerate(found.pathologies):
        labels = found.labels[:, place]
        lines.append(f"{name}\t{finding}\t{len(labels)}\t{int(np.sum(labels == 1))}\t{int(np.sum(labels == 0))}\n")
(pathlib.Path(__file__).parent / "public_sets.tsv").write_text("".join(lines))
print("".join(lines))
