#!/usr/bin/env python3
"""calibrate_intervals.py PHANTOMS.csv|- [SARCOMAS.csv] [--table FILE]: how many spreads an interval must reach, and whether it then holds.

PHANTOMS.csv is what interval_phantoms prints, SARCOMAS.csv what train_fusion --intervals notes of cases its trees have not seen. An
error divided by its spread is a score; an interval reaches from the 2.5th to the 97.5th percentile of the scores (conformal, always
holding the value itself). The sarcomas' short axis has two: prompts that show it (both lines, contour) and those that do not. Coverage is of cases left out: the phantoms in ten parts, the sarcomas one case at a time with all of its
prompts. --table writes measurement/interval_table.cpp; a set whose file is not given (- for the phantoms) stays in it as it is. Standard library only.
"""
import argparse
import csv
import math
import statistics
import sys

QUANTITIES = ("long_axis_mm", "short_axis_mm", "craniocaudal_mm", "volume_ml", "hu_mean")
CLEAR_RIM, CLEAR_CONTRAST = 2.4, 4.7     # as in measurement/uncertainty.h
MISSED = 0.05
LONGEST_MM = 120                         # of a prompt: spreads of giant masses are too small, they stay not validated
SETS = (("phantoms", True, "{} phantoms with a clear rim"), ("sarcomas", False, "{} soft-tissue sarcomas in soft tissue (TCIA STS)"))


def rows_of(file, clear):
    """Rows of the lesions that the program would measure by this set."""
    with open(file, encoding="ascii") as lines:
        rows = list(csv.DictReader(lines))
    kept = []
    for row in rows:
        for key in ("value", "truth", "spread", "rim_step", "separation", "soft_tissue", "length_mm", "slice_mm"):
            row[key] = float(row[key])
        if clear and row["length_mm"] > LONGEST_MM:
            continue
        if (row["rim_step"] >= CLEAR_RIM or row["separation"] >= CLEAR_CONTRAST) != clear or (not clear and row["soft_tissue"] <= 0):
            continue
        error = row["truth"] - row["value"] if row["quantity"] == "hu_mean" else math.log(row["truth"] / row["value"])
        row["score"] = error / row["spread"]
        kept.append(row)
    return kept


def class_of(row, clear):
    """Rows of one class share an interval: the quantity and, of a short axis without a clear rim, whether the prompt shows it."""
    return row["quantity"], clear or row["quantity"] != "short_axis_mm" or row["prompt"].startswith(("line2", "contour"))


def reach_of(scores):
    """The lower and the upper end, in spreads; never above or below the value itself."""
    ordered = sorted(scores)
    count = len(ordered)

    def at(share):  # of n scores and a new one, this share lies below
        return ordered[min(count - 1, max(0, math.ceil(share * (count + 1)) - 1))]

    if at(MISSED / 2) > 0:
        return 0.0, at(1 - MISSED)
    if at(1 - MISSED / 2) < 0:
        return at(MISSED), 0.0
    return ordered[max(0, math.floor(MISSED / 2 * (count + 1)) - 1)], at(1 - MISSED / 2)


def best_reach(scores):
    """The shortest pair that holds 95 of 100 of these very scores: about the least that any reach could be."""
    ordered = sorted(scores)
    held = math.ceil((1 - MISSED) * len(ordered))
    pairs = [(min(0.0, ordered[i]), max(0.0, ordered[i + held - 1])) for i in range(len(ordered) - held + 1)]
    return min(pairs, key=lambda pair: pair[1] - pair[0])


def width_of(row, reach):
    """Of an interval, as part of the value; of a HU in HU."""
    low, high = (end * row["spread"] for end in reach)
    return high - low if row["quantity"] == "hu_mean" else math.exp(high) - math.exp(low)


def judged(rows, part_of, clear):
    """Whether each row lies in the interval that the rows of other parts give, and how wide that is."""
    parts = sorted({part_of(row) for row in rows})
    out = []
    for part in parts:
        here = [r for r in rows if part_of(r) == part]
        for of in sorted({class_of(r, clear) for r in here}):
            reach = reach_of([r["score"] for r in rows if class_of(r, clear) == of and part_of(r) != part])
            for row in (r for r in here if class_of(r, clear) == of):
                out.append((row, reach[0] <= row["score"] <= reach[1], width_of(row, reach)))
    return out


def report(name, rows, part_of, clear):
    result = judged(rows, part_of, clear)
    kinds = sorted({row["prompt"] for row in rows})
    print(f"\n{name}: held by the interval, of cases left out; median width in % of the value (of hu_mean in HU), and of\n"
          "the shortest interval of as many spreads for all that holds 95 % of these very errors: about the least that any reach could be\n")
    print("| quantity | all | width | shortest | " + " | ".join(kinds) + " |")
    print("|---|" + "---|" * (3 + len(kinds)))
    for quantity in QUANTITIES:
        of = [r for r in result if r[0]["quantity"] == quantity]
        width = statistics.median(w for _, _, w in of)
        best = {c: best_reach([r["score"] for r in rows if class_of(r, clear) == c]) for c in {class_of(r, clear) for r, _, _ in of}}
        shortest = statistics.median(width_of(r, best[class_of(r, clear)]) for r, _, _ in of)
        cells = []
        for kind in kinds:
            held = [h for r, h, _ in of if r["prompt"] == kind]
            cells.append(f"{sum(held)} of {len(held)}")
        print(f"| `{quantity}` | {100 * sum(h for _, h, _ in of) / len(of):.1f} % of {len(of)} | " + " | ".join(f"{w if quantity == 'hu_mean' else 100 * w:.1f}" for w in (width, shortest)) + " | " + " | ".join(cells) + " |")
    pooled = [h for r, h, _ in result if r["quantity"] != "hu_mean"]
    print(f"\npooled over the three axes and volume: {100 * sum(pooled) / len(pooled):.1f} % of {len(pooled)}")


def entry(title, clear, rows):
    lengths = [row["length_mm"] for row in rows]
    cases = len({row["case"] for row in rows})

    def ends(quantity, seen):
        return "{{{:.4g}, {:.4g}}}".format(*reach_of([r["score"] for r in rows if class_of(r, clear) == (quantity, seen)]))

    reaches = ", ".join(ends(quantity, True) for quantity in QUANTITIES)
    unseen = ends("short_axis_mm", clear)   # with a clear rim all prompts are one class
    prompts = " ".join(sorted({row["prompt"] for row in rows}))
    return (f'        {{"{title.format(cases)}", {"true" if clear else "false"}, " {prompts} ", {math.floor(min(lengths))}, {math.ceil(max(lengths))}, '
            f'{math.ceil(10 * max(row["slice_mm"] for row in rows)) / 10:.1f},\n         {{{{{reaches}}}}}, {unseen}}},\n')


def kept_entry(table, number):
    """A set as the table has it: two lines."""
    if not table:
        return ""
    with open(table, encoding="ascii") as lines:
        inner = [line for line in lines if line.startswith("        {\"") or line.startswith("         {{")]
    return "".join(inner[2 * number:2 * number + 2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("phantoms")
    parser.add_argument("sarcomas", nargs="?")
    parser.add_argument("--table")
    options = parser.parse_args()
    table = ""
    for number, (name, clear, title) in enumerate(SETS):
        if getattr(options, name) in (None, "-"):
            table += kept_entry(options.table, number)
            continue
        rows = rows_of(getattr(options, name), clear)
        if not rows:
            sys.exit(f"{getattr(options, name)}: no lesion of this set")
        report(name, rows, (lambda row: int(row["case"]) % 10) if clear else (lambda row: row["case"]), clear)
        table += entry(title, clear, rows)
    if options.table:
        with open(options.table, "w", encoding="ascii") as out:
            out.write('// Made by tools/calibrate_intervals.py; change that, not this.\n#include "measurement/uncertainty.h"\n\nnamespace retromass::measurement {\n\n'
                      "std::span<const IntervalSet> interval_sets()\n{\n    static constexpr std::array<IntervalSet, " + str(len(SETS)) + "> sets{{\n" + table +
                      "    }};\n    return sets;\n}\n\n}  // namespace retromass::measurement\n")


if __name__ == "__main__":
    main()
