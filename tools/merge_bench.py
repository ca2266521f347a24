#!/usr/bin/env python3
"""merge_bench.py OUT PROGRAM...: runs every benchmark program, merges their rows into OUT and prints them as a table.

A benchmark program answers one question a row: it prints one JSON object a line,
{"question": "...", "ours_s": 1.2, "peer": "...", "peer_s": 3.4, "limit_s": 5.0}; peer, peer_s and limit_s may be absent
or null, the ratio ours / peer is computed here. Lines that do not begin with "{" are passed through to the reader.
Exit status 1 if a program fails, prints no row, or a row exceeds its own limit.
"""
import json
import subprocess
import sys

FIELDS = ("question", "ours_s", "peer", "peer_s", "ratio", "limit_s")


def rows_of(text):
    rows = []
    for line in text.splitlines():
        if not line.startswith("{"):
            print(line)
            continue
        given = json.loads(line)
        row = {field: given.get(field) for field in FIELDS}
        if not isinstance(row["question"], str) or not isinstance(row["ours_s"], (int, float)):
            raise ValueError(f"a row needs question and ours_s: {line}")
        row["ratio"] = row["ours_s"] / row["peer_s"] if row["peer_s"] else None
        rows.append(row)
    return rows


def seconds(value):
    return "-" if value is None else f"{value:.3g}"


def main():
    if len(sys.argv) < 3 or "*" in sys.argv[2]:
        print("bench: no benchmark programs", file=sys.stderr)
        return 1
    rows, bad = [], False
    for program in sorted(sys.argv[2:]):
        ran = subprocess.run([program], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        found = rows_of(ran.stdout)
        if ran.returncode != 0 or not found:
            print(f"bench: {program}: exit status {ran.returncode}, {len(found)} rows", file=sys.stderr)
            bad = True
        rows += found
    with open(sys.argv[1], "w", encoding="ascii") as out:
        json.dump(rows, out, indent=1)
        out.write("\n")

    width = max([len(row["question"]) for row in rows] + [8])
    print(f"{'question':{width}}  {'ours s':>9}  {'peer s':>9}  {'ratio':>7}  {'limit s':>8}  peer")
    for row in rows:
        over = row["limit_s"] is not None and row["ours_s"] > row["limit_s"]
        bad = bad or over
        print(f"{row['question']:{width}}  {seconds(row['ours_s']):>9}  {seconds(row['peer_s']):>9}  "
              f"{seconds(row['ratio']):>7}  {seconds(row['limit_s']):>8}  {row['peer'] or '-'}{'  OVER' if over else ''}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
