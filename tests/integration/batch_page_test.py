#!/usr/bin/python3
"""A reader reviews a batch in a browser, by key: what the page saves is what `batch resume` takes."""
import glob
import json
import os
import subprocess
import unittest

import pydicom

from balls_archive import Archive
from program import InScratch, read_json, run, run_json
from report_page_test import PLAYWRIGHT, needs_browser

SIZES = (40, 24, 32, 36, 28)
UNMARKED = 4


class BatchPage(InScratch):
    @classmethod
    def setUpClass(cls):
        needs_browser()
        super().setUpClass()
        made = Archive(cls.scratch, SIZES, unmarked=(UNMARKED,))
        cls.plan = os.path.join(cls.scratch, "plan")
        page = os.path.join(cls.scratch, "review.html")
        for arguments in (("plan", made.folder, "-o", cls.plan, "--marks", made.lines), ("run", cls.plan, "--jobs", 2), ("review", cls.plan, "-o", page, "--share", 100)):
            done = run("batch", *arguments)
            if done.returncode:
                raise AssertionError(done.stdout + done.stderr)
        images = [pydicom.dcmread(file, stop_before_pixels=True) for file in glob.glob(os.path.join(made.folder, f"*-{UNMARKED}.dcm"))]
        middle = sorted(images, key=lambda image: float(image.ImagePositionPatient[2]))[24]
        x, y, z = (float(v) + shift for v, shift in zip(middle.ImagePositionPatient, (38, 38, 0)))  # 47.5 pixels of 0.8 mm: the ball's centre
        cls.line = [x - SIZES[UNMARKED] / 2, y, z, x + SIZES[UNMARKED] / 2, y, z]
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "batch_page.mjs")
        done = subprocess.run(["node", script, PLAYWRIGHT, page, cls.scratch, ", ".join(map(str, cls.line))], capture_output=True, text=True, timeout=240)
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        cls.seen = json.loads(done.stdout)
        cls.decisions = os.path.join(cls.scratch, "decisions.json")

    def test_nothing_is_asked_from_outside_and_no_error_is_said(self):
        self.assertEqual((self.seen["outside"], self.seen["errors"]), ([], []))

    def test_every_key_does_what_the_page_says_of_it(self):
        self.assertEqual(self.seen["keys"], ["a", "r", "p", "u", "j", "k", "s"])
        seen = [(step["key"], step["current"], step["said"]) for step in self.seen["steps"]]
        self.assertEqual(seen, [
            ("s", -1, ["", "", "", "", ""]),  # without a reader nothing is saved
            ("Escape", -1, ["", "", "", "", ""]),
            ("j", 0, ["seen", "", "", "", ""]),
            ("j", 1, ["seen", "seen", "", "", ""]),
            ("j", 2, ["seen", "seen", "seen", "", ""]),
            ("k", 1, ["seen", "seen", "seen", "", ""]),
            ("r", 2, ["seen", "rejected", "seen", "", ""]),
            ("k", 1, ["seen", "rejected", "seen", "", ""]),
            ("u", 1, ["seen", "seen", "seen", "", ""]),
            ("a", 2, ["seen", "accepted", "seen", "", ""]),
            ("Escape", 2, ["seen", "accepted", "seen", "", ""]),
            ("r", 3, ["seen", "accepted", "rejected", "seen", ""]),
            ("p", 3, ["seen", "accepted", "rejected", "needs a prompt", ""]),
            ("u", 3, ["seen", "accepted", "rejected", "seen", ""]),
            ("k", 2, ["seen", "accepted", "rejected", "seen", ""]),
            ("k", 1, ["seen", "accepted", "rejected", "seen", ""]),
            ("ArrowUp", 0, ["seen", "accepted", "rejected", "seen", ""]),
            ("p", 0, ["needs a prompt", "accepted", "rejected", "seen", ""]),
            ("Escape", 0, ["needs a prompt", "accepted", "rejected", "seen", ""]),
            ("s", 0, ["needs a prompt", "accepted", "rejected", "seen", ""]),
        ])
        self.assertTrue(all(step["visible"] for step in self.seen["steps"]))
        self.assertEqual(self.seen["steps"][-2]["progress"], "3 of 5 decided, not saved")
        self.assertEqual(self.seen["steps"][-1]["progress"], "3 of 5 decided")
        self.assertEqual(len(self.seen["dialogs"]), 1)
        self.assertIn("reader", self.seen["dialogs"][0])
        self.assertIn("3, 6 or 12", self.seen["two_numbers"])

    def test_what_was_decided_is_there_when_the_page_is_opened_again(self):
        self.assertEqual((self.seen["reloaded"]["said"], self.seen["reloaded"]["progress"]), (["needs a prompt", "accepted", "rejected", "seen", ""], "3 of 5 decided"))

    def test_what_was_saved_is_taken_over(self):
        self.assertEqual(self.seen["file"], "decisions.json")
        decisions = read_json(self.decisions)
        self.assertEqual(decisions["reader"], "Raju Spark")
        asked, good, bad, looked_at, unseen = (c["case"] for c in decisions["cases"])
        done = run("batch", "resume", self.plan, "--decisions", self.decisions)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("review: 4 of 5 cases opened, 1 accepted, 1 rejected, 1 need a prompt, 1 to be run again", done.stdout)
        self.assertIn(f"changed: {bad}: rejected, upside down", done.stdout)
        self.assertIn(f"changed: {asked}: a new prompt for T1 at 2020-01-01", done.stdout)
        self.assertNotIn("not taken", done.stdout)
        self.assertIn("1 done, 0 refused, 0 failed, 0 left", done.stdout)
        after = {c["case"]: c for c in run_json("batch", "status", self.plan, "--json")["cases"]}
        self.assertEqual({case: c["state"] for case, c in after.items()}, {asked: "done", good: "done", bad: "rejected", looked_at: "done", unseen: "done"})
        self.assertIn("Raju Spark rejected it", after[bad]["reason"])
        lesion, = read_json(os.path.join(self.plan, "results", asked, "case.json"))["timepoints"][0]["lesions"]
        self.assertEqual([v for end in lesion["prompt"]["lines"][0] for v in end], self.line)
        # A ball's diameter in pixels of 0.8 mm, noise and a prompt along it: two pixels.
        self.assertAlmostEqual(lesion["long_axis_mm"]["value"], SIZES[UNMARKED], delta=1.6)


if __name__ == "__main__":
    unittest.main(verbosity=2)
