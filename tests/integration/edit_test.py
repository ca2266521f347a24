#!/usr/bin/python3
"""A reader's edits: replayed on a mask and within a case, measured again, and kept with the result."""
import gzip
import hashlib
import math
import os
import struct
import unittest

from one_ball import OneBall
from program import read_json, run, run_json

CASE = """
case: P-1
timepoints:
  - {{id: a, ct: ball/ct, new_lesions: none, reader: R1}}
lesions:
  - id: T1
    role: target
    site: retroperitoneum
    timepoints:
      a: {prompt}
"""


def voxels_of(path):
    with gzip.open(path, "rb") as file:
        data = file.read()
    start = int(struct.unpack_from("<f", data, 108)[0])
    return data[start:]


class Edits(OneBall):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prompt = "line: [[%g, %g, %g], [%g, %g, %g]]" % (*cls.ends()[0], *cls.ends()[1])
        cls.mask = os.path.join(cls.scratch, "mask.nii.gz")
        done = run("segment", cls.ct, cls.line(), "-o", cls.mask)
        if done.returncode:
            raise AssertionError(done.stderr)

    def log(self, name, text, start=""):
        path = self.path(name)
        with open(path, "w", encoding="ascii") as file:
            file.write("retromass-edits 1\n" + (f"on {start}\n" if start else "") + text)
        return path

    def write_case(self, name, prompt):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(CASE.format(prompt="{" + prompt + "}"))
        return self.path(name)

    def bite(self):
        """Takes a ball of 10 mm away whose centre lies on the lesion's surface: a lens, whose volume geometry knows."""
        x, y, z = self.centre
        return f"remove-sphere {x + 15} {y} {z} 10\nsmooth 2\nundo\n"

    @staticmethod
    def lens_ml(big=15.0, small=10.0, apart=15.0):
        return math.pi * (big + small - apart) ** 2 * (apart**2 + 2 * apart * (big + small) - 3 * (big - small) ** 2) / (12 * apart) / 1000

    def test_a_log_is_replayed_on_a_mask_and_what_it_took_away_is_the_volume_of_the_lens(self):
        out = self.path("bitten.nii.gz")
        done = run_json("edit", self.mask, "--ops", self.log("bite.edits", self.bite()), "--ct", self.ct, "-o", out, "--json")
        before = run_json("measure", self.ct, "--mask", self.mask, "--json")["lesions"][0]
        after = run_json("measure", self.ct, "--mask", out, "--json")["lesions"][0]
        taken = before["volume_ml"]["value"] - after["volume_ml"]["value"]
        # The mask's own surface lies within half a voxel of the ball's; over the lens' 300 mm2 of it that is 0.15 ml of 1.9.
        self.assertAlmostEqual(taken, self.lens_ml(), delta=0.15)
        self.assertEqual([step["undone"] for step in done["edits"]["steps"]], [False, True])
        self.assertAlmostEqual(done["edits"]["steps"][0]["removed"] * 2 / 1000, taken, delta=0.011)  # a voxel is 2 mm3, both volumes are recorded to 0.01 ml
        measured = dict(done["lesions"][0], id=after["id"])
        self.assertEqual(measured, after)

    def test_the_same_log_gives_the_same_bytes_and_another_mask_is_refused(self):
        first = run_json("edit", self.mask, "--ops", self.log("once.edits", self.bite()), "-o", self.path("once.nii.gz"), "--json")
        bound = self.log("bound.edits", self.bite(), start=first["edits"]["from"])
        second = run_json("edit", self.mask, "--ops", bound, "-o", self.path("twice.nii.gz"), "--json", "--threads", "1")
        self.assertEqual(first["edits"]["to"], second["edits"]["to"])
        self.assertEqual(voxels_of(self.path("once.nii.gz")), voxels_of(self.path("twice.nii.gz")))
        done = run("edit", self.path("once.nii.gz"), "--ops", bound, "-o", self.path("never.nii.gz"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("verification-failed", done.stderr)
        self.assertFalse(os.path.exists(self.path("never.nii.gz")))

    def test_a_case_with_edits_is_measured_on_the_edited_mask_and_says_so(self):
        log = self.log("case.edits", self.bite())
        plain, edited = self.path("plain"), self.path("edited")
        for case, out in ((self.write_case("plain.yaml", self.prompt), plain), (self.write_case("edited.yaml", self.prompt + ", edits: case.edits, reader: R1"), edited)):
            done = run("run", case, "-o", out)
            self.assertEqual(done.returncode, 0, done.stderr)
        lesion = read_json(os.path.join(edited, "case.json"))["timepoints"][0]["lesions"][0]
        untouched = read_json(os.path.join(plain, "case.json"))["timepoints"][0]["lesions"][0]
        self.assertIsNone(untouched["edits"])
        self.assertAlmostEqual(untouched["volume_ml"]["value"] - lesion["volume_ml"]["value"], self.lens_ml(), delta=0.15)
        with open(log, "rb") as file:
            sha256 = hashlib.sha256(file.read()).hexdigest()
        self.assertEqual(lesion["edits"]["sha256"], sha256)
        self.assertTrue(lesion["edits"]["steps"][0]["edit"].startswith("remove-sphere "))
        self.assertEqual((lesion["review_state"], lesion["reviewer"]), ("edited", "R1"))
        self.assertIsNone(lesion["volume_ml"]["low"])  # intervals were calibrated on masks nobody touched
        self.assertIsNotNone(untouched["volume_ml"]["low"])
        inputs = {i["input"]: i["sha256"] for i in read_json(os.path.join(edited, "provenance.json"))["inputs"]}
        self.assertIn(sha256, inputs.values())
        # The same edits on the result of the untouched run, and on its mask as a case file's mask.
        replayed = self.path("replayed.nii.gz")
        done = run_json("edit", plain, "--timepoint", "a", "--lesion", "T1", "--ops", log, "-o", replayed, "--json")
        self.assertEqual(done["edits"]["to"], lesion["edits"]["to"])
        self.assertEqual(voxels_of(replayed), voxels_of(os.path.join(edited, "masks", "a-T1.nii.gz")))
        done = run("run", self.write_case("mask.yaml", "mask: mask.nii.gz, edits: case.edits, reader: R1"), "-o", self.path("of-mask"))
        self.assertEqual(done.returncode, 0, done.stderr)
        of_mask = read_json(self.path("of-mask", "case.json"))["timepoints"][0]["lesions"][0]
        self.assertEqual(of_mask["volume_ml"], lesion["volume_ml"])

    def test_edits_that_cannot_be_replayed_leave_the_lesion_not_evaluable(self):
        self.log("elsewhere.edits", self.bite(), start="0123456789abcdef")
        done = run("run", self.write_case("elsewhere.yaml", self.prompt + ", edits: elsewhere.edits, reader: R1"), "-o", self.path("elsewhere"))
        self.assertEqual(done.returncode, 0, done.stderr)
        lesion = read_json(self.path("elsewhere", "case.json"))["timepoints"][0]["lesions"][0]
        self.assertEqual(lesion["status"], "not-evaluable")
        self.assertIn("another mask", lesion["reason"])
        self.assertIsNone(lesion["volume_ml"])

    def test_a_damaged_log_edits_without_a_reader_and_edits_of_nothing_are_refused_before_anything_runs(self):
        self.log("bad.edits", "add-ball 1 2 3 4\n")
        self.log("good.edits", self.bite())
        for prompt, code in ((self.prompt + ", edits: bad.edits, reader: R1", "malformed"), (self.prompt + ", edits: good.edits", "case-file"),
                             (self.prompt + ", edits: absent.edits, reader: R1", "io"), ("edits: good.edits, reader: R1", "case-file")):
            case = self.write_case("refused.yaml", prompt)
            for arguments in (("run", case, "--dry-run"), ("run", case, "-o", self.path("refused"))):
                done = run(*arguments)
                self.assertEqual(done.returncode, 4, prompt)
                self.assertIn(code, done.stderr)
            self.assertFalse(os.path.exists(self.path("refused")))


if __name__ == "__main__":
    unittest.main()
