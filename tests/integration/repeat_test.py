#!/usr/bin/python3
"""The same inputs and settings give byte-identical case folders at any thread count and under any file names."""
import csv
import filecmp
import math
import os
import unittest

from compare_test import ball, write_nifti
from program import read_json, run, run_json
from two_balls import TwoBalls

def tree(folder):
    return sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, files in os.walk(folder) for f in files)


class Repeats(TwoBalls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.environ["SOURCE_DATE_EPOCH"] = "1600000000"

    def result(self, name, *extra):
        out = self.path(name)
        done = run("run", self.case_file, "-o", out, *extra)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def assert_same(self, a, b):
        self.assertEqual(tree(a), tree(b))
        differing = [f for f in tree(a) if not filecmp.cmp(os.path.join(a, f), os.path.join(b, f), shallow=False)]
        self.assertEqual(differing, [])

    def test_thread_counts_change_no_byte(self):
        one = self.result("result", "--threads", "1")
        os.rename(one, self.path("one"))  # the command names the folder
        self.assert_same(self.path("one"), self.result("result", "--threads=4"))

    def test_file_names_change_no_number(self):
        first = self.result("named", "--threads", "2")
        folder = self.path("first")
        names = sorted(os.listdir(folder))
        for i, name in enumerate(names):  # reverses the order of the names
            os.rename(os.path.join(folder, name), os.path.join(folder, f"{len(names) - i:04d}.renamed"))
        second = self.result("renamed", "--threads", "2")
        with open(os.path.join(first, "measurements.csv"), encoding="utf-8") as a, open(os.path.join(second, "measurements.csv"), encoding="utf-8") as b:
            self.assertEqual(a.read(), b.read())

    def test_the_smaller_ball_is_a_partial_response_by_its_diameter(self):
        rows = read_json(os.path.join(self.result("category"), "case.json"))["response"]["recist"]
        last = [r for r in rows if r["timepoint"] == "after"][-1]
        self.assertEqual(last["overall"]["category"], "PR")                       # 24 mm of 40 mm: -40 %
        self.assertAlmostEqual(last["change_from_baseline_pct"], -40, delta=5)  # a pixel of 0.8 mm at each end of 24 mm

    def test_a_stated_interval_that_does_not_hold_the_length_is_said(self):
        with open(self.case_file, encoding="utf-8") as file:
            text = file.read()
        with open(self.path("interval.yaml"), "w", encoding="utf-8") as file:
            file.write(text.replace("]]}", "]], interval_mm: [38, 42]}"))  # holds 40 mm, not 24 mm
        out = self.path("interval")
        done = run("run", self.path("interval.yaml"), "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        before, after = (t["lesions"][0] for t in read_json(os.path.join(out, "case.json"))["timepoints"])
        self.assertEqual((before["long_axis_mm"]["low"], before["long_axis_mm"]["high"]), (38, 42))
        self.assertEqual(before["intervals"]["stated"], "long_axis_mm")
        self.assertIsNone(after["intervals"]["stated"])
        self.assertGreater(after["long_axis_mm"]["high"], after["long_axis_mm"]["low"])
        self.assertLess(after["long_axis_mm"]["high"], 38)                      # the program's own, of a ball of 24 mm
        self.assertIn("38.0 to 42.0 mm does not hold", str(after["notices"]))
        self.assertNotIn("does not hold", str(before["notices"]))

    def test_stated_intervals_of_length_and_density_are_both_named_and_one_that_holds_nothing_is_said(self):
        with open(self.case_file, encoding="utf-8") as file:
            head, tail = file.read().split("after: {line", 1)
        flake = "\n  - id: T2\n    site: retroperitoneum\n    timepoints:\n      before: {mask: flake.nii.gz, interval_hu: [0, 100]}\n      after: {status: absent, reader: R1, date: 2020-03-01}\n"
        tail = tail.replace("]]}", "]], interval_hu: [-900, -800]}" + flake.rstrip("\n"))
        affine = run_json("series", self.path("first"), "--json")["series"][0]["affine_lps_mm"]
        write_nifti(self.path("flake.nii.gz"), ball((10, 10, 20), 1.5), affine)  # four voxels, all of them outermost
        with open(self.path("both.yaml"), "w", encoding="utf-8") as file:
            file.write(head.replace("]]}", "]], interval_mm: [38, 42], interval_hu: [-1000, 1000]}") + "after: {line" + tail)
        done = run("run", self.path("both.yaml"), "-o", self.path("both"))
        self.assertEqual(done.returncode, 0, done.stderr)
        before, after = (t["lesions"] for t in read_json(self.path("both", "case.json"))["timepoints"])
        self.assertEqual(before[0]["intervals"]["stated"], "long_axis_mm, hu_core_mean")
        self.assertEqual((before[0]["hu_core"]["mean_low"], before[0]["long_axis_mm"]["low"]), (-1000, 38))
        self.assertIn("-900.0 to -800.0 HU does not hold the measured", str(after[0]["notices"]))
        self.assertNotIn("mean_low", after[0]["hu_core"])
        self.assertIsNone(before[1]["hu_core"])
        self.assertIn("0.0 to 100.0 HU has no mean HU to hold", str(before[1]["notices"]))
        self.assertIsNone(before[1]["intervals"], "a mask from a file has none, and the stated one is not used")

    def test_the_primary_criterion_is_said_to_hold_or_not_by_what_it_takes(self):
        with open(self.case_file, encoding="utf-8") as file:
            text = file.read()

        def said(name, primary, changed=lambda text: text):
            with open(self.path(name + ".yaml"), "w", encoding="utf-8") as file:
                file.write(changed(text) + f"response: {{primary: {primary}}}\n")
            done = run("run", self.path(name + ".yaml"), "-o", self.path(name))
            self.assertEqual(done.returncode, 0, done.stderr)
            written = read_json(self.path(name, "case.json"))
            point = [p for p in written["response"]["criteria"] if p["criterion"] == primary and p["line"] == 1][0]["timepoints"][-1]
            with open(self.path(name, "report.html"), encoding="utf-8") as file:
                self.assertTrue(point["repeats"]["text"][1:].split(".")[0] in file.read(), "the report says it, with a capital where it begins a sentence")
            return written["timepoints"], point["repeats"]

        # A ball of 40 mm and one of 24: the product falls to 0.36, half of it is the limit.
        _, who = said("by-who", "who")
        self.assertTrue(who["text"].startswith("PR by WHO (-"), who["text"])
        self.assertLess(who["change_from_baseline_pct"]["low"], -64)
        self.assertGreater(who["change_from_baseline_pct"]["high"], -64)
        self.assertLess(who["differs"], 0.5)
        comparable = lambda text: text.replace("reader: R1}", "reader: R1, phase: portal-venous}")
        timepoints, choi = said("by-choi", "choi", comparable)
        self.assertIsNone(choi["differs"])
        self.assertIn("no measurement interval is known of the mean HU of T1 at before, the mean HU of T1 at after", choi["text"])
        cores = [t["lesions"][0]["hu_core"]["mean"] for t in timepoints]

        def stated(text):
            first, second = (f"]], interval_hu: [{core - 3}, {core + 3}]}}" for core in cores)
            head, tail = comparable(text).split("after: {line", 1)
            return head.replace("]]}", first) + "after: {line" + tail.replace("]]}", second)

        timepoints, choi = said("by-choi-stated", "choi", stated)
        for lesion, core in zip((t["lesions"][0] for t in timepoints), cores):
            self.assertEqual((lesion["hu_core"]["mean_low"], lesion["hu_core"]["mean_high"]), (core - 3, core + 3))
            self.assertEqual(lesion["intervals"]["stated"], "hu_core_mean")
            self.assertIn("phantoms", lesion["intervals"]["calibrated_on"], "of all others")
        with open(self.path("by-choi-stated", "measurements.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["hu_core_mean_low"], row["intervals_stated"]) for row in rows], [(f"{core - 3:.1f}", "hu_core_mean") for core in cores])
        with open(self.path("by-choi-stated", "report.html"), encoding="utf-8") as file:
            self.assertIn("Stated by the reader: hu_core_mean.", file.read())
        self.assertTrue(choi["text"].startswith("PR by Choi (-"), choi["text"])
        self.assertLess(choi["differs"], 0.1)  # 40 % smaller, where 10 are asked for

    def test_every_interval_holds_the_ball_and_names_its_set_in_json_csv_and_report(self):
        out = self.result("intervals")
        for t, mm in zip(read_json(os.path.join(out, "case.json"))["timepoints"], (40, 24)):
            lesion = t["lesions"][0]
            truth = {"long_axis_mm": mm, "short_axis_mm": mm, "craniocaudal_mm": mm, "volume_ml": math.pi / 6 * mm ** 3 / 1000}
            for quantity, true in truth.items():
                self.assertLess(lesion[quantity]["low"], true, quantity)
                self.assertGreater(lesion[quantity]["high"], true, quantity)
            self.assertTrue(lesion["intervals"]["validated"], lesion["intervals"])
            self.assertIn("phantoms", lesion["intervals"]["calibrated_on"])
            self.assertEqual(set(lesion["intervals"]["within_case_cv"]), set(truth) | {"hu_mean"})
        for name in ("measurements.csv", "report.html"):
            with open(os.path.join(out, name), encoding="utf-8") as file:
                self.assertTrue("phantoms with a clear rim" in file.read(), name)
        with open(os.path.join(out, "report.html"), encoding="utf-8") as file:
            self.assertTrue("Counts segmentation, prompt, slice thickness and acquisition" in file.read())


if __name__ == "__main__":
    unittest.main(verbosity=2)
