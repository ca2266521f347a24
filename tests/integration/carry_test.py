#!/usr/bin/python3
"""Lesions carried forward: the sample patient from three lines, and where the program must ask for a prompt instead."""
import os
import re
import unittest
import unittest.mock

from demo_test import lesion_at, misses, truths
from program import InScratch, assert_same_files, read_json, run

SIDES = re.compile(r", extent: \[\[[^]]*\], \[[^]]*\]\]")


def without(text, *timepoints):
    """The case file without the prompts of these time points, and with lines alone elsewhere."""
    kept = [line for line in text.splitlines() if line.strip().split(":")[0] not in timepoints]
    return SIDES.sub("", "\n".join(kept) + "\n")


def only(text, *timepoints):
    """The case file with the scans and prompts of these time points alone."""
    kept = []
    for line in text.splitlines():
        scan = re.match(r"  - \{id: ([^,]*), ct:", line)
        prompt = re.match(r"      ([\w-]+): \{line", line)
        named = scan or prompt
        if not named or named.group(1) in timepoints:
            kept.append(line)
    return "\n".join(kept) + "\n"


class Carry(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.patient = os.path.join(cls.scratch, "patient")
        made = run("phantom", cls.patient, "--patient")
        assert made.returncode == 0, made.stderr
        with open(os.path.join(cls.patient, "case.yaml"), encoding="utf-8") as file:
            cls.text = file.read()

    def case(self, name, text, patient=None):
        path = os.path.join(patient or self.patient, name + ".yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        out = self.path(name)
        done = run("run", path, "-o", out, timeout=1100)
        self.assertEqual(done.returncode, 0, done.stderr)
        return read_json(os.path.join(out, "case.json"))

    def test_thread_counts_change_no_byte_of_a_carried_lesion(self):
        path = os.path.join(self.patient, "threads.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(only(without(self.text, "after-radiotherapy"), "after-5-cycles", "after-radiotherapy"))
        out, one = self.path("threads"), self.path("one")
        with unittest.mock.patch.dict(os.environ, SOURCE_DATE_EPOCH="1577836800"):  # the timestamps in what is compared
            for threads in ("1", "3"):
                done = run("run", path, "-o", out, "--threads", threads, timeout=1100)
                self.assertEqual(done.returncode, 0, done.stderr)
                if threads == "1":
                    os.rename(out, one)  # the command names the folder
        self.assertEqual(lesion_at(read_json(os.path.join(one, "case.json")), "after-radiotherapy")["carried"]["from"], "after-5-cycles")
        self.assertGreater(assert_same_files(self, one, out), 20)

    def test_two_later_time_points_are_carried_from_the_third_line(self):
        case = self.case("carried", without(self.text, "after-5-cycles", "after-radiotherapy"))
        truth = truths(self.patient)
        off = [miss for miss in misses(case, truth) if miss.startswith("after-")]
        self.assertEqual(off, [])  # the tolerances of the demo, axes 5 % and volume 10 %
        for name, source in (("after-5-cycles", "day-38"), ("after-radiotherapy", "after-5-cycles")):
            lesion = lesion_at(case, name)
            self.assertEqual(lesion["carried"]["from"], source)
            self.assertIn("similarity", lesion["carried"]["trust"])
            self.assertTrue(any("carried from " + source in notice["text"] for notice in lesion["notices"]))
            self.assertIn("carried by registration", lesion["intervals"]["not_validated"])
            self.assertIsNone(lesion["reader_long_axis_mm"])  # nobody drew one
            self.assertLess(lesion["volume_ml"]["low"], lesion["volume_ml"]["high"])
        self.assertIsNone(lesion_at(case, "day-38")["carried"])
        overall = {row["timepoint"]: row["overall"]["category"] for row in case["response"]["recist"]}
        self.assertEqual(overall["after-5-cycles"], "PR")

    def test_a_residual_of_2_cm_is_not_carried_into_a_mass_of_22_cm(self):
        text = without(only(self.text, "residual", "day-38"), "day-38")
        lesion = lesion_at(self.case("outgrown", text), "day-38")
        self.assertEqual(lesion["status"], "not-evaluable")
        self.assertIsNone(lesion["long_axis_mm"])
        self.assertIn("cannot be carried from residual", lesion["reason"])
        self.assertIn("give a prompt", lesion["reason"])
        self.assertIn("prompt-missing", [notice["code"] for notice in lesion["notices"]])

    def test_a_mass_that_cannot_be_seen_is_asked_for(self):
        """Painted to its surroundings: an echo of the old outline would measure it all the same."""
        patient = self.path("unseen")
        self.assertEqual(run("phantom", patient, "--patient", "--invisible-mass").returncode, 0)
        with open(os.path.join(patient, "case.yaml"), encoding="utf-8") as file:
            text = without(only(file.read(), "day-38", "after-5-cycles"), "after-5-cycles")
        lesion = lesion_at(self.case("invisible", text, patient), "after-5-cycles")
        self.assertEqual(lesion["status"], "not-evaluable")
        self.assertIsNone(lesion["long_axis_mm"])
        self.assertIn("give a prompt", lesion["reason"])

    def test_nothing_is_carried_across_an_operation(self):
        text = without(only(self.text, "presentation", "residual"), "residual")
        lesion = lesion_at(self.case("operated", text), "residual")
        self.assertIsNone(lesion["long_axis_mm"])
        self.assertIn("an operation lies between", lesion["reason"])

    def test_nothing_is_carried_where_the_case_file_says_so(self):
        text = without(only(self.text, "after-5-cycles", "after-radiotherapy"), "after-radiotherapy") + "carry_forward: false\n"
        lesion = lesion_at(self.case("switched-off", text), "after-radiotherapy")
        self.assertIsNone(lesion["long_axis_mm"])
        self.assertEqual(lesion["reason"], "neither prompt nor status is given")


if __name__ == "__main__":
    unittest.main()
