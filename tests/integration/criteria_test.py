"""Every criterion as a stranger meets it: tables of real trials, and a case whose lesions contradict each other."""
import collections
import csv
import re
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

    def test_a_split_a_merger_and_a_return_are_suggested_until_the_case_file_says_so(self):
        done = run("phantom", self.path("fat"), "--shape", "ball", "--size", "30,30,30", "--grid", "64,64,40", "--spacing", "1,1,2")
        self.assertEqual(done.returncode, 0, done.stderr)
        origin = run_json("series", self.path("fat", "ct"), "--json")["series"][0]["origin_lps_mm"]
        for name, boxes in {"T1-a": [(5, 5, 5, 20)], "T2-a": [(40, 5, 5, 12)], "T3": [(5, 40, 5, 10)], "T1-b": [(5, 5, 5, 16), (5, 40, 20, 12)], "T2-b": [(21, 5, 5, 12)],
                            "T1b": [(5, 40, 20, 12)], "T1a": [(5, 5, 5, 28)]}.items():
            write_boxes(self.path(name + ".nrrd"), origin, boxes)
        lesions = """lesions:
  - {id: T1, site: liver, timepoints: {a: {mask: T1-a.nrrd}, b: %s}}
  - {id: T2, site: liver, timepoints: {a: {mask: T2-a.nrrd}, b: %s}}
  - {id: T3, site: lung, timepoints: {a: {mask: T3.nrrd}, b: {status: absent, reader: R1, date: 2020-02-01}, c: {mask: T3.nrrd}}}
"""
        before = self.judged("open", lesions % ("{mask: T1-b.nrrd}", "{mask: T2-b.nrrd}"))
        self.assertEqual([(note["timepoint"], note["lesion"], note["what"], note["suggested"]) for note in before["response"]["identity"]],
                         [("b", "T1", "split", True), ("b", "T2", "merged", True), ("b", "T3", "vanished", False), ("c", "T3", "reappeared", False)])
        asked = [notice["text"] for notice in before["response"]["notices"] if notice["code"] == "identity-suggested"]
        self.assertEqual(len(asked), 3)
        self.assertIn("2 separate parts of 0.5 ml or more here (8.19, 3.46 ml)", asked[0])  # 16 x 16 x 16 and 12 x 12 x 12 voxels of 2 mm3
        self.assertIn("(144 voxel faces in common)", asked[1])                              # 12 x 12
        with open(self.path("open", "report.html"), encoding="utf-8") as file:
            self.assertEqual(file.read().count("identity-suggested</span>: "), 3)
        for note in before["response"]["identity"]:
            self.assertIn(note["text"], " ".join(self.said.split()))  # of the terminal, which breaks lines
        split, merged = (re.search('"b: (.*)"', text).group(1) for text in asked[:2])
        after = self.judged("said", lesions % (split, merged) + "  - {id: T1a, site: liver, timepoints: {b: {mask: T1a.nrrd}}}\n  - {id: T1b, site: liver, timepoints: {b: {mask: T1b.nrrd}}}\n")
        self.assertEqual([(note["lesion"], note["what"], note["suggested"]) for note in after["response"]["identity"]],
                         [("T1", "split", False), ("T2", "merged", False), ("T3", "vanished", False), ("T3", "reappeared", False)])

    def judged(self, name, lesions):
        case = self.path(name + ".yaml")
        with open(case, "w", encoding="utf-8") as file:
            file.write("case: P-1\ncarry_forward: false\ntimepoints:\n")
            for month, timepoint in enumerate("abc", 1):
                file.write(f"  - {{id: {timepoint}, ct: fat/ct, date: 2020-0{month}-01, new_lesions: none, reader: R1}}\n")
            file.write(lesions)
        done = run("run", case, "-o", self.path(name))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.said = done.stdout
        return read_json(self.path(name, "case.json"))


def write_boxes(path, origin, boxes):
    """A mask on the ball's grid in NRRD: boxes by their lowest voxel and their edge in voxels."""
    voxels = bytearray(64 * 64 * 40)
    for column, row, slice_, edge in boxes:
        for k in range(slice_, min(slice_ + edge, 39)):
            for r in range(row, row + edge):
                start = (k * 64 + r) * 64 + column
                voxels[start:start + edge] = b"\1" * edge
    space = ",".join(str(v) for v in origin)
    head = f"NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 64 64 40\nspace directions: (1,0,0) (0,1,0) (0,0,2)\nspace origin: ({space})\nencoding: raw\n\n"
    with open(path, "wb") as file:
        file.write(head.encode("ascii") + voxels)


if __name__ == "__main__":
    unittest.main()
