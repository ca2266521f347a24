#!/usr/bin/python3
"""Bad input gets a clear sentence, the right exit code, and leaves nothing behind."""
import json
import os
import unittest

from one_ball import OneBall
from program import run, run_json

CASE = """
case: P-1
timepoints:
  - {{id: a, ct: ball/ct, new_lesions: none, reader: R1}}
lesions:
  - id: T1
    timepoints:
      a: {prompt}
"""


class Refusals(OneBall):
    def refused(self, *arguments, code, exit_code=4):
        done = run(*arguments)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        self.assertIn(f"[{code}", done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_a_ball_is_segmented_from_its_line_so_that_the_refusals_below_mean_something(self):
        mask = self.path("mask.nii.gz")
        done = run("segment", self.ct, self.line(), "-o", mask)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = run_json("measure", self.ct, "--mask", mask, "--json")["lesions"][0]
        self.assertAlmostEqual(found["long_axis_mm"]["value"], 30, delta=2)

    def test_a_file_that_is_not_there_is_said_to_be_missing(self):
        nowhere = self.path("nowhere")
        for command in (("measure", self.ct, "--mask", nowhere), ("marks", nowhere)):
            self.assertIn(nowhere + " does not exist", self.refused(*command, code="io"))

    def test_prompts_that_cannot_be_meant(self):
        mask = self.path("never.nii.gz")
        self.refused("segment", self.ct, self.line(shift=(500, 0, 0)), "-o", mask, code="prompt-outside")
        self.refused("segment", self.ct, "-o", mask, code="prompt-missing")
        self.refused("segment", self.ct, self.line(), "--frame-of-reference", "1.2.3", "-o", mask, code="prompt-frame-of-reference")
        self.refused("segment", self.ct, self.line(), self.line(shift=(0, 0, 20)), "-o", mask, code="prompt-contradictory")
        self.refused("segment", self.ct, "--line=1,2,3", "-o", mask, code="usage", exit_code=2)
        self.assertFalse(os.path.exists(mask))

    def test_unknown_things_are_usage_errors(self):
        self.refused("segment", self.ct, self.line(), "-o", self.path("m.nii.gz"), "--method", "magic", code="usage", exit_code=2)
        self.refused("series", self.ct, "--accept", "nonsense", code="usage", exit_code=2)
        self.assertEqual(run("no-such-command").returncode, 2)

    def test_paths_without_a_series(self):
        os.makedirs(self.path("empty"), exist_ok=True)
        self.refused("measure", self.path("empty"), "--mask", self.path("ball", "truth.nii.gz"), code="no-series")
        self.refused("segment", self.path("nowhere"), self.line(), "-o", self.path("m.nii.gz"), code="io")

    def test_a_missing_slice_is_refused_by_name_and_can_be_accepted(self):
        import shutil
        holed = self.path("holed")
        shutil.copytree(self.ct, holed)
        files = sorted(os.listdir(holed))
        os.remove(os.path.join(holed, files[20]))
        listed = run_json("series", holed, "--json")["series"][0]
        self.assertEqual(listed["code"], "missing-slices")
        self.assertIsNone(listed["spacing_mm"][2])
        message = self.refused("measure", holed, "--mask", self.path("ball", "truth.nii.gz"), code="")
        self.assertIn("missing", message.lower())

    def test_a_case_that_cannot_run_is_refused_before_anything_is_written(self):
        case = self.path("case.yaml")
        x, y, z = self.centre
        far = f"{{line: [[{x + 400}, {y}, {z}], [{x + 430}, {y}, {z}]]}}"
        with open(case, "w", encoding="utf-8") as file:
            file.write(CASE.format(prompt=far))
        for extra in ((), ("--dry-run",)):
            message = self.refused("run", case, "-o", self.path("out"), *extra, code="prompt-outside")
            self.assertIn("T1", message)
        self.assertFalse(os.path.exists(self.path("out")))

    def test_a_dry_run_writes_nothing_and_a_run_writes_once(self):
        case = self.path("good.yaml")
        x, y, z = self.centre
        with open(case, "w", encoding="utf-8") as file:
            file.write(CASE.format(prompt=f"{{line: [[{x - 15}, {y}, {z}], [{x + 15}, {y}, {z}]]}}"))
        out = self.path("good")
        for where in (("-o", out), ()):
            done = run("run", case, *where, "--dry-run")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("GB of memory", done.stdout)
        self.assertFalse(os.path.exists(out))
        self.refused("run", case, code="usage", exit_code=2)
        self.assertEqual(run("run", case, "-o", out).returncode, 0)
        self.refused("run", case, "-o", out, code="output-exists")
        written = json.load(open(os.path.join(out, "case.json"), encoding="utf-8"))
        self.assertEqual(written["timepoints"][0]["lesions"][0]["review_state"], "unreviewed")

    def test_a_lesion_nobody_looked_at_is_not_evaluable_and_never_zero(self):
        case = self.path("silent.yaml")
        with open(case, "w", encoding="utf-8") as file:
            file.write(CASE.format(prompt="{}").replace("    timepoints:\n      a: {}\n", ""))
        out = self.path("silent")
        self.assertEqual(run("run", case, "-o", out).returncode, 0)
        lesion = json.load(open(os.path.join(out, "case.json"), encoding="utf-8"))["timepoints"][0]["lesions"][0]
        self.assertEqual(lesion["status"], "not-evaluable")
        self.assertIsNone(lesion.get("long_axis_mm"))
        self.assertTrue(lesion["reason"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
