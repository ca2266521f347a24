#!/usr/bin/python3
"""evaluate_pairs.py --retromass PROGRAM --make-pair PROGRAM --cases DIR [--table docs/FILE.md] [--factors 1.5,3,0.5,0.2] [--modes line,carry] [--every N]

Later scans made from outlined sarcomas (tools/make_pair.cpp: the lesion FACTOR times as large, another posture, noise and slice thickness), run as a case of two time points: with a line
drawn at both, and with one at the first alone (the lesion is carried forward). The true RECIST category is that of the expert's mask, measured before and after. A pair whose true change lies
within 5 points of a threshold is counted apart; of the others every category has to be right, or none is given (NE, or no valid baseline) and it is said why. Beside them what would be right by
saying SD always. --every takes each Nth case only. Exit status 1 where a wrong category was given away from the thresholds.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile

MARGIN = 5             # points from a threshold
MODES = ("line", "carry")
FIGURE = re.compile(r"[0-9][0-9.]*")   # reasons add up without them
SHRINKS, GROWS, GROWS_MM = -30, 20, 5   # RECIST 1.1


def category(before, after):
    change = 100 * (after - before) / before
    if change <= SHRINKS:
        return "PR"
    return "PD" if change >= GROWS and after - before >= GROWS_MM else "SD"


def ran(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"evaluate_pairs: {' '.join(command)}\n{done.stdout}{done.stderr}")


def said(folder, mode, retromass):
    """Category of the later scan, and the long axes as measured."""
    out = os.path.join(folder, "result-" + mode)
    ran([retromass, "run", os.path.join(folder, mode + ".yaml"), "-o", out, "--threads", "1"])
    with open(os.path.join(out, "case.json"), encoding="utf-8") as file:
        case = json.load(file)
    (row,) = [r for r in case["response"]["recist"] if r["timepoint"] == "after"]
    lesions = [t["lesions"][0] for t in case["timepoints"]]
    carried = (lesions[1]["carried"] or {}).get("trust", "")
    return row["overall"]["category"], [(l["long_axis_mm"] or {}).get("value") for l in lesions], lesions[1]["reason"] or row["overall"]["reason"] or lesions[0]["reason"], carried


def pair(options, case, factor):
    with tempfile.TemporaryDirectory() as folder:
        ran([options.make_pair, os.path.join(options.cases, case), factor, folder])
        with open(os.path.join(folder, "truth.json"), encoding="utf-8") as file:
            truth = json.load(file)
        answers = {mode: said(folder, mode, options.retromass) for mode in options.modes.split(",")}
        print(case, factor, json.dumps(truth), json.dumps(answers), file=sys.stderr, flush=True)
        return case, factor, truth, answers


def told(pairs, factors):
    """The tables, and the pairs that got a wrong category."""
    counts = collections.Counter()
    wrong, refused, off = [], collections.Counter(), collections.defaultdict(list)
    whole = [p for p in pairs if not p[2]["cut"]]
    for case, factor, truth, answers in whole:
        before, after = truth["before_mm"], truth["after_mm"]
        change = 100 * (after - before) / before
        clear = min(abs(change - SHRINKS), abs(change - GROWS)) >= MARGIN
        true = category(before, after)
        counts["fake", factor, clear, "right" if true == "SD" else "wrong"] += 1
        for mode, (given, axes, reason, _) in answers.items():
            verdict = "not evaluable" if given in ("NE", "") else "right" if given == true else "wrong"
            counts[mode, factor, clear, verdict] += 1
            if axes[1]:
                off[mode].append(100 * (axes[1] / after - 1))
            if verdict == "not evaluable":
                refused[FIGURE.sub("#", reason.split("cannot be carried from before: ")[-1].split(" (")[0].split(";")[0])] += 1
            if verdict == "wrong" and clear:
                wrong.append(f"{case} x {factor}, {mode}: {given}, truly {true} ({before:.1f} to {after:.1f} mm, {change:+.1f} %); measured {axes[0]} to {axes[1]} mm")
    lines = ["| prompt at the later scan | volume | right | wrong | not evaluable | within 5 points of a threshold: right / wrong / not evaluable |", "|---|---|---|---|---|---|"]
    for mode, words in (("line", "a line"), ("carry", "none: carried"), ("fake", "always SD")):
        for factor in factors:
            far = [counts[mode, factor, True, v] for v in ("right", "wrong", "not evaluable")]
            near = [counts[mode, factor, False, v] for v in ("right", "wrong", "not evaluable")]
            lines.append(f"| {words} | x {factor} | {far[0]} | {far[1]} | {far[2]} | {near[0]} / {near[1]} / {near[2]} |")
    text = "\n".join(lines) + "\n"
    text += f"\n{len(pairs) - len(whole)} of {len(pairs)} later scans end within the grown lesion and have no true size; they are not counted.\n"
    for mode, values in off.items():
        values.sort()
        text += f"\nLong axis of the later scan, {mode}: median {values[len(values) // 2]:+.1f} %, from {values[0]:+.1f} to {values[-1]:+.1f} % off ({len(values)} measured).\n"
    if wrong:
        text += "\nWrong away from a threshold:\n" + "".join(f"- {line}\n" for line in wrong)
    if refused:
        text += "\nNot evaluable, and why:\n" + "".join(f"- {n} x {why}\n" for why, n in refused.most_common())
    return text, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retromass", required=True)
    parser.add_argument("--make-pair", required=True)
    parser.add_argument("--cases", required=True)
    parser.add_argument("--factors", default="1.5,3,0.5,0.2")
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--table")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    cases = sorted(name for name in os.listdir(options.cases) if os.path.exists(os.path.join(options.cases, name, "gtv.nii.gz")))[::options.every]
    factors = options.factors.split(",")
    with concurrent.futures.ThreadPoolExecutor(options.processes) as pool:
        pairs = list(pool.map(lambda job: pair(options, *job), [(c, f) for c in cases for f in factors]))

    text, wrong = told(pairs, factors)
    print(text)
    if options.table:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=os.path.dirname(os.path.abspath(__file__))).stdout.strip()
        with open(options.table, "w", encoding="ascii") as file:
            file.write("# Response on later scans made from sarcomas\n\n`make pairs` wrote this, of commit " + commit + ". Of each outlined sarcoma later scans were made: its volume times a factor, another posture, noise "
                       "and 5 mm slices (tools/make_pair.cpp). The true\ncategory is RECIST 1.1 on the expert's mask before and after; the program sees scans and lines alone.\n\n" + text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
