#!/usr/bin/python3
"""The report in a browser, opened from disk: it loads nothing, complains of nothing, scrolls, and plots the numbers of case.json."""
import json
import os
import shutil
import subprocess
import unittest

from program import read_json, run
from two_balls import TwoBalls

PLAYWRIGHT = os.environ.get("RETROMASS_PLAYWRIGHT", "")
STEPS = 5  # keys pressed in report_page.mjs


def needs_browser():
    """Skips the tests where the browser that judges them is absent, and fails them where RETROMASS_REQUIRE_WEB is set."""
    missing = [what for what, there in (("node", shutil.which("node")), ("chromium", os.path.exists("/usr/bin/chromium")), ("playwright-core", os.path.isdir(PLAYWRIGHT))) if not there]
    if missing:
        if os.environ.get("RETROMASS_REQUIRE_WEB") == "1":
            raise AssertionError("required, but absent: " + ", ".join(missing))
        raise unittest.SkipTest("absent: " + ", ".join(missing) + ": no browser judged the page; see make test-web")


class ReportPage(TwoBalls):
    @classmethod
    def setUpClass(cls):
        needs_browser()
        super().setUpClass()
        with open(cls.case_file, encoding="utf-8") as file:
            text = file.read()
        with open(cls.case_file, "w", encoding="utf-8") as file:  # names that would be HTML if they were not escaped
            file.write(text.replace("case: P-1", 'case: "P<img src=x onerror=alert(1)>"').replace("site: retroperitoneum", 'site: "<script>alert(2)</script>"'))
        cls.run_case()
        cls.pictures = os.environ.get("RETROMASS_SCREENSHOTS") or cls.scratch + "/pictures"
        os.makedirs(cls.pictures, exist_ok=True)
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report_page.mjs")
        done = subprocess.run(["node", script, PLAYWRIGHT, os.path.join(cls.result, "report.html"), cls.pictures], capture_output=True, text=True, timeout=540)
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        cls.seen = json.loads(done.stdout)
        cls.case = read_json(os.path.join(cls.result, "case.json"))
        with open(os.path.join(cls.result, "report.html"), encoding="utf-8") as file:
            cls.moves = 'id="report-data"' in file.read()

    def test_nothing_is_asked_from_outside_and_no_error_is_said(self):
        self.assertEqual(self.seen["outside"], [])
        self.assertEqual(self.seen["errors"], [])

    def test_nothing_sticks_out_at_1280_and_1920(self):
        for name, (content, window) in self.seen["widths"].items():
            self.assertLessEqual(content, window, name)
        self.assertEqual(self.seen["cut"], {"light-1280": [], "dark-1920": []})  # a column that has to be scrolled to is not seen

    def test_pictures_have_words_and_headings_skip_no_level(self):
        self.assertGreaterEqual(len(self.seen["pictures"]), 12)  # key images and tiles, three planes, two time points
        for picture in self.seen["pictures"]:
            self.assertTrue(picture["alt"])
            self.assertLess(picture["shown"], 1.25 * picture["width"])  # a single time point was blown up to the width of the page
            self.assertGreater(picture["width"], 0)
        levels = self.seen["headings"]
        self.assertEqual(levels[0], 1)
        for before, now in zip(levels, levels[1:]):
            self.assertLessEqual(now, before + 1)

    def test_the_viewer_turns_pages_in_both_linked_panes(self):
        if not self.moves:
            self.skipTest("built without RETROMASS_WEB: the report is static")
        viewer = self.seen["viewer"]
        self.assertEqual(viewer["state"], "ready", viewer)
        before, after = ([[float(v) for v in place.split()] for place in viewer[when]] for when in ("before", "after"))
        self.assertEqual(before[0], [0, 0, 0])  # the lesion's middle
        for pane in (0, 1):
            self.assertGreater(after[pane][2], before[pane][2] + STEPS * 0.7)  # towards the head; the previews' steps are 0.8 mm or more
        self.assertEqual(after[0], after[1])

    def test_a_review_saved_in_the_browser_is_taken_over(self):
        self.assertIn("reader", self.seen["without_reader"])
        done = run("review", "apply", os.path.join(self.pictures, "review.json"), self.result)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(self.result, "events.jsonl"), encoding="utf-8") as file:
            events = [e for e in map(json.loads, file) if e["event"] == "review"]
        self.assertEqual([(e["timepoint"], e["state"], e.get("needs_prompt"), e.get("comment")) for e in events], [("before", "accepted", None, None), ("after", "rejected", True, "leaks <b> into the psoas")])

    def test_the_plot_holds_the_changes_of_case_json(self):
        if not self.moves:
            self.skipTest("built without RETROMASS_WEB: the report is static")
        rows = {r["timepoint"]: r for r in self.case["response"]["recist"]}
        index = next(i for i, label in enumerate(self.seen["plot"]["labels"]) if label.startswith("RECIST 1.1 sum"))
        days, changes = self.seen["plot"]["data"][0], self.seen["plot"]["data"][index]
        self.assertEqual(days, [0, rows["after"]["day"]])
        self.assertEqual(changes, [0, rows["after"]["change_from_baseline_pct"]])
        self.assertLess(changes[1], -30)  # 40 mm, then 24


if __name__ == "__main__":
    unittest.main(verbosity=2)
