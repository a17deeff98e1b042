"""Compares medcert's speed with other libraries' on the same weights and cases, in turn: each round medcert does a row's
work once in its process, then every peer in this one. Prints seconds, their ratio, and whether the results agree.

    python3 -m venv venv                                    (what goes into it stands in requirements.txt)
    venv/bin/python tests/peers/run.py                      (every row; some hours on two quiet cores)
    venv/bin/python tests/peers/run.py fgsm pgd --rounds 3 --cases 8
    venv/bin/python tests/peers/run.py study words --few 2  (cases of the rows with full-size models)

A peer's parameters are frozen, which is the best that it can have; `--as-is` leaves them as PyTorch makes them, as most
users do. A ratio is the peer's median seconds over medcert's: above 1 medcert is faster.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

os.environ |= {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "2"}  # read when torch is loaded, and by medcert

import torch  # noqa: E402

import images  # noqa: E402
import texts  # noqa: E402
from networks import Cases  # noqa: E402

ROOT = pathlib.Path(__file__).parent.parent.parent
PEERS = {
    "fgsm": images.fgsm, "pgd": images.pgd, "trained": images.trained, "pt2": images.exported, "apgd": images.apgd,
    "square": images.square,
    "study": texts.study, "study-plain": texts.study, "words": texts.words,
}
LARGE = ["study", "study-plain", "words"]


class Medcert:
    """medcert's process."""

    def __init__(self):
        command = ["cargo", "build", "--profile", "dist", "--bench", "peers", "--message-format=json-render-diagnostics"]
        built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        messages = [json.loads(line) for line in built.stdout.splitlines()]
        program = next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "peers")
        self.folder = pathlib.Path(program).parent.parent.parent / "peers"
        self.process = subprocess.Popen(
            [program, self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("medcert has ended; its message stands above")
        return json.loads(answer)


def timed(action):
    """A peer's results and seconds, in all and, where it tells them, an attack."""
    torch.manual_seed(0)
    start = time.perf_counter()
    found = action()
    seconds = time.perf_counter() - start
    found, each = found if isinstance(found, tuple) else (found, {})
    return found, {"all": seconds, **each}


def margins_of(cases, found):
    """Margins by attack, whatever a peer gives: logits, images or texts."""
    margins = {}
    for words, value in found.items():
        with torch.no_grad():
            if isinstance(value, dict):
                logits = cases.model(**cases.tokens(value["texts"])).logits
            else:
                logits = value if value.dim() == 2 else cases.model(value)
        margins[words] = cases.margins(logits)
    return margins


def agreement(ours, theirs):
    """How alike the answers after each attack are: the same successes, and how far the margins are apart."""
    same = total = 0
    furthest, largest, drops = 0.0, 0.0, [0.0, 0.0]
    for words, margins in theirs.items():
        mine = ours["attacks"][words]["margins"]
        clean = ours["attacks"]["clean"]["margins"]
        same += sum((a > 0) == (b > 0) for a, b in zip(mine, margins))
        total += len(mine)
        furthest = max(furthest, *(abs(a - b) for a, b in zip(mine, margins)))
        largest = max(largest, *map(abs, mine))
        for side, found in enumerate([mine, margins]):
            drops[side] += sum(c - m for c, m in zip(clean, found)) if words != "clean" else 0.0
    told = f"{same} of {total} alike, margins of up to {largest:.2f} within {furthest:.1e}"
    # of falls that rounding makes there is no ratio
    falls = drops[1] > 0.01 * largest
    return told + (f", falls {drops[0] / drops[1]:.3f} of the peer's" if falls else "")


def checked(medcert, row, cases):
    """Which cases the same attacks break where they are strong enough, a peer."""
    ours, told = medcert.ask("check")["attacks"], {}
    for name, action in images.CHECKS[row](cases).items():
        margins = margins_of(cases, timed(action)[0])
        (words,) = margins.keys() - {"clean"}
        mine, theirs = ([margin <= 0 for margin in side] for side in [ours[words]["margins"], margins[words]])
        same = sum(a == b for a, b in zip(mine, theirs))
        told[name] = f"; {words} breaks {sum(mine)}, the peer's {sum(theirs)}, {same} of {len(mine)} alike"
    return told


def asked(ours, found):
    """Questions to the model, where a peer counts its own."""
    value = next(iter(found.values()))
    if not isinstance(value, dict):
        return None
    mine = next(attack["queries"] for words, attack in ours["attacks"].items() if words != "clean")
    return sum(mine), sum(value["queries"])


def compare(medcert, row, arguments):
    """The lines of a row's table."""
    count = arguments.few if row in LARGE else arguments.cases
    medcert.ask(f"prepare {row} {count}")
    cases = Cases(medcert.folder / row, not arguments.as_is)
    if row == "pt2":
        medcert.ask(f"attack-exported {cases.export()}")
    peers = {"medcert": lambda: None} | PEERS[row](cases)
    seconds, results = {name: [] for name in peers}, {}
    for number in range(arguments.rounds + 1):  # the first is to warm up
        for name, action in peers.items():
            if name == "medcert":
                results[name] = medcert.ask("run")
                each = {words: attack["seconds"] for words, attack in results[name]["attacks"].items()}
                spent = {"all": results[name]["seconds"], **each}
            else:
                results[name], spent = timed(action)
            if number > 0:
                seconds[name].append(spent)
        print(f"{row}, round {number} of {arguments.rounds}", file=sys.stderr, flush=True)
    medians = {
        name: {words: statistics.median(spent[words] for spent in runs) for words in runs[0]}
        for name, runs in seconds.items()
    }
    ours, lines = results.pop("medcert"), []
    for name, found in results.items():
        own, theirs = medians["medcert"]["all"], medians[name]["all"]
        told = agreement(ours, margins_of(cases, found))
        lines.append([row, name, count, theirs, own, theirs / own, told])
        if counts := asked(ours, found):
            mine, other = counts[0] / own, counts[1] / theirs
            lines[-1][-1] += f"; {counts[1]} questions, {other:.1f}/s, and {counts[0]}, {mine:.1f}/s"
        for kind, words in parts(medians[name]).items():
            own, theirs = (sum(medians[side][word] for word in words) for side in ["medcert", name])
            lines.append([row, f"{name}: {kind}", count, theirs, own, theirs / own, ""])
    if row in images.CHECKS:
        told = checked(medcert, row, cases)
        for line in lines:
            line[-1] += told[line[1]]
    if row == "trained":
        mean, broken, right = images.steps_to_success(cases)
        lines[0][-1] += f"; {broken} of {right} right cases break, {mean:.2f} of {images.STEPS} steps on average"
    return lines


def parts(spent):
    """Attacks by what they change, where a peer told the seconds of each."""
    words = [word for word in spent if word not in ["all", "clean"]]
    kinds = {"images": [w for w in words if "ε" in w], "reports": [w for w in words if "ε" not in w]}
    return {kind: words for kind, words in kinds.items() if words}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("rows", nargs="*", default=list(PEERS), help="; ".join(PEERS))
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count, after one to warm up")
    parser.add_argument("--cases", type=int, default=32, help="cases of the rows on one image model")
    parser.add_argument("--few", type=int, default=4, help="cases of the rows with full-size models")
    parser.add_argument("--as-is", action="store_true", help="peers keep asking for the weights' gradients")
    arguments = parser.parse_args()
    if unknown := set(arguments.rows) - set(PEERS):
        parser.error(f"no row is called {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    torch.set_num_threads(2)
    medcert, lines = Medcert(), []
    for row in arguments.rows:
        lines += compare(medcert, row, arguments)
    print("| row | peer | cases | peer, s | medcert, s | ratio | results |")
    print("|---|---|---|---|---|---|---|")
    for row, name, count, theirs, own, ratio, told in lines:
        print(f"| {row} | {name} | {count} | {theirs:.3f} | {own:.3f} | {ratio:.2f} | {told} |")


main()
