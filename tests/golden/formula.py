"""Weights by a formula, for the scripts here that make golden values."""

import math

import numpy as np
import torch


def fill(model):
    """Weights by a formula that tests/support/weight_formula.rs repeats, so that a full-size network needs no file."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.dtype != torch.float32:
                continue
            key = 2166136261
            for byte in name.encode():
                key = (key ^ byte) * 16777619 % 2**32
            mixed = (np.arange(tensor.numel(), dtype=np.uint64) * 2654435761 + key) % 2**32
            mixed = (mixed ^ (mixed >> 15)) * 2246822519 % 2**32
            value = (mixed.astype(np.float64) / 2**32 - 0.5).astype(np.float32)
            if tensor.dim() > 1:
                value *= np.float32(math.sqrt(24 / (tensor.numel() // tensor.shape[0])))
            elif name.endswith("running_var"):
                value = np.float32(1) + np.float32(0.4) * value
            elif name.endswith("weight"):  # small, or fifty blocks amplify the rounding of the first
                value = np.float32(0.4) + np.float32(0.2) * value
            else:
                value *= np.float32(0.4)
            tensor.copy_(torch.from_numpy(value).reshape(tensor.shape))
    return model.eval()
