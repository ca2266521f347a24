"""A plan put before a reader: what has to be looked at first, and what becomes of each decision."""
import collections
import copy
import csv
import glob
import json
import os
import re
import shutil
import unittest

import pydicom

from balls_archive import Archive
from program import InScratch, read_json, run, run_json

SIZES = (40, 24, 32, 36, 28, 30)
UNMARKED = 5

# Two studies reported without images: -29 % is a point from partial response; -20 % is a response to Choi (-10 %) and none to RECIST (-30 %).
REPORTED = """case: "{case}"
timepoints:
  - {{id: before, date: 2020-01-01, new_lesions: none, reader: R1}}
  - {{id: "<i>after</i>", date: 2020-03-01, new_lesions: none, reader: R1}}
treatments: [{{kind: systemic, line: 1, start: 2020-01-02}}]
lesions:
  - id: T1
    role: target
    timepoints:
      before: {{reported: {{long_axis_mm: 100, source: report, by: R1}}}}
      "<i>after</i>": {{reported: {{long_axis_mm: {after}, source: report, by: R1}}}}
"""


def states(plan):
    return {c["case"]: c for c in run_json("batch", "status", plan, "--json")["cases"]}


def decisions_of(page):
    """The decisions that the page fills and saves."""
    return json.loads(re.search(r'<script type="application/json" id="decisions">(.*?)</script>', page, re.S).group(1))


def text_of(plan, case):
    with open(os.path.join(plan, "cases", case + ".yaml"), encoding="utf-8") as file:
        return file.read()


def rewrite(plan, case, text):
    with open(os.path.join(plan, "cases", case + ".yaml"), "w", encoding="utf-8") as file:
        file.write(text)


class Review(InScratch):
    @classmethod
    def line_of(cls, case, longer=1.0):
        """The ball's diameter along x through its centre, from the headers and the size it was made with."""
        study = next(c for c in read_json(os.path.join(cls.plan, "plan.json"))["cases"] if c["id"] == case)["studies"][0]
        images = [image for image in (pydicom.dcmread(file) for file in glob.glob(os.path.join(cls.made.folder, "*.dcm"))) if image.StudyInstanceUID == study]
        images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
        middle = images[len(images) // 2]
        x, y, z = map(float, middle.ImagePositionPatient)
        half = longer * cls.made.size_of_study[study] / 2
        return [x + 47.5 * 0.8 - half, y + 47.5 * 0.8, z, x + 47.5 * 0.8 + half, y + 47.5 * 0.8, z]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = Archive(cls.scratch, SIZES, unmarked=(UNMARKED,))
        cls.plan = cls.finished = os.path.join(cls.scratch, "finished")
        done = run("batch", "plan", cls.made.folder, "-o", cls.plan, "--marks", cls.made.lines)
        if done.returncode:
            raise AssertionError(done.stderr)
        planned = states(cls.plan)
        cls.waiting = next(case for case, c in planned.items() if c["state"] == "waiting")
        cls.good, cls.flagged, cls.near, cls.disagreeing, cls.refused = sorted(case for case, c in planned.items() if c["state"] == "pending")
        rewrite(cls.plan, cls.near, REPORTED.format(case=cls.near, after=71))
        rewrite(cls.plan, cls.disagreeing, REPORTED.format(case=cls.disagreeing, after=80))
        rewrite(cls.plan, cls.refused, text_of(cls.plan, cls.refused).replace("lesions:", "lesionz:"))
        rewrite(cls.plan, cls.flagged, re.sub(r"\{marks: .*\}", "{line: [[%f, %f, %f], [%f, %f, %f]]}" % tuple(cls.line_of(cls.flagged, 1.7)), text_of(cls.plan, cls.flagged)))
        run("batch", "run", cls.plan, "--jobs", 2)

    def setUp(self):
        self.plan = shutil.copytree(self.finished, self.path(self.id().split(".")[-1]))

    def page(self, *options):
        done = run("batch", "review", self.plan, "-o", self.path("review.html"), *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("review.html"), encoding="utf-8") as file:
            return file.read()

    def resume(self, decisions):
        with open(self.path("decisions.json"), "w", encoding="utf-8") as file:
            json.dump(decisions, file)
        return run("batch", "resume", self.plan, "--decisions", self.path("decisions.json"))

    def lock(self, case, pid, host, work):
        path = os.path.join(self.plan, "results", case + ".lock")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"host": host, "user": "somebody", "pid": pid, "work": work, "reader": "R9", "since": "2020-01-01T00:00:00Z"}, file)
        return path

    def test_a_decision_on_a_result_that_somebody_has_open_is_not_taken_and_a_lock_of_a_worker_that_died_elsewhere_goes(self):
        decisions = decisions_of(self.page("--reader", "R1"))
        (good,) = [c for c in decisions["cases"] if c["case"] == self.good]
        good.update(opened=True, decision="accept")
        lock = self.lock(self.good, 1, "elsewhere", "view")
        done = self.resume(decisions)
        self.assertIn(f"not taken: {self.good}: ", done.stdout)
        self.assertIn("in use: somebody@elsewhere", done.stdout)
        with open(os.path.join(self.plan, "results", self.good, "events.jsonl"), encoding="utf-8") as file:
            self.assertNotIn('"review"', file.read())
        os.remove(lock)

        rewrite(self.plan, self.good, text_of(self.plan, self.good) + "# read again\n")
        lock = self.lock(self.good, 4711, "elsewhere", "run")
        with open(os.path.join(self.plan, "state", self.good + ".lock"), "w", encoding="ascii") as file:
            file.write("4710\n4711\n")  # as a runner notes itself and its worker
        self.assertIn("1 done", run("batch", "run", self.plan).stdout)
        self.assertFalse(os.path.exists(lock))

    def test_a_reader_sees_what_needs_it_first_and_each_decision_does_what_it_says(self):
        self.assertEqual(collections.Counter(c["state"] for c in states(self.plan).values()), {"done": 4, "waiting": 1, "refused": 1})
        page = self.page("--reader", "R1")
        order = re.findall(r"<h2>(\S+) - ([a-z ]+?) <output>", page)
        self.assertEqual({case for case, _ in order[:2]}, {self.waiting, self.refused})
        self.assertEqual(order[2:], [(self.flagged, "flagged"), (self.near, "near a limit"), (self.disagreeing, "criteria disagree"), (self.good, "random sample")])
        # One page: pictures inside, nothing from outside, texts as texts, nobody's name.
        self.assertEqual(page.count('src="data:image/png;base64,'), 4)  # of the two that were measured: key image and sheet
        self.assertIsNone(re.search(r"https?:|//[a-z]|url\(|@import|<link|<iframe|src=\"[^\"]", re.sub(r'src="data:image/png;base64,[^"]*"', "", page)))
        self.assertIn("default-src 'none'", page)
        self.assertNotIn("<i>after", page)
        self.assertIn("&lt;i&gt;after", page)
        self.assertNotIn("ZEBRA", page)
        self.assertNotIn("Quagga", page)
        self.assertEqual(page, self.page("--reader", "R1"))
        # Without a share, nothing that nothing speaks against.
        self.assertNotIn(f"<h2>{self.good} ", self.page("--share", 0))

        # A short page has those in most need and says how many come later.
        short = self.page("--reader", "R1", "--at-most", 2)
        self.assertEqual([c["case"] for c in decisions_of(short)["cases"]], [case for case, _ in order[:2]])
        self.assertIn(f"; {len(order) - 2} more, in less need: on the next page, made once these are decided", short)
        self.assertNotIn("on the next page", page)

        decisions = decisions_of(page)
        self.assertEqual([c["case"] for c in decisions["cases"]], [case for case, _ in order])
        of = {c["case"]: c for c in decisions["cases"]}
        of[self.good].update(opened=True, decision="accept")
        of[self.near].update(opened=True, decision="reject", note="wrong report")
        of[self.disagreeing].update(opened=True, decision="needs-prompt", note="look again")
        for case in (self.flagged, self.waiting):
            points = self.line_of(case)
            of[case].update(opened=True, decision="needs-prompt", note="along the ball", prompt={"lesion": "T1", "timepoint": "2020-01-01", "points": points})
        before = {path: os.stat(path).st_mtime_ns for path in glob.glob(os.path.join(self.plan, "results", "*", "case.json"))}
        nobody = copy.deepcopy(decisions)
        nobody["reader"] = ""
        self.assertEqual(self.resume(nobody).returncode, 4)
        done = self.resume(decisions)
        self.assertIn("review: 5 of 6 cases opened, 1 accepted, 1 rejected, 3 need a prompt, 2 to be run again", done.stdout)
        self.assertIn(f"changed: {self.near}: rejected, wrong report", done.stdout)
        self.assertIn(f"changed: {self.flagged}: a new prompt for T1 at 2020-01-01, along the ball", done.stdout)
        self.assertIn("2 done, 0 refused, 0 failed, 0 left", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)
        after = states(self.plan)
        self.assertEqual({case: c["state"] for case, c in after.items()},
                         {self.good: "done", self.flagged: "done", self.waiting: "done", self.near: "rejected", self.disagreeing: "waiting", self.refused: "refused"})
        self.assertIn("R1 rejected it on", after[self.near]["reason"])
        changed = [path for path in before if os.stat(path).st_mtime_ns != before[path]]
        self.assertEqual([os.path.basename(os.path.dirname(path)) for path in changed], [self.flagged])
        for case in (self.flagged, self.waiting):
            study = next(c for c in read_json(os.path.join(self.plan, "plan.json"))["cases"] if c["id"] == case)["studies"][0]
            lesion = read_json(os.path.join(self.plan, "results", case, "case.json"))["timepoints"][0]["lesions"][0]
            # A ball's diameter in pixels of 0.8 mm, noise and a prompt along it: two pixels.
            self.assertAlmostEqual(lesion["long_axis_mm"]["value"], self.made.size_of_study[study], delta=1.6)
        with open(os.path.join(self.plan, "results", self.good, "events.jsonl"), encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        self.assertEqual([(e["state"], e["reader"], e["lesion"]) for e in events if e["event"] == "review"], [("accepted", "R1", "T1")])
        self.assertEqual(run("audit", os.path.join(self.plan, "results", self.good)).returncode, 0)

        # The same file again changes nothing; what was looked at is another result now.
        again = self.resume(decisions)
        self.assertEqual(again.returncode, 3)
        self.assertIn(f"not taken: {self.flagged}: it is not what was looked at any more", again.stdout)
        self.assertIn("0 to be run again", again.stdout)
        self.assertEqual(states(self.plan), after)
        run("batch", "resume", self.plan)
        self.assertEqual(states(self.plan)[self.near]["state"], "rejected")
        self.assertEqual({c["case"] for c in decisions_of(self.page("--share", 100))["cases"]}, {self.flagged, self.waiting, self.refused})
        self.assertEqual(run("batch", "collect", self.plan).returncode, 0)
        with open(os.path.join(self.plan, "cohort", "cases.csv"), encoding="utf-8", newline="") as file:
            rows = {row["case"]: row for row in csv.DictReader(file)}
        self.assertEqual((rows[self.good]["review"], rows[self.good]["reader"], rows[self.near]["state"], rows[self.flagged]["review"]), ("accept", "R1", "rejected", ""))
        # A rejected case comes back with other inputs alone.
        rewrite(self.plan, self.near, text_of(self.plan, self.near).replace("71", "60"))
        self.assertIn("1 done", run("batch", "run", self.plan).stdout)

    def test_a_file_of_something_else_is_refused_and_a_wrong_prompt_costs_only_its_case(self):
        self.assertEqual(self.resume({"schema": "another"}).returncode, 4)
        decisions = decisions_of(self.page("--reader", "R1", "--share", 100))
        of = {c["case"]: c for c in decisions["cases"]}
        of[self.flagged].update(opened=True, decision="needs-prompt", prompt={"lesion": "T7", "timepoint": "2020-01-01", "points": [1, 2, 3]})
        of[self.good].update(opened=True, decision="accept")
        decisions["plan"] = "0" * 64
        text = text_of(self.plan, self.flagged)
        done = self.resume(decisions)
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stdout, f"not taken: {self.flagged}: .*lesion 'T7' is not listed")
        self.assertIn("the plan was changed since", done.stdout)
        self.assertIn("1 accepted", done.stdout)
        self.assertEqual(text_of(self.plan, self.flagged), text)
        self.assertEqual(states(self.plan)[self.flagged]["state"], "done")


if __name__ == "__main__":
    unittest.main()
