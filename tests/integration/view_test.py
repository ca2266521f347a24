#!/usr/bin/python3
"""The viewer on a case that was run: it finds images, masks and reviews by itself, and refuses plainly without a display."""
import json
import os
import shutil
import subprocess
import unittest

import nibabel
import numpy

from program import PROGRAM, InScratch, needs_program, run

CASE = """
case: P-1
timepoints:
  - {id: before, ct: phantom/ct, new_lesions: none, reader: R1}
lesions:
  - id: T1
    site: retroperitoneum
    timepoints:
      before: {mask: phantom/truth.nii.gz}
"""


class View(InScratch):
    def setUp(self):
        needs_program(self, "xvfb-run")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        phantom = run("phantom", os.path.join(cls.scratch, "phantom"), "--size", "30,30,30", "--grid", "96,96,48", "--spacing", "0.8,0.8,2")
        if phantom.returncode:
            raise AssertionError(phantom.stderr)
        cls.case = os.path.join(cls.scratch, "case.yaml")
        with open(cls.case, "w", encoding="utf-8") as file:
            file.write(CASE)
        cls.out = os.path.join(cls.scratch, "result")
        done = run("run", cls.case, "-o", cls.out)
        if done.returncode:
            raise AssertionError(done.stderr)

    def picture(self, name, *extra):
        path = self.path(name)
        done = subprocess.run(["xvfb-run", "-a", PROGRAM, "view", self.out, "--picture", path, *extra], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(path, "rb") as file:
            content = file.read()
        self.assertTrue(content.startswith(b"\x89PNG"))
        return content

    def test_the_case_beside_the_result_is_found_and_drawn(self):
        self.assertEqual(self.picture("a.png"), self.picture("b.png", "--case", self.case))

    def test_the_mask_that_was_written_is_what_is_drawn(self):
        written = self.picture("written.png")
        (mask,) = [os.path.join(self.out, "masks", name) for name in os.listdir(os.path.join(self.out, "masks"))]
        kept = self.path("kept.nii.gz")
        shutil.move(mask, kept)
        try:
            image = nibabel.load(kept)
            half = numpy.asarray(image.dataobj).copy()
            half[: half.shape[0] // 2] = 0
            nibabel.Nifti1Image(half, image.affine, image.header).to_filename(mask)
            self.assertNotEqual(self.picture("half.png"), written)
        finally:
            shutil.move(kept, mask)

    def test_a_result_of_another_case_is_refused(self):
        other = self.path("other.yaml")
        with open(other, "w", encoding="utf-8") as file:
            file.write(CASE.replace("case: P-1", "case: P-2"))
        done = run("view", self.out, "--case", other)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("P-2", done.stderr)

    def test_a_noted_review_stands_in_the_band_the_next_time(self):
        before = self.picture("unreviewed.png")
        events = os.path.join(self.out, "events.jsonl")
        with open(events, encoding="utf-8") as file:
            kept = file.read()
        review = {"time": "2020-01-02T00:00:00Z", "event": "review", "timepoint": "before", "lesion": "T1", "state": "accepted", "reader": "R1"}
        with open(events, "a", encoding="utf-8") as file:
            file.write(json.dumps(review) + "\n")
        try:
            self.assertNotEqual(self.picture("reviewed.png"), before)
        finally:
            with open(events, "w", encoding="utf-8") as file:
                file.write(kept)

    def test_a_blinded_picture_shows_no_date(self):
        pictures = {}
        for date in ("2020-01-01", "2021-05-05"):
            case = self.path(date + ".yaml")
            with open(case, "w", encoding="utf-8") as file:
                file.write(CASE.replace("ct: phantom/ct,", f"ct: phantom/ct, date: {date},"))
            pictures[date] = [self.picture(date + extra + ".png", "--case", case, *([extra, "--reader", "R1", "--role", "radiologist"] if extra else [])) for extra in ("", "--blinded")]
        first, second = pictures.values()
        self.assertNotEqual(first[0], second[0])
        self.assertEqual(first[1], second[1])

    def test_a_time_point_that_is_not_there_is_a_usage_error(self):
        done = run("view", self.out, "--picture", self.path("no.png"), "--timepoint", "never")
        self.assertEqual(done.returncode, 2)
        self.assertIn("never", done.stderr)

    def test_without_a_display_it_refuses_and_says_what_helps(self):
        environment = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
        done = subprocess.run([PROGRAM, "view", self.out], capture_output=True, text=True, env=environment, timeout=120)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("no-display", done.stderr)
        self.assertIn("xvfb-run", done.stderr)


if __name__ == "__main__":
    unittest.main()
