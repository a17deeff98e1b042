"""Writes tests/golden/dicom.tsv, which tests/pure/dicom.rs compares with: the stored values of the monochrome DICOM files
of 8 or 16 bits and one frame that the wheels pydicom and pydicom-data ship, as pydicom reads them, and how the formulas of
DICOM PS3.3 C.11 show them.

    python3 -m venv venv
    venv/bin/pip install numpy pydicom==3.0.2 pydicom-data==1.0.0 pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg pylibjpeg-rle
    venv/bin/python tests/golden/dicom.py

A line is: the file's path below site-packages, rows, columns, the first 16 letters of the SHA-256 of the values as
little-endian words of 32 bits, and how nine pixels are shown in [0, 1]; `-` where pydicom cannot decode the file or the
file's rules for showing it are none that medcert knows. In place of the digest of a lossy JPEG 2000 stream, whose decoders
round differently, are 65 of its values.
"""

import hashlib
import pathlib
import warnings

import numpy as np
import pydicom

warnings.simplefilter("ignore")
FOLDER = pathlib.Path(__file__).parent
PACKAGES = pathlib.Path(pydicom.__file__).parent.parent
PLACES = 9


def first(value):
    return float(value[0]) if isinstance(value, pydicom.multival.MultiValue) else float(value)


def shown(data, values):
    """C.11.1 and C.11.2, by numpy alone."""
    if data.get("ModalityLUTSequence"):
        return None
    x = values.astype(float) * float(data.get("RescaleSlope", 1)) + float(data.get("RescaleIntercept", 0))
    table = data.get("VOILUTSequence")
    if table:
        count, start, bits = (int(word) for word in table[0].LUTDescriptor)
        if data.PixelRepresentation == 1 and start > 32767:
            start -= 65536
        entries = table[0].LUTData
        entries = np.frombuffer(entries, "<u2") if isinstance(entries, bytes) else np.asarray(entries)
        y = entries[np.clip(np.round(x - start), 0, (count or 65536) - 1).astype(int)] / (2**bits - 1)
    elif data.get("WindowCenter") is not None and data.get("WindowWidth") is not None:
        c, w = first(data.WindowCenter), first(data.WindowWidth)
        kind = data.get("VOILUTFunction", "LINEAR")
        if kind == "SIGMOID":
            y = 1 / (1 + np.exp(-4 * (x - c) / w))
        elif kind == "LINEAR_EXACT":
            y = (x - c) / w + 0.5
        else:
            y = (x - (c - 0.5)) / (w - 1) + 0.5
    else:
        known = x
        if data.get("PixelPaddingValue") is not None:
            padding = int(data.PixelPaddingValue)
            known = x[values != padding]
        y = (x - known.min()) / (known.max() - known.min())
    y = np.clip(y, 0, 1)
    if data.PhotometricInterpretation == "MONOCHROME1" or data.get("PresentationLUTShape") == "INVERSE":
        y = 1 - y
    return y


def line(path):
    try:
        data = pydicom.dcmread(path)
        is_gray = data.PhotometricInterpretation in ("MONOCHROME1", "MONOCHROME2")
    except Exception:
        return None
    if not is_gray or data.BitsAllocated not in (8, 16) or int(data.get("NumberOfFrames") or 1) > 1:
        return None
    name = path.relative_to(PACKAGES).as_posix()
    try:
        values = data.pixel_array.astype("<i4")
    except Exception:
        return f"{name}\t{data.Rows}\t{data.Columns}\t-\t-"
    digest = hashlib.sha256(values.tobytes()).hexdigest()[:16]
    if data.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.91":
        digest = " ".join(str(value) for value in values.ravel()[np.linspace(0, values.size - 1, 65).astype(int)])
    y = shown(data, values)
    places = np.linspace(0, values.size - 1, PLACES).astype(int)
    written = "-" if y is None else " ".join(f"{value:.5f}" for value in y.ravel()[places])
    return f"{name}\t{data.Rows}\t{data.Columns}\t{digest}\t{written}"


files = sorted(path for path in PACKAGES.rglob("*.dcm") if "pydicom" in str(path) or "data_store" in str(path))
lines = [text for text in map(line, files) if text]
(FOLDER / "dicom.tsv").write_text("".join(text + "\n" for text in lines))
print(len(files), "files,", len(lines), "of them monochrome")
