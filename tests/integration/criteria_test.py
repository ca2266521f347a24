"""Every criterion as a stranger meets it: tables of real trials, and a case whose lesions contradict each other."""
import collections
import csv
import unittest

from program import InScratch, read_json, real_data, run, run_json

COLUMNS = ["case", "timepoint", "day", "visit", "lesion", "role", "organ", "status", "long_axis_mm", "short_axis_mm", "new_lesions"]


def needs(test, *parts):
    with open(real_data(test, *parts), encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rows_in(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Tables(InScratch):
    def write(self, name, rows):
        path = self.path(name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return path

    def test_the_sums_of_628_trial_patients_are_all_assessed_with_their_raw_words(self):
        visits = collections.defaultdict(list)
        for row in needs(self, "sld_trials", "sld.csv"):
            visits[f"{row['study']}-{row['patient']}"].append((int(row["day"]), row["target_long_diam_raw"]))
        rows = []
        for case, seen in visits.items():
            for number, (day, raw) in enumerate(sorted(seen, key=lambda visit: visit[0])):
                rows.append({"case": case, "timepoint": f"v{number}", "day": day, "visit": number, "lesion": "SLD", "role": "target", "organ": "all", "long_axis_mm": raw})
        table = self.write("sld.csv", rows)
        done = run("assess", table, "--assume-no-new-lesions", "--policy", "irecist_for=all-lines", "--response", self.path("response.csv"),
                   "--waterfall", self.path("waterfall.csv"), "--spider", self.path("spider.csv"))
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertIn(f"{len(visits)} cases assessed, 0 refused", done.stdout)
        self.assertEqual(len(visits), 628)

        by_case = collections.defaultdict(dict)
        for row in rows_in(self.path("response.csv")):
            if row["criterion"] == "recist-1.1":
                by_case[row["case"]][row["timepoint"]] = row
        # Each category again from the raw cells, in whole hundredths of a millimetre; what is not evaluable is never a number.
        checked = collections.Counter()
        for case, seen in visits.items():
            sums = [{"TOO SMALL TO MEASURE": 500, "NOT EVALUABLE": None, "": None}.get(raw, raw) for _, raw in sorted(seen, key=lambda visit: visit[0])]
            sums = [round(float(s) * 100) if isinstance(s, str) else s for s in sums]
            if not sums[0]:
                continue  # no sum, or none left, at the baseline
            baseline, nadir, responded, complete = sums[0], sums[0], False, False
            for number, now in enumerate(sums[1:], 1):
                row = by_case[case][f"v{number}"]
                if now is None:
                    expected = "NE"
                elif now == 0:
                    expected = "CR"
                elif complete or (5 * now >= 6 * nadir and now - nadir >= 500):
                    expected = "PD"
                elif 10 * now <= 7 * baseline or responded:
                    expected = "PR"
                else:
                    expected = "SD"
                self.assertEqual(row["category"], expected, f"{case} v{number}: {sums}")
                checked[expected] += 1
                if now is not None:
                    nadir = min(nadir, now)
                    responded = responded or expected in ("PR", "CR")
                    complete = complete or expected == "CR"
        self.assertGreater(min(checked[c] for c in ("CR", "PR", "SD", "PD", "NE")), 10, checked)
        waterfall = [row for row in rows_in(self.path("waterfall.csv")) if row["criterion"] == "recist-1.1"]
        self.assertEqual(len(waterfall), 628)
        changes = [float(row["best_change_pct"]) for row in waterfall if row["best_change_pct"]]
        self.assertGreaterEqual(min(changes), -100)
        self.assertEqual({row["change_from_baseline_pct"] for row in rows_in(self.path("spider.csv")) if row["category"] == "baseline"}, {"0.0"})

    def test_pairs_of_real_lesions_give_each_reader_change(self):
        pairs = needs(self, "dlt_pairs", "pairs.csv")
        rows = []
        for number, pair in enumerate(pairs):
            for day, side in ((0, "a"), (60, "b")):
                rows.append({"case": f"L{number}", "timepoint": side, "day": day, "lesion": "T1", "role": "target", "organ": "unknown", "long_axis_mm": pair[f"long_{side}_mm"],
                             "short_axis_mm": pair[f"short_{side}_mm"], "new_lesions": "none"})
        cases = run_json("assess", self.write("pairs.csv", rows), "--json")["cases"]
        self.assertEqual(len(cases), len(pairs))
        for pair, case in zip(pairs, cases):
            self.assertAlmostEqual(case["recist"][1]["change_from_baseline_pct"], float(pair["change_long_pct"]), delta=0.051)  # printed to one place
            who = next(period for period in case["criteria"] if period["criterion"] == "who")
            ratio = float(pair["long_b_mm"]) * float(pair["short_b_mm"]) / (float(pair["long_a_mm"]) * float(pair["short_a_mm"]))
            self.assertAlmostEqual(who["timepoints"][1]["change_from_baseline_pct"], 100 * (ratio - 1), places=6)


class Conflicts(InScratch):
    def test_two_lesions_in_one_place_are_listed_and_neither_is_measured(self):
        done = run("phantom", self.path("ball"), "--shape", "ball", "--size", "30,30,30", "--grid", "64,64,40", "--spacing", "1,1,2")
        self.assertEqual(done.returncode, 0, done.stderr)
        x, y, z = run_json("series", self.path("ball", "ct"), "--json")["series"][0]["origin_lps_mm"]
        line = [[x + 16.5, y + 31.5, z + 39], [x + 46.5, y + 31.5, z + 39]]
        case = self.path("case.yaml")
        with open(case, "w", encoding="utf-8") as file:
            file.write("case: P-1\ntimepoints:\n  - {id: a, ct: ball/ct, new_lesions: none, reader: R1}\nlesions:\n")
            for lesion in ("T1", "T2"):
                file.write(f"  - id: {lesion}\n    site: liver\n    timepoints:\n      a: {{line: {line}}}\n")
        done = run("run", case, "-o", self.path("out"))
        self.assertEqual(done.returncode, 0, done.stderr)
        result = read_json(self.path("out", "case.json"))
        for lesion in result["timepoints"][0]["lesions"]:
            self.assertEqual(lesion["status"], "not-evaluable")
            self.assertIn("same place", lesion["reason"])
            self.assertIsNone(lesion["long_axis_mm"])
            self.assertIn("same-place", [notice["code"] for notice in lesion["notices"]])
        self.assertEqual([note["what"] for note in result["response"]["identity"]], ["conflict", "conflict"])


if __name__ == "__main__":
    unittest.main()
