#!/usr/bin/python3
"""A review saved from report.html: what the page lets run, and what `review apply` takes over and what it refuses."""
import base64
import hashlib
import json
import os
import signal
import subprocess
import unittest
from html.parser import HTMLParser

from program import PROGRAM, content, run
from two_balls import TwoBalls


class Page(HTMLParser):
    """The scripts of a page by kind, its policy and the rows of its review."""

    def __init__(self, file):
        super().__init__(convert_charrefs=True)
        self.scripts, self.data, self.rows, self.loads = [], {}, [], []
        self.policy, self.open_script, self.text = "", None, ""
        with open(file, encoding="utf-8") as page:
            self.feed(page.read())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy":
            self.policy = attrs["content"]
        if tag == "tr" and "data-lesion" in attrs:
            self.rows.append((attrs["data-timepoint"], attrs["data-lesion"]))
        self.loads += [attrs[a] for a in ("src", "href") if a in attrs and not attrs[a].startswith("data:")]
        if tag == "script":
            self.open_script, self.text = attrs, ""

    def handle_data(self, data):
        if self.open_script is not None:
            self.text += data  # comes in pieces

    def handle_endtag(self, tag):
        if tag != "script":
            return
        if "type" in self.open_script:
            self.data[self.open_script["id"]] = self.text
        else:
            self.scripts.append(self.text)
        self.open_script = None


class Review(TwoBalls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_case()
        cls.page = Page(os.path.join(cls.result, "report.html"))

    def review(self, name, **other):
        """A file as the page saves it, with some of its entries changed."""
        of = json.loads(self.page.data["review-data"])
        review = {"schema": "retromass/review/1", "case": of["case"], "result": of["result"], "reader": "Doe^Jane", "time": "2026-01-02T03:04:05Z",
                  "reviews": [{"timepoint": "before", "lesion": "T1", "verdict": "accepted", "comment": ""},
                              {"timepoint": "after", "lesion": "T1", "verdict": "needs-a-prompt", "comment": "leaks into the psoas"}]}
        review.update(other)
        path = self.path(name + ".json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(review, file)
        return path

    def reviews_in(self, folder):
        with open(os.path.join(folder, "events.jsonl"), encoding="utf-8") as file:
            return [e for e in map(json.loads, file) if e["event"] == "review"]

    def test_the_page_lets_nothing_run_but_its_own_scripts_and_loads_nothing(self):
        rules = dict(rule.strip().split(" ", 1) for rule in self.page.policy.split(";"))
        own = {"'sha256-" + base64.b64encode(hashlib.sha256(s.encode("utf-8")).digest()).decode("ascii") + "'" for s in self.page.scripts}
        self.assertEqual(set(rules["script-src"].split()), own)
        self.assertEqual(rules["default-src"], "'none'")
        self.assertEqual(rules["img-src"], "data:")
        self.assertEqual(self.page.loads, [])

    def test_the_page_names_the_result_and_every_lesion_at_every_time_point(self):
        of = json.loads(self.page.data["review-data"])
        self.assertEqual(of, {"case": "P-1", "result": hashlib.sha256(content(os.path.join(self.result, "case.json"))).hexdigest()})
        self.assertEqual(self.page.rows, [("before", "T1"), ("after", "T1")])

    def test_a_review_becomes_events_of_the_log_and_breaks_nothing(self):
        out = self.copy_of_result("taken")
        file = self.review("taken")
        done = run("review", "apply", file, out)
        self.assertEqual(done.returncode, 0, done.stderr)
        events = self.reviews_in(out)
        self.assertEqual([(e["timepoint"], e["lesion"], e["state"], e["reader"], e.get("needs_prompt"), e.get("comment")) for e in events],
                         [("before", "T1", "accepted", "Doe^Jane", None, None), ("after", "T1", "rejected", "Doe^Jane", True, "leaks into the psoas")])
        for event in events:
            self.assertEqual((event["decided"], event["file_sha256"]), ("2026-01-02T03:04:05Z", hashlib.sha256(content(file)).hexdigest()))
            self.assertRegex(event["time"], r"^20\d\d-")
            self.assertNotEqual(event["time"], event["decided"])
        self.assertEqual(run("audit", out).returncode, 0)
        self.assert_bands(out, "UNREVIEWED, 1 OF 2 OPEN")
        self.assertIn("after, lesion T1 (rejected by Doe^Jane, needs a prompt)", content(os.path.join(out, "report.html")).decode("utf-8"))
        again = run("review", "apply", file, out)
        self.assertEqual(again.returncode, 4)
        self.assertIn("applied already", again.stderr)
        self.assertEqual(len(self.reviews_in(out)), 2)

    def assert_bands(self, folder, state):
        page = content(os.path.join(folder, "report.html")).decode("utf-8")
        band = state + " - RESEARCH USE ONLY - SYNTHETIC"
        self.assertEqual((page.count(">" + band + "</div>"), page.count(" - " + band + "</title>")), (2, 1), page[:1000])

    def test_a_page_whose_every_lesion_was_accepted_says_so_until_the_result_changes_and_no_other_hand_can(self):
        out = self.copy_of_result("accepted")
        accept = lambda name, reader, timepoint: run("review", "apply", self.review(name, reader=reader, reviews=[{"timepoint": timepoint, "lesion": "T1", "verdict": "accepted", "comment": ""}]), out)
        self.assert_bands(out, "UNREVIEWED")
        self.assertEqual(accept("first", "Doe^Jane", "before").returncode, 0)
        self.assert_bands(out, "UNREVIEWED, 1 OF 2 OPEN")
        self.assertEqual(accept("second", "Roe^Richard", "after").returncode, 0)
        day = self.reviews_in(out)[-1]["time"][:10]
        self.assert_bands(out, "REVIEWED BY 2 READERS, " + day)
        page = os.path.join(out, "report.html")
        self.assertIn("(Doe^Jane, Roe^Richard)", content(page).decode("utf-8"))
        self.assertEqual(run("audit", out).returncode, 0)

        kept = content(page)
        with open(page, "wb") as file:
            file.write(kept.replace(b"REVIEWED BY 2 READERS", b"REVIEWED BY 3 READERS"))
        forged = run("audit", out)
        self.assertEqual(forged.returncode, 4)
        self.assertIn("report.html shows another state of review than the log gives", forged.stdout)
        with open(page, "wb") as file:
            file.write(kept)

        changed = self.path("liver.yaml")
        with open(changed, "w", encoding="utf-8") as file:
            file.write(content(self.case_file).decode("utf-8").replace("site: retroperitoneum", "site: liver"))
        self.assertEqual(run("run", changed, "-o", out, "--overwrite").returncode, 0)
        self.assert_bands(out, "UNREVIEWED, 2 OF 2 OPEN")
        self.assertIn("accepted by Doe^Jane on an earlier result", content(page).decode("utf-8"))
        self.assertEqual(run("audit", out).returncode, 0)

    def test_a_review_of_a_result_that_somebody_has_open_waits(self):
        out = self.copy_of_result("open")
        file = self.review("open")
        lock = self.lock(out, os.getpid())
        self.assert_in_use(run("review", "apply", file, out), lock)
        self.assertEqual(self.reviews_in(out), [])
        os.remove(lock)
        done = run("review", "apply", file, out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(lock))

    def test_a_program_killed_between_the_log_and_the_page_leaves_nothing_to_mend_by_hand(self):
        for how in ("review", "sign"):
            out = self.copy_of_result("killed-" + how)
            killed = subprocess.run([PROGRAM, "review", "apply", self.review("killed-" + how), out], capture_output=True, timeout=300,
                                    env={**os.environ, "LD_PRELOAD": os.environ["RETROMASS_DISK_LEDGER_LIBRARY"], "RETROMASS_DISK_KILL": "events.jsonl", "ASAN_OPTIONS": "verify_asan_link_order=0"})
            self.assertEqual(killed.returncode, -signal.SIGKILL)
            self.assertEqual(len(self.reviews_in(out)), 2)
            self.assert_bands(out, "UNREVIEWED")  # the page is behind
            behind = run("audit", out)
            self.assertEqual(behind.returncode, 4, behind.stdout)
            self.assertIn("report.html shows another state of review than the log gives", behind.stdout)
            self.assertRegex(behind.stdout, r"report\.html\.partial-\d+ was added")
            if how == "sign":
                done = run("sign", out, "--reader", "Roe^Richard", "--role", "radiologist")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assert_bands(out, "REVIEWED BY 1 READER, " + json.loads(content(os.path.join(out, "events.jsonl")).splitlines()[-1])["time"][:10])
            else:
                again = run("review", "apply", self.path("killed-review.json"), out)
                self.assertIn("applied already", again.stderr)  # it was: its log says so
                self.assert_bands(out, "UNREVIEWED, 1 OF 2 OPEN")
            audit = run("audit", out)
            self.assertEqual(audit.returncode, 0, audit.stdout)

    def test_a_signature_and_a_run_that_changes_nothing_leave_a_review_valid(self):
        out = self.copy_of_result("signed")
        self.assertEqual(run("sign", out, "--reader", "Roe^Richard", "--role", "radiologist").returncode, 0)
        self.assertEqual(run("run", self.case_file, "-o", out, "--overwrite").returncode, 0)
        done = run("review", "apply", self.review("signed"), out)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_the_reader_did_not_see_is_refused(self):
        out = self.copy_of_result("changed")
        changed = self.path("changed.yaml")
        with open(changed, "w", encoding="utf-8") as file:
            file.write(content(self.case_file).decode("utf-8").replace("site: retroperitoneum", "site: liver"))
        self.assertEqual(run("run", changed, "-o", out, "--overwrite").returncode, 0)
        tampered = self.copy_of_result("tampered")
        with open(os.path.join(tampered, "case.json"), "a", encoding="utf-8") as file:
            file.write(" ")
        for why, folder, file in (("superseded", out, self.review("old")), ("another result", self.copy_of_result("a"), self.review("foreign", result="0" * 64)),
                                  ("another case", self.copy_of_result("b"), self.review("case", case="P-2")), ("not what was written", tampered, self.review("tampered"))):
            done = run("review", "apply", file, folder)
            self.assertEqual(done.returncode, 4, why)
            self.assertIn(why, done.stderr)
            self.assertEqual(self.reviews_in(folder), [])

    def test_a_file_that_is_no_review_is_refused_as_a_whole(self):
        out = self.copy_of_result("broken")
        good = {"timepoint": "before", "lesion": "T1", "verdict": "accepted", "comment": ""}
        for name, other in {"no reader": {"reader": ""}, "bell": {"reader": "bell\x07"}, "verdict": {"reviews": [good, {**good, "timepoint": "after", "verdict": "signed"}]},
                            "lesion": {"reviews": [good, {**good, "lesion": "T9"}]}, "twice": {"reviews": [good, good]}, "nothing": {"reviews": []}, "schema": {"schema": "retromass/review/2"},
                            "number": {"reviews": [good, {**good, "comment": 7}]}, "row": {"reviews": [good, "after"]}, "no case": {"case": None}}.items():
            done = run("review", "apply", self.review(name, **other), out)
            self.assertEqual(done.returncode, 4, name + ": " + done.stderr)
        text = self.path("text.json")
        with open(text, "w", encoding="utf-8") as file:
            file.write("{")
        self.assertEqual(run("review", "apply", text, out).returncode, 4)
        self.assertEqual(self.reviews_in(out), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
