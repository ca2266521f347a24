#!/usr/bin/python3
"""evaluate.py --retromass PROGRAM --judge sts_eval.py --cases DIR [--table docs/FILE.md] [--prompts line,box] [--methods fusion,energy]

Runs the judge for every prompt and method, the bare ellipsoid beside each, and writes a table: Dice median / mean, median |volume
error|, failures, and in how many cases each method is better than the ellipsoid on the same prompt. Two at a time. The figures
of method fusion are of cases its trees have seen; what it does on cases left out is printed by tools/train_fusion.cpp.
"""
import argparse
import concurrent.futures
import json
import os
import re
import statistics
import subprocess
import sys

PROMPTS = ("click", "random-click", "line", "line2", "line2z", "box", "contour")
METHODS = ("fusion", "energy")
BASELINE = "ellipsoid"
ROW = re.compile(r"^(\S+) dice (\S+) volume (\S+) % hd95 (\S+) mm")


def judged(options, prompt, method):
    """Dice and |volume error| by case; a failed case counts as Dice 0, as the judge counts it."""
    command = [sys.executable, options.judge, "--retromass", options.retromass, "--cases", options.cases, "--prompt", prompt,
               "--jitter", str(options.jitter), "--threads", "1", "--extra", f"--method {method}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"evaluate: {' '.join(command)}\n{done.stdout}{done.stderr}")
    dice, volume, failed = {}, [], 0
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
    return {"dice": dice, "volume": statistics.median(volume) if volume else float("nan"), "failed": failed}


def rows_of(options, prompts, methods):
    jobs = [(p, m) for p in prompts for m in (*methods, BASELINE)]
    with concurrent.futures.ThreadPoolExecutor(options.processes) as pool:
        results = dict(zip(jobs, pool.map(lambda job: judged(options, *job), jobs)))
    for prompt in prompts:
        bare = results[(prompt, BASELINE)]["dice"]
        for method in (*methods, BASELINE):
            r = results[(prompt, method)]
            values = list(r["dice"].values())
            yield {"prompt": prompt, "method": method, "median": statistics.median(values), "mean": statistics.mean(values), "volume": r["volume"],
                   "failed": r["failed"], "wins": None if method == BASELINE else sum(d > bare[c] for c, d in r["dice"].items()), "cases": len(values)}


def text_of(rows):
    lines = ["| prompt | method | Dice median / mean | median abs. volume error | better than the ellipsoid | failed |", "|---|---|---|---|---|---|"]
    for r in rows:
        wins = "-" if r["wins"] is None else f"{r['wins']} of {r['cases']}"
        lines.append(f"| {r['prompt']} | {r['method']} | {r['median']:.3f} / {r['mean']:.3f} | {r['volume']:.1f} % | {wins} | {r['failed']} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retromass", required=True)
    parser.add_argument("--judge", required=True, help="sts_eval.py")
    parser.add_argument("--cases", required=True, help="folder of cases with ct/ and gtv.nii.gz")
    parser.add_argument("--table", help="file to write the table to")
    parser.add_argument("--prompts", default=",".join(PROMPTS))
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--jitter", type=float, default=1.5, help="mm")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    for path in (options.retromass, options.judge, options.cases):
        if not os.path.exists(path):
            sys.exit(f"evaluate: {path} is not there")
    rows = list(rows_of(options, options.prompts.split(","), options.methods.split(",")))
    text = text_of(rows)
    print(json.dumps(rows) if options.json else text)
    if options.table:
        with open(options.table, "w", encoding="ascii") as file:
            file.write("# Segmentation judged on the sarcomas\n\n`make eval` wrote this. Prompts are drawn from the expert's mask with "
                       f"{options.jitter} mm jitter; method `fusion` has been trained on these cases (figures on cases left out: "
                       "docs/stages/segmentation.md).\n\n" + text)


if __name__ == "__main__":
    main()
