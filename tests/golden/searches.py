"""Writes what TextAttack's searches do to made-up reports, for a classifier that adds up weights of words.

    venv/bin/pip install --no-deps textattack editdistance lemminflect lru-dict nltk terminaltables word2number \\
        num2words more-itertools Levenshtein langdetect pinyin OpenHowNet language_tool_python anytree
    venv/bin/python tests/golden/searches.py                (beside make.py's environment; a minute)

searches.json holds the classifier (`weights` of words, 0 for others; the logits are (0, sum)), the `candidates` of
words, the words that are `kept`, the `reports`, and for each search the results a report: `broken`, the words
`changed`, the `queries` (every text judged: the clean one, the ranking, the candidates) and the `text` at the end.
The label of a report is its clean answer. A word is what stands between spaces, less the punctuation at its ends;
the reports are of small letters, and no word that may change comes twice in one. Where candidates score alike, as
the typing errors of `deepwordbug` do, the text that comes first in the alphabet is taken. A beam goes on with the
best of a bad lot: where it does not break the label its text means little. The versions used are in `versions`.

Sources: TextFooler's ranking, Jin et al., AAAI 2020, 1907.11932; PWWS, Ren et al., ACL 2019; DeepWordBug, Gao et
al., SPW 2018, 1801.04354; TextAttack, Morris et al., EMNLP 2020, 2005.05909.
"""

import importlib.metadata
import json
import pathlib
import random
import sys
from unittest.mock import MagicMock

import nltk
import torch

nltk.corpus.stopwords = MagicMock(words=lambda language: [])  # a corpus to download; ours is KEPT
for name in ["flair", "flair.data", "flair.models", "flair.embeddings", "jieba", "toml", "bert_score", "datasets"]:
    sys.modules[name] = MagicMock()  # textattack imports these, and the searches here call none of them

from textattack import Attack  # noqa: E402
from textattack.constraints.overlap import LevenshteinEditDistance, MaxWordsPerturbed  # noqa: E402
from textattack.constraints.pre_transformation import RepeatModification, StopwordModification  # noqa: E402
from textattack.goal_function_results import GoalFunctionResultStatus  # noqa: E402
from textattack.goal_functions import UntargetedClassification  # noqa: E402
from textattack.models.wrappers import ModelWrapper  # noqa: E402
from textattack.search_methods import BeamSearch, GreedySearch, GreedyWordSwapWIR  # noqa: E402
from textattack.transformations import (  # noqa: E402
    CompositeTransformation,
    Transformation,
    WordSwap,
    WordSwapNeighboringCharacterSwap,
    WordSwapRandomCharacterDeletion,
    WordSwapRandomCharacterInsertion,
    WordSwapRandomCharacterSubstitution,
)

FOLDER = pathlib.Path(__file__).parent
VERSIONS = {name: importlib.metadata.version(name) for name in ["textattack", "torch", "numpy"]}
REPORTS = 60
KEPT = "no not without the a is are of in and with there at".split()
NOUNS = {
    "effusion": "fluid exudate", "opacity": "density haziness shadow", "nodule": "lesion node spot",
    "edema": "swelling congestion", "pneumothorax": "collapse airleak", "consolidation": "infiltrate airspace",
    "atelectasis": "volumeloss plate", "cardiomegaly": "enlargement bigheart", "fracture": "break crack",
    "granuloma": "calcification scar", "pneumonia": "infection inflammation", "mass": "tumour growth lump",
}
ADJECTIVES = {
    "small": "little tiny minor", "large": "big sizeable", "mild": "slight subtle", "severe": "marked gross",
    "focal": "local patchy", "acute": "new recent", "stable": "unchanged steady", "chronic": "old longstanding",
    "dense": "thick solid", "diffuse": "widespread scattered", "obvious": "plain evident",
    "possible": "likely probable",
}
PLACES = {
    "left": "sinistral leftward", "right": "dextral rightward", "upper": "apical superior", "lower": "basal inferior",
    "hilar": "perihilar central", "lateral": "peripheral outer",
}
PARTS = {"lung": "parenchyma pulmonary", "lobe": "zone field", "base": "bottom foundation", "apex": "top tip"}
ORGANS = {
    "heart": "cardiac myocardium", "mediastinum": "midline centre", "spine": "vertebrae column",
    "diaphragm": "hemidiaphragm dome",
}
STATES = {
    "normal": "unremarkable ordinary", "intact": "whole preserved", "clear": "clean lucid",
    "enlarged": "widened swollen", "tortuous": "winding curved", "elevated": "raised lifted",
}
VERBS = {"seen": "noted visible", "identified": "found detected", "suspected": "considered presumed"}
TABLES = [NOUNS, ADJECTIVES, PLACES, PARTS, ORGANS, STATES, VERBS]


def lexicon(draw):
    """Candidates of each word, and a weight of its own for every word: a candidate's is mostly like its word's."""
    candidates = {word: others.split() for table in TABLES for word, others in table.items()}
    weights, taken = {}, {0.0}

    def give(word, draw_value):
        while (value := round(draw_value(), 3)) in taken:
            pass
        taken.add(value)
        weights[word] = value

    for word, others in candidates.items():
        give(word, lambda: draw.uniform(-1.2, 1.2))
        for other in others:
            give(other, lambda: weights[word] * draw.uniform(0.2, 1.1) + draw.gauss(0, 0.1))
    return candidates, weights


def report(draw):
    """Four or five sentences without a changeable word twice."""
    pick = {id(table): draw.sample(list(table), len(table)) for table in TABLES}
    take = lambda table: pick[id(table)].pop()  # noqa: E731
    sentences = [
        f"there is a {take(ADJECTIVES)} {take(NOUNS)} in the {take(PLACES)} {take(PARTS)}.",
        f"no {take(ADJECTIVES)} {take(NOUNS)}, {take(NOUNS)} and {take(NOUNS)} {take(VERBS)}.",
        f"the {take(ORGANS)} is {take(STATES)}.",
        f"{take(ADJECTIVES)} {take(NOUNS)} is {take(VERBS)} at the {take(PLACES)} {take(PARTS)}.",
        f"the {take(ORGANS)} and the {take(ORGANS)} are {take(STATES)}.",
    ]
    return " ".join(draw.sample(sentences, draw.randint(4, 5)))


class Adds(ModelWrapper):
    """The probabilities of the logits (0, sum of the weights)."""

    def __init__(self, weights):
        self.model, self.weights = self, weights

    def score(self, text):
        return sum(self.weights.get(word.strip(".,"), 0.0) for word in text.split())

    def __call__(self, texts):
        scores = torch.tensor([self.score(text) for text in texts], dtype=torch.float64)
        return torch.stack([torch.zeros_like(scores), scores], 1).softmax(1)


class Falls(UntargetedClassification):
    """Scores by p(label | clean) - p(label | text), as PWWS has it; TextAttack's is 1 - p(label | text)."""

    def _get_score(self, output, text):
        clean = self._call_model([self.initial_attacked_text])[0]
        return clean[self.ground_truth_output] - output[self.ground_truth_output]


class Candidates(WordSwap):
    """A word becomes one of its candidates."""

    def __init__(self, candidates):
        super().__init__()
        self.candidates = candidates

    def _get_replacement_words(self, word):
        return self.candidates.get(word, [])


class Removal(Transformation):
    """A word that is not kept goes."""

    def _get_transformations(self, current_text, indices_to_modify):
        return [current_text.delete_word_at_index(i) for i in indices_to_modify if current_text.words[i] not in KEPT]


def typos():
    """DeepWordBug's four edits at every place, the new letter always x, so that nothing is drawn."""
    one = {"random_one": False, "letters_to_insert": "x"}
    edits = [WordSwapNeighboringCharacterSwap, WordSwapRandomCharacterSubstitution, WordSwapRandomCharacterDeletion,
             WordSwapRandomCharacterInsertion]
    return CompositeTransformation([edit(**one) for edit in edits])


def searches(model, candidates):
    """The attacks by name. Each changes a word once at most; the 3 and the beam three words at most.

    Where weights add up, a ranking by an unknown word is one by deletion, and a beam of one finds what four find.
    """
    once = [RepeatModification(), StopwordModification(KEPT)]
    three = [*once, MaxWordsPerturbed(max_num_words=3)]
    swap, typo = Candidates(candidates), typos()
    goal = lambda kind=UntargetedClassification: kind(model)  # noqa: E731
    return {
        "delete": Attack(goal(), once, swap, GreedyWordSwapWIR("delete")),
        "delete3": Attack(goal(), three, swap, GreedyWordSwapWIR("delete")),
        "pwws": Attack(goal(Falls), once, swap, GreedyWordSwapWIR("weighted-saliency")),
        "pwws_textattack": Attack(goal(), once, swap, GreedyWordSwapWIR("weighted-saliency")),
        "beam4": Attack(goal(), three, swap, BeamSearch(4)),
        "deepwordbug": Attack(goal(), [*once, LevenshteinEditDistance(30)], typo, GreedyWordSwapWIR("unk")),
        "removal": Attack(goal(), [], Removal(), GreedySearch()),
    }


def changed(before, after):
    """Words replaced, or removed where there are fewer."""
    before, after = before.split(), after.split()
    if len(before) != len(after):
        return len(before) - len(after)
    return sum(a != b for a, b in zip(before, after))


def main():
    torch.set_num_threads(1)
    draw = random.Random(11)
    candidates, weights = lexicon(draw)
    model = Adds(weights)
    reports = []
    while len(reports) < REPORTS:
        text = report(draw)
        if 0.3 < abs(model.score(text)) < 5:  # neither at the boundary nor out of reach
            reports.append(text)
    found = {}
    for name, attack in searches(model, candidates).items():
        rows = {"broken": [], "changed": [], "queries": [], "text": []}
        for text in reports:
            result = attack.attack(text, int(model.score(text) > 0)).perturbed_result
            after = result.attacked_text.text
            rows["broken"].append(int(result.goal_status == GoalFunctionResultStatus.SUCCEEDED))
            rows["changed"].append(changed(text, after))
            rows["queries"].append(result.num_queries)
            rows["text"].append(after)
        found[name] = rows
        sums = {key: sum(row) for key, row in rows.items() if key != "text"}
        print(name, sums, flush=True)
    golden = {"versions": VERSIONS, "kept": KEPT, "weights": weights, "candidates": candidates, "reports": reports,
              "searches": found}
    (FOLDER / "searches.json").write_text(json.dumps(golden, indent=0) + "\n")


main()
