"""The rows with reports. The fusion of Mozhegova et al. is done as its users do today, the whole model for every answer; the search
for words by TextAttack, through its own wrapper and through one that pads to the batch."""

import logging
import sys
import time
from unittest.mock import MagicMock

import nltk
import torch
import torchattacks
from images import STRENGTHS
from torch import nn

nltk.corpus.stopwords = MagicMock(words=lambda language: [])  # corpora are downloaded, and none is needed here
nltk.download = lambda *_, **__: True
UNUSED = "flair flair.data flair.models flair.embeddings jieba toml bert_score datasets language_tool_python"
for name in UNUSED.split():
    sys.modules[name] = MagicMock()  # textattack imports these, and the search here calls none of them

from textattack import Attack  # noqa: E402
from textattack.constraints import PreTransformationConstraint  # noqa: E402
from textattack.constraints.pre_transformation import RepeatModification  # noqa: E402
from textattack.goal_functions import UntargetedClassification  # noqa: E402
from textattack.models.wrappers import HuggingFaceModelWrapper  # noqa: E402
from textattack.search_methods import GreedyWordSwapWIR  # noqa: E402
from textattack.transformations import WordSwap  # noqa: E402

logging.getLogger("textattack.shared.utils.install").setLevel(logging.WARNING)


class Beside(nn.Module):
    """A fusion as a model of the image alone, the report held fixed."""

    def __init__(self, model, tokens):
        super().__init__()
        self.model, self.tokens = model, tokens

    def forward(self, images):
        return self.model(images, self.tokens)


def study(cases):
    model, images, labels = cases.model, cases.images, cases.labels

    def answer(images, texts):
        with torch.no_grad():
            return model(images, cases.tokens(texts))

    def whole():
        found, seconds, last = {}, {}, time.perf_counter()
        beside = Beside(model, cases.tokens(cases.texts["clean"])).eval()

        def keep(words, logits):
            nonlocal last
            found[words], now = logits, time.perf_counter()
            seconds[words], last = now - last, now

        keep("clean", answer(images, cases.texts["clean"]))
        for epsilon in STRENGTHS:
            attacked = torchattacks.FGSM(beside, eps=epsilon)(images, labels)
            keep(f"FGSM ε={epsilon}", answer(attacked, cases.texts["clean"]))
        for words, texts in cases.texts.items():
            if words != "clean":
                keep(words, answer(images, texts))
        return found, seconds

    return {"whole model": whole}


class Batched(HuggingFaceModelWrapper):
    """The wrapper, padding to the longest text of a batch."""

    def __call__(self, texts):
        tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            return self.model(**tokens).logits


class Known(PreTransformationConstraint):
    """Only words that have candidates."""

    def __init__(self, candidates):
        self.candidates = candidates

    def _get_modifiable_indices(self, current_text):
        return {place for place, word in enumerate(current_text.words) if word.lower() in self.candidates}

    def check_compatibility(self, transformation):
        return True


class Candidates(WordSwap):
    """A word becomes one of its candidates, in its letter case."""

    def __init__(self, candidates):
        super().__init__()
        self.candidates = candidates

    def _get_replacement_words(self, word):
        others = self.candidates.get(word.lower(), [])
        if len(word) > 1 and word.isupper():
            return [other.upper() for other in others]
        return [other[:1].upper() + other[1:] if word[:1].isupper() else other for other in others]


def words(cases):
    swap, rules = Candidates(cases.synonyms), [RepeatModification(), Known(cases.synonyms)]

    def search(wrapper):
        def run():
            found = {"texts": [], "queries": [], "edits": []}
            for text, label in zip(cases.texts["clean"], cases.labels.tolist()):
                goal = UntargetedClassification(wrapper(cases.model, cases.tokenizer))
                attack = Attack(goal, rules, swap, GreedyWordSwapWIR("delete"))
                result = attack.attack(text, label).perturbed_result
                found["texts"].append(result.attacked_text.text)
                found["queries"].append(result.num_queries)
                found["edits"].append(len(result.attacked_text.attack_attrs.get("modified_indices", ())))
            return {"substituted": found}
        return run

    return {"TextAttack": search(HuggingFaceModelWrapper), "TextAttack, padded to the batch": search(Batched)}
