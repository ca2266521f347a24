#!/usr/bin/python3
"""A reader corrects a case in the window: what the window shows is what a run of the changed case file says."""
import json
import os
import shutil
import socket
import subprocess
import unittest

from program import needs_program, read_json, run
from two_balls import TwoBalls
from window import AXIAL, PANE_HEIGHT, Window

PIXEL_MM = 0.8
MM = PANE_HEIGHT / (96 * PIXEL_MM)   # pixels of the pane a mm: it holds the 96 rows of the phantom


class InTheWindow(TwoBalls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The follow-up is measured on the mask of the first study: 40 mm where 24 mm are to be seen.
        with open(cls.case_file, encoding="utf-8") as file:
            lines = file.read().splitlines()
        wrong = ["      after: {mask: phantom-first/truth.nii.gz}" if line.lstrip().startswith("after:") else line for line in lines]
        with open(cls.case_file, "w", encoding="utf-8") as file:
            file.write("\n".join(wrong) + "\n")
        cls.run_case()

    def setUp(self):
        for name in ("Xvfb", "xdotool"):
            needs_program(self, name)
        self.copy = self.path(self.id().split(".")[-1])
        os.makedirs(self.copy)
        for name in ("result", "first", "second", "phantom-first"):
            shutil.copytree(self.path(name), os.path.join(self.copy, name))
        self.case = os.path.join(self.copy, "case.yaml")
        shutil.copy(self.case_file, self.case)
        self.out = os.path.join(self.copy, "result")

    def events(self):
        with open(os.path.join(self.out, "events.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def size_and_category(self, folder):
        case = read_json(os.path.join(folder, "case.json"))
        (after,) = [t for t in case["timepoints"] if t["id"] == "after"]
        (row,) = [r for r in case["response"]["recist"] if r["timepoint"] == "after" and not r["is_baseline"]]
        return after["lesions"][0]["long_axis_mm"]["value"], row["overall"]["category"]

    def draw_the_line(self, window):
        x, y = AXIAL
        window.key("Right", "l")
        window.drag(x - 12 * MM, y, x + 12 * MM, y)

    def test_a_line_drawn_in_the_window_corrects_the_mask_and_the_response(self):
        size, category = self.size_and_category(self.out)
        self.assertGreater(size, 38)
        self.assertEqual(category, "SD")
        kept = os.path.join(self.copy, "case.0001.yaml")
        with Window(self.out, "--reader", "R1") as window:
            self.draw_the_line(window)
            window.until(lambda: os.path.exists(kept), key="Return")  # nothing is taken before the mask is there
            printed = window.close()
        self.assertIn("--overwrite", printed)
        with open(kept, "rb") as old, open(self.case_file, "rb") as before:
            self.assertEqual(old.read(), before.read())
        self.assertEqual([(e["timepoint"], e["state"], e["reader"]) for e in self.events() if e["event"] == "review"], [("after", "edited", "R1")])

        done = run("run", self.case, "-o", self.out, "--overwrite")
        self.assertEqual(done.returncode, 0, done.stderr)
        size, category = self.size_and_category(self.out)
        self.assertAlmostEqual(size, 24, delta=2 * PIXEL_MM)  # the ball, to a pixel at either end
        self.assertEqual(category, "PR")                      # 24 of 40 mm: -40 %

    def test_a_brush_changes_the_mask_the_response_and_what_the_next_run_says(self):
        with Window(self.out, "--reader", "R1") as window:
            x, y = AXIAL
            window.key("Right", "d", "bracketright", "bracketright", "bracketright")
            window.click(x + 20 * MM, y)   # on the edge of the mask
            window.until(lambda: os.path.exists(os.path.join(self.copy, "case.0001.edits")), key="Return")
            printed = window.close()
        with open(os.path.join(self.copy, "case.0001.edits"), encoding="utf-8") as file:
            steps = file.read().splitlines()
        self.assertEqual(steps[0], "retromass-edits 1")
        self.assertEqual([line.split()[0] for line in steps[1:]], ["on", "add-sphere"])

        done = run("run", self.case, "-o", self.out, "--overwrite")
        self.assertEqual(done.returncode, 0, done.stderr)
        size, category = self.size_and_category(self.out)
        self.assertAlmostEqual(size, 20 + 20 + 5 * 1.25 ** 3, delta=2 * PIXEL_MM)   # far edge, brush of 5 mm grown by a quarter three times; a pixel at either end
        self.assertEqual(category, "PD")                                           # from 40 mm: +24 %
        case = read_json(os.path.join(self.out, "case.json"))
        (after,) = [t for t in case["timepoints"] if t["id"] == "after"]
        lesion = after["lesions"][0]
        self.assertEqual((lesion["review_state"], lesion["reviewer"], lesion["edits"]["steps"][0]["removed"]), ("edited", "R1", 0))
        figures = " x ".join("%g" % lesion[axis]["value"] for axis in ("long_axis_mm", "short_axis_mm", "craniocaudal_mm"))
        self.assertIn(f"after, T1: {figures} mm", printed)   # what the window showed

    def test_escape_leaves_everything_as_it_was(self):
        before = self.events()
        with Window(self.out, "--reader", "R1") as window:
            self.draw_the_line(window)
            window.key("Escape", "Return")
            window.close()
        self.assertEqual(self.events(), before)
        self.assertFalse(os.path.exists(os.path.join(self.copy, "case.0001.yaml")))

    def test_a_lesion_is_accepted_by_its_key(self):
        with Window(self.out, "--reader", "R1") as window:
            window.key("Right", "a")
            window.close()
        (review,) = [e for e in self.events() if e["event"] == "review"]
        self.assertEqual((review["timepoint"], review["lesion"], review["state"], review["reader"]), ("after", "T1", "accepted", "R1"))
        self.assertNotIn("blinded", review)
        with open(os.path.join(self.out, "report.html"), encoding="utf-8") as file:
            self.assertEqual(file.read().count(">UNREVIEWED, 1 OF 2 OPEN - RESEARCH USE ONLY - SYNTHETIC</div>"), 2)
        self.assertEqual(run("audit", self.out).returncode, 0)

    def reviewed(self):
        return [(e["timepoint"], e["state"], e["reader"]) for e in self.events() if e["event"] == "review"]

    def test_a_result_that_is_open_is_not_replaced_and_one_that_was_is_not_accepted(self):
        with Window(self.out, "--reader", "R1") as window:
            before = self.events()
            for command in (("run", self.case, "-o", self.out, "--overwrite"), ("sign", self.out, "--reader", "R2", "--role", "radiologist")):
                refused = run(*command)
                self.assertEqual(refused.returncode, 4, refused.stderr)
                self.assertIn("reader R1", refused.stderr)
            self.assertEqual(self.events(), before)
            os.remove(self.out + ".lock")  # by hand, though somebody works on it
            with open(self.case, encoding="utf-8") as file:
                text = file.read()
            with open(self.case, "w", encoding="utf-8") as file:  # another mask than the one in the window
                file.write(text.replace("mask: phantom-first/truth.nii.gz", "status: absent, reader: R2, date: 2020-03-01"))
            done = run("run", self.case, "-o", self.out, "--overwrite")
            self.assertEqual(done.returncode, 0, done.stderr)
            window.key("Right", "a")
            window.close()
        self.assertEqual([e for e in self.events() if e["event"] == "review"], [])

    def test_a_second_reader_sees_the_case_and_changes_nothing(self):
        lock = self.out + ".lock"
        with Window(self.out, "--reader", "R1") as first:
            with open(lock, encoding="utf-8") as file:
                held = json.load(file)
            self.assertEqual((held["reader"], held["host"], held["pid"]), ("R1", socket.gethostname(), first.program.pid))
            with Window(self.out, "--reader", "R2") as second:
                self.draw_the_line(second)
                second.key("Return", "Escape", "a")
                self.assertIn("R1", second.close())
            self.assertTrue(os.path.exists(lock))
            self.assertEqual(self.reviewed(), [])
            first.key("a")
            first.close()
        self.assertFalse(os.path.exists(lock))
        self.assertEqual(self.reviewed(), [("before", "accepted", "R1")])
        self.assertFalse(os.path.exists(os.path.join(self.copy, "case.0001.yaml")))

    def test_a_lock_that_a_dead_program_left_is_taken_over(self):
        dead = subprocess.Popen(["true"])
        dead.wait()
        with open(self.out + ".lock", "w", encoding="utf-8") as file:
            json.dump({"host": socket.gethostname(), "user": "somebody", "pid": dead.pid, "reader": "R9", "since": "2020-01-01T00:00:00Z"}, file)
        with Window(self.out, "--reader", "R1") as window:
            window.key("a")
            window.close()
        self.assertEqual(self.reviewed(), [("before", "accepted", "R1")])

    def test_read_only_changes_nothing_and_takes_no_lock(self):
        with Window(self.out, "--reader", "R1", "--read-only") as window:
            self.assertFalse(os.path.exists(self.out + ".lock"))
            window.key("a", "x")
            window.close()
        self.assertEqual(self.reviewed(), [])

    def test_it_opens_where_it_was_closed(self):
        with Window(self.out, "--reader", "R1") as window:
            window.key("Right")
            window.close()
        with Window(self.out, "--reader", "R1") as window:
            window.key("x")
            window.close()
        self.assertEqual(self.reviewed(), [("after", "rejected", "R1")])

    def test_a_click_in_the_time_point_beside_goes_to_the_linked_place(self):
        places = []
        for offset_mm in (0, 10):
            with Window(self.out, "--reader", "R1") as window:
                window.key("Right", *([] if places else ["s"]))   # it opens as it was closed: with the baseline beside
                x, y = AXIAL   # the middle of the pane on the left, which is the baseline's now
                window.click(x + offset_mm * MM, y)
                window.close()
            places.append(read_json(self.out + ".view.json"))
        middle, beside_it = places
        self.assertEqual([middle[name] for name in ("timepoint", "beside")], ["after", "before"])
        for axis, moved_mm in enumerate((10, 0, 0)):
            # Two balls alone in air are no patient that could be registered: the lesions' centres lie one on the other.
            self.assertAlmostEqual(beside_it["cursor"][axis] - middle["cursor"][axis], moved_mm, delta=PIXEL_MM)

    def test_a_click_in_the_table_goes_to_the_lesion(self):
        with Window(self.out, "--reader", "R1") as window:
            window.click_row(6)  # before, its response, T1, its volume; after, its response, T1
            window.key("a")
            window.close()
        self.assertEqual(self.reviewed(), [("after", "accepted", "R1")])

    def test_a_time_point_is_signed_and_not_once_the_case_file_says_more(self):
        with Window(self.out, "--reader", "R1", "--role", "radiologist") as window:
            window.key("g")
            window.until(lambda: any(e["event"] == "signed" for e in self.events()))
            window.close()
        (signature,) = [e for e in self.events() if e["event"] == "signed"]
        self.assertEqual(signature["timepoint"], "before")
        self.assertEqual(run("audit", self.out).returncode, 0)
        with Window(self.out, "--reader", "R1", "--role", "radiologist") as window:
            self.draw_the_line(window)
            window.until(lambda: os.path.exists(os.path.join(self.copy, "case.0001.yaml")), key="Return")
            window.key("g")
            window.close()
        self.assertEqual(len([e for e in self.events() if e["event"] == "signed"]), 1)

    def test_a_blinded_reader_sees_a_time_point_once_the_one_before_is_signed(self):
        signed = lambda: [e["timepoint"] for e in self.events() if e["event"] == "signed"]
        with Window(self.out, "--reader", "R1", "--role", "radiologist", "--blinded") as window:
            window.key("Right", "a")       # there is nothing to the right yet
            window.until(lambda: len(self.reviewed()) == 1)
            window.key("g")
            window.until(lambda: signed() == ["before"])
            window.key("x")                # it went on by itself
            window.until(lambda: len(self.reviewed()) == 2)
            window.key("Left", "x")        # what was signed is not changed without a reason ...
            window.key("q", "Return")      # ... and this letter is one
            window.until(lambda: len(self.reviewed()) == 3)
            window.close()
        self.assertEqual([(t, state) for t, state, _ in self.reviewed()], [("before", "accepted"), ("after", "rejected"), ("before", "rejected")])
        self.assertEqual([e.get("comment") for e in self.events() if e["event"] == "review"], [None, None, "q"])
        self.assertEqual([(e["event"], e.get("blinded")) for e in self.events() if e["event"] in ("review", "signed")], [("review", True), ("signed", True), ("review", True), ("review", True)])
        self.assertEqual([t["signature"]["blinded"] for t in read_json(os.path.join(self.out, "case.json"))["timepoints"] if t["signature"]], [True])
        self.assertEqual(run("audit", self.out).returncode, 0)
        refused = run("view", self.out, "--reader", "R2", "--role", "radiologist", "--blinded")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertNotIn("R1", refused.stderr)

    def test_a_blinded_picture_holds_back_what_the_window_does(self):
        blinded = ("view", self.out, "--picture", os.path.join(self.copy, "a.png"), "--blinded")
        nobody = run(*blinded)
        self.assertEqual(nobody.returncode, 2, nobody.stderr)
        self.assertIn("--reader", nobody.stderr)
        for later in ("time point 2", "after"):
            done = run(*blinded, "--reader", "R1", "--role", "radiologist", "--timepoint", later)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("yet", done.stderr)
        with open(self.out + ".lock", "w", encoding="utf-8") as file:
            json.dump({"host": "elsewhere", "user": "somebody", "pid": 1, "work": "view", "reader": "R9", "since": "2020-01-01T00:00:00Z"}, file)
        with Window(self.out, "--reader", "R1", "--role", "radiologist", "--blinded") as window:
            printed = window.close()
        self.assertIn("read only", printed)
        self.assertNotIn("R9", printed)


if __name__ == "__main__":
    unittest.main()
