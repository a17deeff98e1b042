"""Exports networks to ONNX and writes what onnxruntime and PyTorch answer, for tests/golden/onnx.rs.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 onnx==1.20.1 onnxruntime==1.32.0 onnxscript safetensors \
        torchvision==0.28.0 timm==1.0.31 transformers==4.57.1 open_clip_torch==3.3.0 torchxrayvision==1.5.7
    venv/bin/python tests/golden/onnx.py small            (the committed files in tests/golden/onnx)
    venv/bin/python tests/golden/onnx.py large FOLDER     (networks as published, random weights; then
        MEDCERT_ONNX_GRAPHS=FOLDER cargo test --release --test golden onnx -- --nocapture)

The networks are those of tests/golden/graphs.py. Each is exported with 2 cases and asked about 3, by the exporter that its
name states: `new` (torch.export) or `old` (tracing).
"""

import importlib.util
import pathlib
import sys
import traceback

# this file has the name of the package that it needs
sys.path = [place for place in sys.path if pathlib.Path(place or ".").resolve() != pathlib.Path(__file__).resolve().parent]

import onnx
import onnxruntime
import torch
from safetensors.torch import save_file
from torch import nn

about = importlib.util.spec_from_file_location("graphs", pathlib.Path(__file__).with_name("graphs.py"))
graphs = importlib.util.module_from_spec(about)
about.loader.exec_module(graphs)

FOLDER = pathlib.Path(__file__).parent / "onnx"


def export(path, model, example, dynamic, new, opset=None, external=False):
    names = [f"input_{place}" for place in range(len(example))]
    if new:
        torch.onnx.export(model, example, str(path), input_names=names, dynamo=True, dynamic_shapes=dynamic,
                          opset_version=opset, external_data=external, verbose=False)
    else:
        axes = {name: {axis: f"{name}_{axis}" for axis in moving} for name, moving in zip(names, dynamic)}
        torch.onnx.export(model, example, str(path), input_names=names, dynamo=False, dynamic_axes=axes,
                          opset_version=opset or 17)
    # without the paths of this machine's Python files
    loaded = onnx.load(str(path), load_external_data=False)
    for node in loaded.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for proto in list(loaded.graph.initializer):
        del proto.metadata_props[:]
    for value in list(loaded.graph.value_info) + list(loaded.graph.input) + list(loaded.graph.output):
        del value.metadata_props[:]
    del loaded.metadata_props[:], loaded.graph.metadata_props[:]
    onnx.save(loaded, str(path))


def gradient(model, inputs):
    """The gradient by the first input."""
    leaf = inputs[0].clone().requires_grad_()
    nn.functional.log_softmax(model(leaf, *inputs[1:]), 1)[:, 0].sum().backward()
    return leaf.grad


def noise(model, inputs, wanted):
    """How far PyTorch's own gradient moves where pixels change by about their rounding: at the kinks of a network, such as
    ReLU's, gradients jump, and exporters round the weights into which they fold a batch norm."""
    moved = [gradient(model, (x * (1 + 1e-6 * torch.randn_like(x)), *inputs[1:])) for x in [inputs[0]] * 8]
    return torch.stack([(g - wanted).abs().max() for g in moved]).max().reshape(1)


def write(folder, name, model, inputs, dynamic=None, new=True, prepare=lambda model, _: graphs.randomise(model), **more):
    """Exports `model` and writes the answers and the gradient by the first input."""
    model = prepare(model, inputs)
    example = tuple(x[:2].clone() for x in inputs)
    dynamic = dynamic or tuple({0: torch.export.Dim.DYNAMIC} for _ in inputs)
    path = folder / f"{name}.onnx"
    export(path, model, example, dynamic, new, **more)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    output = model(*inputs)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {info.name: x.numpy() for info, x in zip(session.get_inputs(), inputs)}
    golden = {f"input.{place}": x.contiguous() for place, x in enumerate(inputs)}
    golden["onnxruntime"] = torch.from_numpy(session.run(None, given)[0]).contiguous()
    golden["output"] = output.detach().contiguous()
    if inputs[0].is_floating_point():
        golden["gradient"] = gradient(model, inputs).contiguous()
        golden["noise"] = noise(model, inputs, golden["gradient"])
    save_file(golden, folder / f"{name}.safetensors")
    kinds = {node.op_type for node in onnx.load(str(path), load_external_data=False).graph.node}
    print(f"{name}: {path.stat().st_size} bytes, {' '.join(sorted(kinds))}", flush=True)


class Shapes(graphs.Squeeze):
    """Arithmetic on the number of cases, as old exports have it, and a pooling with uneven edges."""

    def forward(self, x):
        x = torch.relu(self.norm(self.conv(x)))
        x = nn.functional.avg_pool2d(x, 3, 2, ceil_mode=True, count_include_pad=False)
        cases = x.shape[0]
        x = x.view(cases, x.shape[1], -1).permute(0, 2, 1)
        x = x + torch.zeros(cases, 1, 1).expand(cases, x.shape[1], 1)
        return self.head(x.reshape(cases * x.shape[1], -1).view(cases, -1, x.shape[2]).mean(1))


class Heads(graphs.Words):
    """Attention with a dimension for heads, which the exporters need."""

    def features(self, ids, mask):
        x = self.norm(self.words(ids))
        q, k, v = (part[:, None] for part in self.query(x).chunk(3, dim=-1))
        hidden = torch.zeros(mask.shape, dtype=x.dtype).masked_fill(mask == 0, float("-inf"))
        hidden = hidden[:, None, None, :].expand(-1, 1, ids.shape[1], -1)
        x = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=hidden)[:, 0]
        return nn.functional.gelu(x[:, 0])


class Both(graphs.Both):
    def __init__(self):
        super().__init__()
        self.text = Heads()


def small():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(3)
    images = torch.rand(3, 1, 32, 32)
    ids, mask = graphs.texts()
    moving = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    write(FOLDER, "image-new", graphs.Squeeze(), (images,))
    write(FOLDER, "image-old", graphs.Squeeze(), (images,), new=False, opset=11)
    write(FOLDER, "image-beside", graphs.Squeeze(16), (images,), external=True)
    write(FOLDER, "shapes-old", Shapes(), (images,), new=False)
    write(FOLDER, "views-new", graphs.Views(), (images, torch.rand(3, 1, 32, 32)))
    write(FOLDER, "text-new", Heads(), (ids, mask), (moving, moving))
    write(FOLDER, "text-old", Heads(), (ids, mask), (moving, moving), new=False)
    write(FOLDER, "both-new", Both(), (images, ids, mask), ({0: torch.export.Dim.DYNAMIC}, moving, moving))


def large(folder):
    def both(into, name, model, inputs, dynamic, prepare):
        model = prepare(model, inputs)
        for how in (True, False):
            try:
                write(into, f"{name}-{'new' if how else 'old'}", model, inputs, dynamic, how, lambda model, _: model)
            except Exception:
                print(f"{name}: FAILED\n{traceback.format_exc(limit=-1)}", flush=True)

    graphs.write = both
    graphs.large(folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "small":
        small()
    else:
        large(pathlib.Path(sys.argv[2]))
