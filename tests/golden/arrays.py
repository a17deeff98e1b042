"""Writes tests/golden/arrays.npz as NumPy does: a set in MedMNIST's form, 8 × 8 pixels, deflated.

python tests/golden/arrays.py    (numpy 2)

Image i of a part is filled with 20 * i plus its row; labels alternate. `tests/pure/arrays.rs` knows these formulas.
"""

import pathlib

import numpy

arrays = {}
for part, cases in (("train", 8), ("val", 4), ("test", 6)):
    rows = numpy.arange(8, dtype=numpy.uint8)[None, :, None]
    images = numpy.arange(cases, dtype=numpy.uint8)[:, None, None] * 20 + rows + numpy.zeros((1, 1, 8), numpy.uint8)
    arrays[f"{part}_images"] = images
    # the sets have uint8 labels; another type is read too
    kind = numpy.int64 if part == "val" else numpy.uint8
    arrays[f"{part}_labels"] = (numpy.arange(cases) % 2).astype(kind)[:, None]
numpy.savez_compressed(pathlib.Path(__file__).with_suffix(".npz"), **arrays)
