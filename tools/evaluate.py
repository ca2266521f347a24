#!/usr/bin/python3
"""evaluate.py --retromass PROGRAM --judge sts_eval.py --cases DIR [--table docs/FILE.md] [--prompts line,box] [--methods fusion,energy]

Runs the judge for every prompt and method, the bare ellipsoid beside each, and writes tables: Dice median / mean, median |volume
error|, failures, in how many cases each method is better than the ellipsoid on the same prompt; what a line loses that was drawn on
another slice than the best (a part of the craniocaudal extent away from it); and how many of the bad masks (Dice < 0.7) ask for
one more prompt (low-confidence), and how many of the others. The figures of method fusion are of cases its trees have seen;
what it does on cases left out is printed by tools/train_fusion.cpp.
"""
import argparse
import concurrent.futures
import hashlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy as np

PROMPTS = ("click", "random-click", "line", "line2", "line2z", "box", "contour")
OFF = (0.15, 0.3)  # of the craniocaudal extent, towards the farther end
METHODS = ("fusion", "energy")
BASELINE = "ellipsoid"
BAD = 0.7
FLAG = "low-confidence"
ROW = re.compile(r"^(\S+) dice (\S+) volume (\S+) % hd95 (\S+) mm")


def judged(options, folder, prompt, method):
    """Dice, |volume error| and whether it asks for more, by case; a failed case counts as Dice 0, as the judge counts it."""
    out = os.path.join(folder, f"{prompt}-{method}")
    os.makedirs(out)
    # The judge keeps the masks alone; this stands in for the program and keeps what it said of each.
    program = os.path.join(out, "program.sh")
    with open(program, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nexec {shlex.quote(os.path.abspath(options.retromass))} \"$@\" --json > {shlex.quote(out)}/$$.json\n")
    os.chmod(program, 0o700)
    command = [sys.executable, options.judge, "--retromass", program, "--cases", options.cases, "--prompt", prompt,
               "--jitter", str(options.jitter), "--threads", "1", "--out", out, "--extra", f"--method {method}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"evaluate: {' '.join(command)}\n{done.stdout}{done.stderr}")
    dice, volume, flagged, failed = {}, [], set(), 0
    for line in done.stdout.splitlines():
        row = ROW.match(line)
        if row:
            dice[row[1]] = float(row[2])
            volume.append(abs(float(row[3])))
        elif " FAILED " in line:
            dice[line.split()[0]] = 0.0
            failed += 1
    if not dice:
        sys.exit(f"evaluate: no case below {options.cases}")
    for name in os.listdir(out):
        if name.endswith(".json") and os.path.getsize(os.path.join(out, name)):
            with open(os.path.join(out, name), encoding="utf-8") as file:
                said = json.load(file)
            if any(notice["code"] == FLAG for notice in said["notices"]):
                flagged.add(os.path.basename(said["mask"])[:-len(f"_{prompt}.nii.gz")])
    return {"dice": dice, "volume": statistics.median(volume) if volume else float("nan"), "flagged": flagged, "failed": failed}


def off_slice(options, folder, judge, part, method):
    """As judged, from a line on a slice `part` of the extent away from the best one."""
    out = os.path.join(folder, f"off{part}-{method}")
    os.makedirs(out)
    dice, volume, failed = {}, [], 0
    for case in sorted(os.listdir(options.cases)):
        expert = os.path.join(options.cases, case, "gtv.nii.gz")
        if not os.path.exists(expert):
            continue
        mask, affine = judge.load(expert)
        mask = mask > 0
        slices = np.where(mask.any((0, 1)))[0]
        best = float(judge.prompts(mask, affine, "line", 0, np.random.default_rng(0))[1].split(",")[2])
        at = int(round(float((np.linalg.inv(affine) @ [0, 0, best, 1])[2])))  # judge.load gives axial volumes in RAS
        step = int(round(part * len(slices)))
        other = at + step if slices[-1] - at > at - slices[0] else at - step
        only = np.zeros_like(mask)
        only[:, :, other] = mask[:, :, other]
        random = np.random.default_rng(int(hashlib.sha256(f"{case}off{part}".encode()).hexdigest()[:8], 16))
        found = os.path.join(out, case + ".nii.gz")
        command = [options.retromass, "segment", os.path.join(options.cases, case, "ct"), *judge.prompts(only, affine, "line", options.jitter, random), "-o", found,
                   "--threads", "1", "--method", method]
        if subprocess.run(command, capture_output=True).returncode:
            dice[case] = 0.0
            failed += 1
            continue
        dice[case], error, _ = judge.judge(judge.load(found)[0], mask, np.linalg.norm(affine[:3, :3], axis=0))
        volume.append(abs(error))
    return {"dice": dice, "volume": statistics.median(volume) if volume else float("nan"), "flagged": set(), "failed": failed}


def kept(options, name, judge_one):
    """What `judge_one(folder)` finds, from the file of an earlier run of this very program where there is one: all of it takes hours, and may be stopped."""
    file = os.path.join(options.keep, name + ".json")
    if os.path.exists(file):
        with open(file, encoding="utf-8") as found:
            r = json.load(found)
        return {**r, "flagged": set(r["flagged"])}
    with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
        r = judge_one(folder)
    if r["failed"]:
        return r  # a full disk or a killed program would stand there for good
    with open(file + ".partial", "w", encoding="utf-8") as out:
        json.dump({**r, "flagged": sorted(r["flagged"])}, out)
    os.replace(file + ".partial", file)
    return r


def rows_of(options, prompts, methods):
    spec = importlib.util.spec_from_file_location("judge", options.judge)
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    jobs = [(p, m) for p in prompts for m in (*methods, BASELINE)]
    with concurrent.futures.ThreadPoolExecutor(options.processes) as pool:
        waiting = {(p, m): pool.submit(kept, options, f"{p}-{m}", lambda folder, p=p, m=m: judged(options, folder, p, m)) for p, m in jobs}
        if "line" in prompts:
            for part in OFF:
                for method in (methods[0], BASELINE):
                    waiting[(f"line, {100 * part:.0f} % off", method)] = pool.submit(kept, options, f"off{part}-{method}", lambda folder, part=part, method=method: off_slice(options, folder, judge, part, method))
        results = {job: future.result() for job, future in waiting.items()}
    for (prompt, method), r in results.items():
        bare = results[(prompt, BASELINE)]["dice"]
        values = list(r["dice"].values())
        bad = {case for case, d in r["dice"].items() if d < BAD}
        yield {"prompt": prompt, "method": method, "median": statistics.median(values), "mean": statistics.mean(values), "volume": r["volume"], "failed": r["failed"],
               "wins": None if method == BASELINE else sum(d > bare[c] for c, d in r["dice"].items()), "cases": len(values), "bad": len(bad),
               "bad_flagged": len(bad & r["flagged"]), "good_flagged": len(r["flagged"] - bad)}


def text_of(rows):
    lines = ["| prompt | method | Dice median / mean | median abs. volume error | better than the ellipsoid | failed |", "|---|---|---|---|---|---|"]
    for r in rows:
        wins = "-" if r["wins"] is None else f"{r['wins']} of {r['cases']}"
        lines.append(f"| {r['prompt']} | {r['method']} | {r['median']:.3f} / {r['mean']:.3f} | {r['volume']:.1f} % | {wins} | {r['failed']} |")
    lines += ["", "*off*: the line lies on a slice that far, in parts of the craniocaudal extent, from the one where the lesion is longest.", "",
              f"How many masks ask for one more prompt (`{FLAG}`), of the bad ones (Dice < {BAD}) and of the others:", "",
              "| prompt | method | bad, asking | others, asking |", "|---|---|---|---|"]
    for r in rows:
        if r["method"] != BASELINE and " off" not in r["prompt"]:
            lines.append(f"| {r['prompt']} | {r['method']} | {r['bad_flagged']} of {r['bad']} | {r['good_flagged']} of {r['cases'] - r['bad']} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retromass", required=True)
    parser.add_argument("--judge", required=True, help="sts_eval.py")
    parser.add_argument("--cases", required=True, help="folder of cases with ct/ and gtv.nii.gz")
    parser.add_argument("--table", help="file to write the tables to")
    parser.add_argument("--prompts", default=",".join(PROMPTS))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--jitter", type=float, default=1.5, help="mm")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--keep", default="build/evaluation", help="folder of what was judged, for a run that goes on; each program has its own below it")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for path in (options.retromass, options.judge, options.cases):
        if not os.path.exists(path):
            sys.exit(f"evaluate: {path} is not there")
    told = hashlib.sha256(f"{options.jitter} {os.path.abspath(options.cases)}".encode())
    for path in (options.retromass, options.judge, __file__):
        with open(path, "rb") as file:
            told.update(file.read())
    for place, _, files in sorted(os.walk(options.cases)):
        for name in sorted(files):
            status = os.stat(os.path.join(place, name))
            told.update(f"{place} {name} {status.st_size} {status.st_mtime_ns}".encode())
    options.keep = os.path.join(options.keep, told.hexdigest()[:16])
    os.makedirs(options.keep, exist_ok=True)
    options.retromass = shutil.copy(options.retromass, os.path.join(options.keep, "retromass"))  # a build meanwhile changes nothing
    here = os.path.dirname(os.path.abspath(__file__))
    commit = subprocess.run(["git", "-C", here, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip() or "unknown"
    rows = list(rows_of(options, options.prompts.split(","), options.methods.split(",")))
    text = text_of(rows)
    print(json.dumps(rows) if options.json else text)
    if options.table:
        with open(options.table, "w", encoding="ascii") as file:
            file.write(f"# Segmentation judged on the sarcomas\n\n`make eval` wrote this, of commit {commit}. Prompts are drawn from the expert's mask with "
                       f"{options.jitter} mm jitter; method `fusion` has been trained on these cases (figures on cases left out: "
                       "docs/stages/segmentation.md).\n\n" + text)


if __name__ == "__main__":
    main()
