"""Exports networks with torch.export and writes what PyTorch answers, for tests/golden/graphs.rs.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 torchvision==0.28.0 timm==1.0.31 transformers==4.57.1 \
        open_clip_torch==3.3.0 torchxrayvision==1.5.7
    venv/bin/python tests/golden/graphs.py small            (the committed files in tests/golden/graphs)
    venv/bin/python tests/golden/graphs.py large FOLDER     (networks as published, random weights; then
        MEDCERT_GRAPHS=FOLDER cargo test --release --test golden graphs)

Each network is exported with 2 cases and asked about 3. Weights are random, seeded, and every statistic is away from its
starting value; those of published networks let the answers depend on the image. A network whose package is absent is
skipped by name.
"""

import os
import pathlib
import sys
import traceback

# as medcert does, so that its bits can be compared with PyTorch's: MKL's last bits depend on where a matrix lies otherwise
if pathlib.Path("/proc/cpuinfo").exists() and "avx512f" not in pathlib.Path("/proc/cpuinfo").read_text():
    os.environ.setdefault("MKL_CBWR", "AVX2,STRICT")

import torch
from safetensors.torch import save_file
from torch import nn
from torch.export import Dim

FOLDER = pathlib.Path(__file__).parent / "graphs"


def randomise(model):
    with torch.no_grad():
        for name, tensor in list(model.named_parameters()) + list(model.named_buffers()):
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2.0)
            elif tensor.dtype == torch.float32 and tensor.dim() == 1:
                tensor.normal_(1.0 if name.endswith("weight") else 0.0, 0.2)
    return model.eval()


def enliven(model, inputs):
    """Random weights with which the answers depend on the inputs: a head that starts as zero gets weights, and batch norms
    have about the statistics of these inputs."""
    randomise(model)
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.abs().max() < 1e-3:
                parameter.normal_(0.05, 0.1)
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()
        answers = model(*inputs)
        for norm in norms:
            norm.running_mean += 0.1 * norm.running_var.sqrt() * torch.randn_like(norm.running_mean)
            norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.8, 1.25)
        answers = model.eval()(*inputs)
        # answers of about 1, so that an absolute tolerance means the same for all networks
        heads = [m for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d)) and len(m.weight) == answers.shape[1]]
        if heads and answers.abs().max() > 1:
            heads[-1].weight /= answers.abs().max()
            heads[-1].bias /= answers.abs().max()
            answers = model(*inputs)
    spread = (answers.max(0).values - answers.min(0).values).max()
    assert spread > 1e-3 * answers.abs().max(), f"the answers do not depend on the input: {answers}"
    return model


def films(cases, channels, side):
    """Smooth images with noise."""
    coarse = torch.rand(cases, channels, 8, 8)
    smooth = nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)
    return 0.8 * smooth + 0.2 * torch.rand(cases, channels, side, side)


def save(program, path):
    """Without the paths of this machine's Python files."""
    for module in [m for m in program.graph_module.modules() if hasattr(m, "graph")]:
        for node in module.graph.nodes:
            node.meta.pop("stack_trace", None)
    torch.export.save(program, path)


def write(folder, name, model, inputs, dynamic=None, prepare=lambda model, _: randomise(model)):
    """Exports `model` and writes its answer and the gradient by its first input."""
    model = prepare(model, inputs)
    example = tuple(x[:2].clone() for x in inputs)
    dynamic = dynamic or tuple({0: Dim.DYNAMIC} for _ in inputs)
    program = torch.export.export(model, example, dynamic_shapes=dynamic)
    save(program, folder / f"{name}.pt2")
    leaf = inputs[0].clone()
    if leaf.is_floating_point():
        leaf.requires_grad_()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    output = model(leaf, *inputs[1:])
    golden = {f"input.{place}": x.contiguous() for place, x in enumerate(inputs)}
    golden["output"] = output.detach().contiguous()
    if leaf.is_floating_point():
        nn.functional.log_softmax(output, 1)[:, 0].sum().backward()
        golden["gradient"] = leaf.grad.contiguous()
    save_file(golden, folder / f"{name}.safetensors")
    size = (folder / f"{name}.pt2").stat().st_size
    print(f"{name}: {len(program.graph.nodes)} nodes, {size} bytes", flush=True)


class Squeeze(nn.Module):
    """A convolution, a batch norm, a squeeze-and-excitation gate and a head."""

    def __init__(self, width=4, outputs=2):
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.gate = nn.Sequential(nn.Conv2d(width, 2, 1), nn.SiLU(inplace=True), nn.Conv2d(2, width, 1))
        self.head = nn.Linear(width, outputs)

    def features(self, x):
        x = torch.relu_(self.norm(self.conv(x)))
        return (x * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))).mean((2, 3))

    def forward(self, x):
        return self.head(self.features(x))


class Views(Squeeze):
    """Both views through one trunk."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(8, 2)

    def forward(self, frontal, lateral):
        return self.head(torch.cat([self.features(frontal), self.features(lateral)], 1))


class Words(nn.Module):
    """Attention over embeddings with a mask of infinities, as a BERT has it."""

    def __init__(self, width=8):
        super().__init__()
        self.words = nn.Embedding(64, width)
        self.norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, 3 * width)
        self.head = nn.Linear(width, 2)

    def features(self, ids, mask):
        x = self.norm(self.words(ids))
        q, k, v = self.query(x).chunk(3, dim=-1)
        hidden = torch.zeros(mask.shape, dtype=x.dtype).masked_fill(mask == 0, float("-inf"))
        x = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=hidden[:, None, :].expand(-1, ids.shape[1], -1))
        return nn.functional.gelu(x[:, 0])

    def forward(self, ids, mask):
        return self.head(self.features(ids, mask))


class Both(nn.Module):
    """An image and a text, features concatenated, one log-odds."""

    def __init__(self):
        super().__init__()
        self.image, self.text = Squeeze(), Words()
        self.head = nn.Linear(12, 2)

    def forward(self, image, ids, mask):
        return self.head(torch.cat([self.image.features(image), self.text.features(ids, mask)], 1))


class Findings(Squeeze):
    """One logit."""

    def __init__(self):
        super().__init__(outputs=1)


def texts():
    ids = torch.randint(1, 18, (3, 6))
    mask = torch.ones(3, 6, dtype=torch.int64)
    mask[1, 4:] = 0
    return ids * mask, mask


def small():
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(3)
    images = torch.rand(3, 1, 32, 32)
    ids, mask = texts()
    moving = {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}
    write(FOLDER, "image", Squeeze(), (images,))
    write(FOLDER, "views", Views(), (images, torch.rand(3, 1, 32, 32)))
    write(FOLDER, "text", Words(), (ids, mask), (moving, moving))
    write(FOLDER, "both", Both(), (images, ids, mask), ({0: Dim.DYNAMIC}, moving, moving))
    # what medcert refuses, as PyTorch exports it
    class Noise(Squeeze):
        def forward(self, x):
            return super().forward(x + torch.rand_like(x))

    class Counter(Squeeze):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x):
            self.calls += 1
            return super().forward(x)

    class Branch(Squeeze):
        def forward(self, x):
            y = super().forward(x)
            return torch.cond(y.sum() > 0, lambda y: y * 2, lambda y: y * 3, (y,))

    class Quiet(Squeeze):
        def forward(self, x):
            with torch.no_grad():
                y = self.features(x)
            return self.head(y)

    for name, model, train in [("noise", Noise(), False), ("counter", Counter(), False), ("branch", Branch(), False),
                               ("quiet", Quiet(), False), ("training", Squeeze(), True)]:
        model = randomise(model)
        model.train(train)
        program = torch.export.export(model, (images[:2],), dynamic_shapes=({0: Dim.DYNAMIC},))
        save(program, FOLDER / f"refused-{name}.pt2")
    program = torch.export.export(randomise(Squeeze()), (images[:2],))
    save(program, FOLDER / "refused-fixed.pt2")


def large(folder):
    folder.mkdir(exist_ok=True)
    made = []

    def image(name, make, side=64, channels=3, cases=3):
        made.append((name, lambda: (make(), (films(cases, channels, side),), None)))

    def torchvision(name, side=64):
        def make():
            import torchvision

            return torchvision.models.get_model(name, weights=None, num_classes=2)

        image(f"torchvision-{name}", make, side)

    def timm(name, side=64, **more):
        def make():
            import timm

            return timm.create_model(name, num_classes=2, **more)

        image(f"timm-{name}", make, side)

    for name in ["resnet18", "densenet121", "efficientnet_b0", "mobilenet_v3_small", "vgg11_bn", "regnet_y_400mf",
                 "shufflenet_v2_x0_5", "squeezenet1_1", "mnasnet0_5"]:
        torchvision(name)
    torchvision("convnext_tiny")
    torchvision("swin_t", 224)
    torchvision("vit_b_32", 224)
    for name in ["legacy_seresnet18", "resnet26d", "seresnext26d_32x4d", "efficientnet_lite0", "regnety_002",
                 "convnext_atto", "tf_mobilenetv3_small_075", "hrnet_w18_small", "dla34"]:
        timm(name)
    timm("vit_tiny_patch16_224", 224)
    timm("deit_tiny_patch16_224", 224)
    timm("inception_v3", 128)

    def bert(attention):
        def make():
            from transformers import BertConfig, BertForSequenceClassification

            class Logits(nn.Module):
                def __init__(self):
                    super().__init__()
                    config = BertConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128,
                                        num_labels=2, attn_implementation=attention)
                    self.bert = BertForSequenceClassification(config)

                def forward(self, ids, mask):
                    return self.bert(input_ids=ids, attention_mask=mask).logits

            moving = {0: Dim.DYNAMIC, 1: Dim.DYNAMIC}
            return Logits(), texts(), (moving, moving)

        made.append((f"transformers-bert-{attention}", make))

    bert("eager")
    bert("sdpa")

    def vit():
        from transformers import ViTConfig, ViTForImageClassification

        class Logits(nn.Module):
            def __init__(self):
                super().__init__()
                config = ViTConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128,
                                   image_size=64, num_labels=2)
                self.vit = ViTForImageClassification(config)

            def forward(self, x):
                return self.vit(x).logits

        return Logits()

    image("transformers-vit", vit)

    def clip():
        import open_clip

        class Zero(nn.Module):
            def __init__(self):
                super().__init__()
                self.clip = open_clip.create_model("RN50", pretrained=None)
                self.register_buffer("prompts", nn.functional.normalize(torch.randn(2, 1024), dim=1))

            def forward(self, x):
                return 10 * self.clip.encode_image(x, normalize=True) @ self.prompts.T

        return Zero()

    image("open_clip-rn50", clip, 224, cases=3)

    def xrv():
        import torchxrayvision

        model = torchxrayvision.models.DenseNet(weights=None, num_classes=18, in_channels=1, op_threshs=None, apply_sigmoid=False)
        return model

    image("torchxrayvision-densenet121", xrv, 224, channels=1)
    for name, make in made:
        torch.manual_seed(5)
        try:
            made_of = make()
            model, inputs, dynamic = made_of
            write(folder, name, model, inputs, dynamic, enliven)
        except ImportError as why:
            print(f"{name}: skipped, {why}", flush=True)
        except Exception:
            print(f"{name}: FAILED\n{traceback.format_exc(limit=-2)}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1] == "small":
        small()
    else:
        large(pathlib.Path(sys.argv[2]))
