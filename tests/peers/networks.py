"""The networks of the comparison in PyTorch, with the weights and cases that medcert has written."""

import json
import pathlib
import sys

import timm
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "golden"))
from make import SmallSeResnet  # noqa: E402

MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)


class Early(nn.Module):
    """The early fusion of Mozhegova et al.: SENet-154 over every view, BERT's pooled state, one linear layer over both."""

    def __init__(self, config, views):
        super().__init__()
        self.vision = timm.create_model("legacy_senet154", num_classes=0)
        self.language = nn.Module()
        self.language.bert = BertModel(config)
        self.fusion = nn.Linear(self.vision.num_features * views + config.hidden_size, 2)

    def forward(self, images, tokens):
        cases, views, side, _ = images.shape
        gray = images.reshape(cases * views, 1, side, side)
        seen = self.vision((gray - MEAN) / DEVIATION).reshape(cases, -1)
        return self.fusion(torch.cat([seen, self.language.bert(**tokens).pooler_output], 1))


class Cases:
    """What medcert has written for a row: the model with its weights, and the cases."""

    def __init__(self, folder, frozen):
        tensors = load_file(folder / "cases.safetensors")
        told = json.loads((folder / "cases.json").read_text())
        weights = load_file(told["weights"])
        self.exported = folder / "model.pt2"
        self.images, self.labels = tensors.get("images"), tensors["labels"].long()
        self.texts, self.synonyms = told["texts"], told.get("synonyms")
        if "vocabulary" in told:
            path = folder / "vocab.txt"
            path.write_text("\n".join(told["vocabulary"]) + "\n")
            self.tokenizer = BertTokenizerFast(str(path), do_lower_case=True, model_max_length=512)
            config = BertConfig(vocab_size=len(told["vocabulary"]), num_labels=2)
        if "vocabulary" not in told:
            self.model = SmallSeResnet(weights["layer0.conv1.weight"].shape[0], self.images.shape[1])
        elif self.images is None:
            self.model = BertForSequenceClassification(config)
        else:
            self.model = Early(config, self.images.shape[1])
        missing, extra = self.model.load_state_dict(weights, strict=False)
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        assert not missing and not extra, (missing, extra)
        self.model.eval().requires_grad_(not frozen)

    def export(self):
        """Writes the model with torch.export, for any number of cases, and returns the file's path."""
        dynamic = ({0: torch.export.Dim.DYNAMIC},)
        torch.export.save(torch.export.export(self.model, (self.images[:2],), dynamic_shapes=dynamic), self.exported)
        return self.exported

    def tokens(self, texts):
        """Ids and masks, padded to the longest of the texts."""
        return dict(self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt"))

    def margins(self, logits):
        """Logit of the true class less the other's, a case."""
        own = logits.gather(1, self.labels[:, None])[:, 0]
        return (2 * own - logits.sum(1)).tolist()
