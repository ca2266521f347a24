"""An archive of mixed patients: planned, run by several workers, killed, taken up again and collected."""
import collections
import csv
import datetime
import filecmp
import glob
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import unittest

import pydicom

from balls_archive import Archive
from batch_workers import Held, hold
from marks_test import LONG, ohif_report, presentation_state
from program import InScratch, PROGRAM, SLOWER, content, files_of, read_json, real_data, run, run_json

SIZES = (40, 24, 32, 36, 28)  # mm; the last patient's lesion is marked by nobody


def states(plan):
    return {c["case"]: c for c in run_json("batch", "status", plan, "--json")["cases"]}


class Batch(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.environ["SOURCE_DATE_EPOCH"] = "1577836800"  # the declared timestamps
        made = Archive(cls.scratch, SIZES, unmarked=(len(SIZES) - 1,))
        cls.archive, cls.lines, cls.size_of_study = made.folder, made.lines, made.size_of_study

    @classmethod
    def tearDownClass(cls):
        del os.environ["SOURCE_DATE_EPOCH"]
        super().tearDownClass()

    def plan(self, name, *options):
        plan = self.path(name)
        done = run("batch", "plan", self.archive, "-o", plan, "--marks", self.lines, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return plan, done.stdout

    def size_of(self, plan, case):
        with open(os.path.join(plan, "plan.json"), encoding="utf-8") as file:
            entry = next(c for c in json.load(file)["cases"] if c["id"] == case)
        return self.size_of_study[entry["studies"][0]]

    def test_an_archive_becomes_a_table(self):
        plan, said = self.plan("plan")
        self.assertIn("1.2.3.4.5 is not in the archive", said)
        self.assertIn("[not-dicom]", said)
        before = states(plan)
        self.assertEqual(collections.Counter(c["state"] for c in before.values()), {"pending": 4, "waiting": 1})
        done = run("batch", "run", plan, "--jobs", 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("4 done, 0 refused, 0 failed, 1 left", done.stdout)
        after = states(plan)
        waiting = [c for c in after.values() if c["state"] == "waiting"]
        self.assertEqual([c["code"] for c in waiting], ["prompt-missing"])

        collected = run("batch", "collect", plan)
        self.assertEqual(collected.returncode, 0, collected.stderr)
        with open(os.path.join(plan, "cohort", "cases.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual({row["case"] for row in rows}, set(after))  # a case that waits is a row, not a hole
        self.assertEqual([row["reason"] != "" for row in rows if row["state"] == "waiting"], [True])
        with open(os.path.join(plan, "cohort", "measurements.csv"), encoding="utf-8", newline="") as file:
            measured = list(csv.DictReader(file))
        self.assertEqual(len(measured), 4)
        for row in measured:
            size = self.size_of(plan, row["case"])
            # A ball's diameter in pixels of 0.8 mm, noise and a prompt along it: two pixels.
            self.assertAlmostEqual(float(row["long_axis_mm"]), size, delta=1.6, msg=row["case"])
        database = sqlite3.connect(os.path.join(plan, "cohort", "results.sqlite"))
        self.assertEqual(database.execute("select count(*) from measurements m join cases c on c.\"case\" = m.\"case\" where c.state = 'done'").fetchone(), (4,))
        database.close()
        with open(os.path.join(plan, "cohort", "cohort.html"), encoding="utf-8") as file:
            page = file.read()
        self.assertIn("nothing says where a lesion is", page)
        self.assertNotIn("<script", page)

        # Nothing of the patient but in the DICOM objects that are theirs.
        for folder, _, files in os.walk(plan):
            for name in files:
                if name.endswith(".dcm"):
                    continue
                with open(os.path.join(folder, name), "rb") as file:
                    content = file.read()
                self.assertNotIn(b"ZEBRA-", content, name)
                self.assertNotIn(b"Quagga", content, name)

        # Again, and with another number of threads: nothing to do, nothing touched.
        self.plan("plan", "--case-threads", 2)
        results = {path: os.stat(path).st_mtime_ns for path in glob.glob(os.path.join(plan, "results", "*", "case.json"))}
        again = run("batch", "run", plan)
        self.assertIn("0 done, 0 refused, 0 failed, 1 left", again.stdout)
        self.assertEqual(results, {path: os.stat(path).st_mtime_ns for path in results})

        # Planned again: the same cases; an edited case file is kept and its case alone runs again.
        edited = next(case for case, c in after.items() if c["state"] == "done")
        with open(os.path.join(plan, "cases", edited + ".yaml"), "a", encoding="ascii") as file:
            file.write("# a reader's remark\n")
        _, said = self.plan("plan")
        self.assertIn(edited + ": the case file was edited and is kept", said)
        self.assertEqual({case: c["state"] for case, c in states(plan).items()}, {case: "outdated" if case == edited else c["state"] for case, c in after.items()})
        again = run("batch", "run", plan)
        self.assertIn("1 done, 0 refused, 0 failed, 1 left", again.stdout)
        changed = [path for path in results if os.stat(path).st_mtime_ns != results[path]]
        self.assertEqual([os.path.basename(os.path.dirname(path)) for path in changed], [edited])

    def test_killed_and_shared_every_case_is_done_once_and_the_same(self):
        undisturbed, _ = self.plan("undisturbed")
        self.assertEqual(run("batch", "run", undisturbed).returncode, 0)
        plan, _ = self.plan("disturbed", "--case-threads", 2)
        for attempt in range(3):
            runner = subprocess.Popen([PROGRAM, "batch", "run", plan, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.15 + 0.2 * attempt)
            runner.send_signal(signal.SIGKILL)
            runner.wait()
            # Its workers end by themselves, and the claims with them.
            for _ in range(200):
                if not any(c["state"] == "running" for c in states(plan).values()):
                    break
                time.sleep(0.05)
            self.assertFalse(any(c["state"] == "running" for c in states(plan).values()), "a claim outlived its worker")
        runners = [subprocess.Popen([PROGRAM, "batch", "resume", plan, "--jobs", "2"], stdout=subprocess.PIPE, text=True) for _ in range(2)]
        done = [int(runner.communicate(timeout=300)[0].split(" done")[0]) for runner in runners]
        # The one that ends first says that cases are still at work elsewhere.
        self.assertIn(sorted(runner.returncode for runner in runners), ([0, 0], [0, 3]))
        after = states(plan)
        self.assertEqual(collections.Counter(c["state"] for c in after.values()), {"done": 4, "waiting": 1})
        self.assertLessEqual(sum(done), 4)
        self.assertEqual([c["attempts"] for c in after.values() if c["state"] == "done"], [1] * 4)
        left = [name for name in os.listdir(os.path.join(plan, "results")) if not os.path.exists(os.path.join(undisturbed, "results", name))]
        self.assertEqual(left, [])
        for case, c in after.items():
            if c["state"] != "done":
                continue
            ours, theirs = (os.path.join(p, "results", case) for p in (plan, undisturbed))
            names = sorted(os.path.relpath(os.path.join(folder, name), theirs) for folder, _, files in os.walk(theirs) for name in files)
            self.assertEqual(names, sorted(os.path.relpath(os.path.join(folder, name), ours) for folder, _, files in os.walk(ours) for name in files))
            same, different, broken = filecmp.cmpfiles(ours, theirs, names, shallow=False)
            self.assertEqual((different, broken), ([], []), case)
            self.assertGreater(len(same), 10)

    def test_one_that_fails_stops_nobody_and_says_why(self):
        plan, _ = self.plan("failing")
        cases = sorted(case for case, c in states(plan).items() if c["state"] == "pending")
        with open(os.path.join(plan, "cases", cases[0] + ".yaml"), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(plan, "cases", cases[0] + ".yaml"), "w", encoding="utf-8") as file:
            file.write(text.replace("lesions:", "lesionz:"))
        shutil.rmtree(os.path.join(plan, "results"))
        with open(os.path.join(plan, "results"), "w", encoding="ascii") as file:
            file.write("no folder: nothing can be written\n")
        done = run("batch", "run", plan)
        self.assertEqual(done.returncode, 3, done.stdout)
        after = states(plan)
        self.assertEqual(after[cases[0]]["state"], "refused")
        self.assertIn("lesionz", after[cases[0]]["reason"])
        for case in cases[1:]:
            self.assertEqual(after[case]["state"], "failed", after[case])
            self.assertNotEqual(after[case]["reason"], "")
        # Failures are not tried again by run, and are by resume once the disk is there.
        idle = run("batch", "run", plan)
        self.assertIn("0 done, 0 refused, 0 failed, 5 left", idle.stdout)
        self.assertEqual(idle.returncode, 3)  # what failed before is not done
        os.remove(os.path.join(plan, "results"))
        os.mkdir(os.path.join(plan, "results"))
        again = run("batch", "resume", plan)
        self.assertIn("3 done", again.stdout)
        collected = run("batch", "collect", plan)
        self.assertEqual(collected.returncode, 0, collected.stderr)
        with open(os.path.join(plan, "cohort", "cases.csv"), encoding="utf-8", newline="") as file:
            self.assertEqual(collections.Counter(row["state"] for row in csv.DictReader(file)), {"done": 3, "refused": 1, "waiting": 1})

    def test_a_case_that_hangs_or_needs_too_much_is_ended_and_named(self):
        plan, _ = self.plan("limits")
        cases = sorted(case for case, c in states(plan).items() if c["state"] == "pending")
        # A pipe nobody writes to, where a mask should be: whoever opens it waits for ever.
        file = os.path.join(plan, "cases", cases[0] + ".yaml")
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        start = text.index("{marks:")
        os.mkfifo(os.path.join(plan, "cases", "hangs.nii"))
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(text[:start] + "{mask: hangs.nii}\n")
        done = run("batch", "run", plan, "--jobs", 2, "--time-limit", 20, "--only", cases[0], "--only", cases[1], timeout=120)
        self.assertEqual(done.returncode, 3)
        after = states(plan)
        self.assertEqual((after[cases[0]]["state"], after[cases[1]]["state"]), ("failed", "done"))
        self.assertIn("took longer than 20 s", after[cases[0]]["reason"])
        done = run("batch", "run", plan, "--only", cases[2], "--memory", 0.0001)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(states(plan)[cases[2]]["code"], "memory")

    def test_cases_whose_memory_does_not_fit_together_are_never_at_work_together(self):
        plan, _ = self.plan("memory")
        cases = sorted(case for case, c in states(plan).items() if c["state"] == "pending")[:2]
        needed = [c["memory_gb"] for c in read_json(os.path.join(plan, "plan.json"))["cases"] if c["id"] in cases]
        hold(plan, cases)

        def looks():
            """How often the runner slept: it does so whenever it looked for a case to start and started none."""
            with open(f"/proc/{batch.runner.pid}/status", encoding="ascii") as file:
                return next(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))

        with Held(plan, cases, "--jobs", 2, "--memory", sum(needed) + min(needed) / 2) as batch:
            self.assertTrue(batch.until(lambda: list(batch.at_work()) == cases), batch.at_work())
        with Held(plan, cases, "--jobs", 2, "--memory", sum(needed) - min(needed) / 2) as batch:
            for case in cases:
                self.assertTrue(batch.until(lambda: list(batch.at_work()) == [case]), batch.at_work())  # the second only once the first has ended
                before = looks()
                self.assertTrue(batch.until(lambda: looks() > before + 20 or len(batch.at_work()) > 1))
                self.assertEqual(list(batch.at_work()), [case])
                batch.kill(*batch.at_work().values())

    def test_a_terminal_shows_how_far_the_batch_is_how_fast_and_how_long_it_will_take(self):
        plan, _ = self.plan("terminal")
        planned = read_json(os.path.join(plan, "plan.json"))
        first, held = sorted(case for case, c in states(plan).items() if c["state"] == "pending")[:2]
        # A thousand more, so that there are minutes left; behind the one that is held nobody gets at them.
        planned["cases"] = [c for c in planned["cases"] if c["id"] in (first, held)]
        planned["cases"] += [{**planned["cases"][1], "id": f"Z-{n:04d}"} for n in range(1000)]
        with open(os.path.join(plan, "plan.json"), "w", encoding="utf-8") as file:
            json.dump(planned, file)
        hold(plan, [held])
        terminal, screen = pty.openpty()
        self.addCleanup(os.close, terminal)
        begun = time.monotonic()
        with Held(plan, [c["id"] for c in planned["cases"]], screen=screen):
            os.close(screen)
            shown, said = b"", []
            while len({rate for rate, _ in said}) < 2 and time.monotonic() < begun + 60 * SLOWER and select.select([terminal], [], [], 60 * SLOWER)[0]:
                shown += os.read(terminal, 4096)
                said = [tuple(map(int, found)) for found in re.findall(rb"\r1 of 1002 cases, 1 at work, 0 not done, (\d+) an hour, (\d+) min left, 0 %", shown)]
            took = time.monotonic() - begun
        self.assertGreater(len(said), 1, shown)
        alone = read_json(os.path.join(plan, "state", first + ".json"))["wall_s"]
        self.assertGreater(said[0][0], said[-1][0])  # nothing is done meanwhile
        for rate, minutes in said:
            self.assertTrue(3600 / took - 1 <= rate <= 3600 / alone + 1, (rate, alone, took))
            self.assertAlmostEqual(minutes, 1001 * 60 / rate, delta=1 + 1001 * 30 / rate ** 2)  # both are rounded

    def test_ctrl_c_leaves_a_clean_state(self):
        plan, _ = self.plan("interrupted")
        runner = subprocess.Popen([PROGRAM, "batch", "run", plan], stdout=subprocess.PIPE, text=True)
        begun = time.monotonic()
        while not os.listdir(os.path.join(plan, "logs")) and time.monotonic() - begun < 30:  # a busy machine takes its time until the first worker is at work
            time.sleep(0.05)
        time.sleep(0.2)
        runner.send_signal(signal.SIGINT)
        said = runner.communicate(timeout=30)[0]
        self.assertEqual(runner.returncode, 3, said)
        self.assertIn("stopped on request", said)
        self.assertTrue(all(c["state"] in ("pending", "done", "waiting") for c in states(plan).values()))
        self.assertEqual([name for name in os.listdir(os.path.join(plan, "results")) if "partial" in name], [])
        self.assertIn("0 failed, 1 left", run("batch", "run", plan).stdout)

    def test_a_folder_of_something_else_is_not_taken(self):
        folder = self.path("photos")
        os.makedirs(folder)
        with open(os.path.join(folder, "cat.jpg"), "w", encoding="ascii") as file:
            file.write("cat\n")
        done = run("batch", "plan", self.archive, "-o", folder)
        self.assertEqual(done.returncode, 4)
        self.assertIn("is no plan", done.stderr)

    def copy_of(self, name, patients):
        """A folder of some of the archive's patients."""
        folder = self.path(name)
        os.makedirs(folder)
        for n in patients:
            for file in glob.glob(os.path.join(self.archive, f"*-{n}.dcm")):
                shutil.copy(file, folder)
        return folder

    def test_a_plan_inside_its_archive_would_find_its_own_results(self):
        folder = self.copy_of("own", [0])
        done = run("batch", "plan", folder, "-o", os.path.join(folder, "plan"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("inside the archive", done.stderr)

    def test_a_new_delivery_neither_splits_nor_shortens_a_case(self):
        first, second = self.copy_of("delivery-1", [0]), self.copy_of("delivery-2", [1])
        for file in glob.glob(os.path.join(second, "*.dcm")):
            image = pydicom.dcmread(file)
            image.PatientID = "ZEBRA-0"
            image.StudyDate = image.SeriesDate = image.AcquisitionDate = "20200601"
            image.save_as(file)
        plan = self.path("delivered")
        self.assertEqual(run("batch", "plan", first, "-o", plan, "--marks", self.lines).returncode, 0)
        with open(os.path.join(plan, "cases", "P-00001.yaml"), encoding="utf-8") as file:
            before = file.read()
        alone = run("batch", "plan", second, "-o", plan, "--marks", self.lines)
        self.assertIn("P-00001: studies of this case are not in the archive that was given", alone.stdout)
        self.assertEqual(sorted(states(plan)), ["P-00001"])
        with open(os.path.join(plan, "cases", "P-00001.yaml"), encoding="utf-8") as file:
            self.assertEqual(file.read(), before)
        both = run("batch", "plan", first, second, "-o", plan, "--marks", self.lines)
        self.assertEqual(both.returncode, 0, both.stderr)
        with open(os.path.join(plan, "cases", "P-00001.yaml"), encoding="utf-8") as file:
            self.assertEqual(file.read().count("- id: \"2020"), 2)

    def test_what_the_draft_leaves_out_waits_for_somebody_to_look(self):
        folder = self.copy_of("left-out", [0, 1])
        for n, file in enumerate(sorted(glob.glob(os.path.join(folder, "*-1.dcm")))):
            image = pydicom.dcmread(file)
            image.PatientID = "ZEBRA-0"
            if n in (20, 21):
                os.remove(file)  # a study with a gap: refused, and the other would be measured without it
            else:
                image.save_as(file)
        plan = self.path("left-out-plan")
        planned = run("batch", "plan", folder, "-o", plan, "--marks", self.lines)
        self.assertIn("P-00001: a study without a series to measure", planned.stdout)
        run("batch", "run", plan)
        state = states(plan)["P-00001"]
        self.assertEqual(state["state"], "waiting")
        self.assertIn("a study without a series to measure", state["reason"])
        with open(os.path.join(plan, "cases", "P-00001.yaml"), "a", encoding="ascii") as file:
            file.write("# looked at: that study is not usable\n")
        run("batch", "run", plan)
        self.assertEqual(states(plan)["P-00001"]["state"], "done")

    def test_a_case_file_of_another_case_and_a_protocol_that_changed_are_seen(self):
        plan, _ = self.plan("names")
        one, two = sorted(case for case, c in states(plan).items() if c["state"] == "pending")[:2]
        protocol = os.path.join(plan, "cases", "trial.yaml")
        with open(protocol, "w", encoding="ascii") as file:
            file.write("protocol: TRIAL-1\nversion: 1\nresponse: {primary: recist-1.1}\n")
        with open(os.path.join(plan, "cases", one + ".yaml"), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(plan, "cases", one + ".yaml"), "w", encoding="utf-8") as file:
            file.write(text + "protocol: trial.yaml\n")
        with open(os.path.join(plan, "cases", two + ".yaml"), "w", encoding="utf-8") as file:
            file.write(text)
        self.assertIn("states case " + one, states(plan)[two]["reason"])
        run("batch", "run", plan, "--only", one)
        self.assertEqual(states(plan)[one]["state"], "done", states(plan)[one])
        with open(protocol, "w", encoding="ascii") as file:
            file.write("protocol: TRIAL-1\nversion: 2\nresponse: {primary: who}\n")
        self.assertEqual(states(plan)[one]["state"], "outdated")

    def test_a_result_that_cannot_be_read_costs_only_itself(self):
        plan, _ = self.plan("damaged")
        self.assertEqual(run("batch", "run", plan).returncode, 0)
        done = sorted(case for case, c in states(plan).items() if c["state"] == "done")
        with open(os.path.join(plan, "results", done[0], "measurements.csv"), "w", encoding="ascii"):
            pass
        os.remove(os.path.join(plan, "results", done[1], "response.csv"))
        self.assertEqual(run("batch", "collect", plan).returncode, 0)
        with open(os.path.join(plan, "cohort", "measurements.csv"), encoding="utf-8", newline="") as file:
            self.assertEqual(sorted(row["case"] for row in csv.DictReader(file)), done[2:])
        with open(os.path.join(plan, "cohort", "cases.csv"), encoding="utf-8", newline="") as file:
            rows = {row["case"]: row for row in csv.DictReader(file)}
        self.assertEqual([rows[case]["state"] for case in done], ["pending", "pending", "done", "done"])
        self.assertEqual([rows[case]["reason"] for case in done[:2]], ["its result is damaged: measurements.csv is not what was written", "its result is damaged: response.csv is missing"])

    def test_a_settings_file_is_kept_with_the_plan_and_stands_in_every_result_and_case_files_count_before_it(self):
        settings = self.path("site.yaml")

        def state(version):
            with open(settings, "w", encoding="ascii") as file:
                file.write(f"settings: 1\nname: site A\nversion: {version}\nmethod: energy\npolicies: {{confirmation: required, sd_min_days: {48 + version}}}\n")

        state(1)
        plan, _ = self.plan("settled", "--settings", settings)
        one, two = sorted(case for case, c in states(plan).items() if c["state"] == "pending")[:2]
        with open(os.path.join(plan, "cases", two + ".yaml"), "a", encoding="ascii") as file:
            file.write("response: {policies: {confirmation: none}}\n")
        os.remove(settings)
        only = ("--only", one, "--only", two)
        self.assertIn("2 done", run("batch", "run", plan, *only).stdout)
        found = {case: read_json(os.path.join(plan, "results", case, "provenance.json")) for case in (one, two)}
        for p in found.values():
            self.assertRegex(p["settings"]["settings file"], "^site A version 1, SHA-256 [0-9a-f]{64}$")
            self.assertEqual((p["settings"]["segmentation method"], p["policies"]["sd_min_days"]), ("energy", "49"))
        self.assertEqual([found[case]["policies"]["confirmation"] for case in (one, two)], ["required", "none"])

        state(2)
        self.plan("settled", "--settings", settings)
        self.assertEqual([states(plan)[case]["state"] for case in (one, two)], ["outdated", "outdated"])
        self.assertIn("1 done", run("batch", "run", plan, "--only", one).stdout)
        self.assertEqual(read_json(os.path.join(plan, "results", one, "provenance.json"))["policies"]["sd_min_days"], "50")
        with open(settings, "a", encoding="ascii") as file:
            file.write("polices: {}\n")
        refused = run("batch", "plan", self.archive, "-o", plan, "--settings", settings)
        self.assertEqual(refused.returncode, 4)
        self.assertIn("line 6: unknown key 'polices' in the settings file; did you mean 'policies'?", refused.stderr)

    def test_a_protocol_is_the_plans_stands_in_every_file_that_is_collected_and_changes_by_its_version_alone(self):
        protocol = self.path("protocol.yaml")

        def state(version, days, where=protocol):
            with open(where, "w", encoding="ascii") as file:
                file.write(f"protocol: TRIAL-1\nversion: {version}\nresponse: {{policies: {{sd_min_days: {days}}}}}\n")

        def name_in(case):
            return read_json(os.path.join(plan, "results", case, "case.json"))["response"]["protocol"]

        state(1, 49)
        plan, _ = self.plan("trial", "--protocol", protocol)
        one, two = sorted(case for case, c in states(plan).items() if c["state"] == "pending")[:2]
        self.assertIn("1 done", run("batch", "run", plan, "--only", one).stdout)
        name = name_in(one)
        self.assertRegex(name, "^TRIAL-1 version 1, SHA-256 [0-9a-f]{64}$")
        self.assertEqual(run("batch", "collect", plan).returncode, 0)
        for file in files_of(os.path.join(plan, "cohort")):
            self.assertIn(name.encode("ascii"), content(os.path.join(plan, "cohort", file)), file)
        page = self.path("trial-review.html")
        self.assertEqual(run("batch", "review", plan, "-o", page).returncode, 0)
        self.assertIn(name.encode("ascii"), content(page))

        # Other rules under the same version: not planned, and not run where somebody changes the plan's copy by hand.
        state(1, 42)
        refused = run("batch", "plan", self.archive, "-o", plan, "--marks", self.lines, "--protocol", protocol)
        self.assertEqual(refused.returncode, 4)
        kept = os.path.join(plan, "protocol.yaml")
        for said in (name[-64:], kept, protocol, "2 sets of rules", "higher version"):
            self.assertIn(said, refused.stderr)
        self.assertEqual(run("batch", "plan", self.archive, "-o", plan, "--marks", self.lines).returncode, 4, "the protocol cannot be left out")
        self.assertEqual(states(plan)[one]["state"], "done")
        state(1, 42, kept)
        refused = run("batch", "run", plan)
        self.assertEqual(refused.returncode, 4)
        for said in (name[-64:], kept, os.path.join(plan, "results", one)):
            self.assertIn(said, refused.stderr)
        self.assertFalse(os.path.exists(os.path.join(plan, "results", two)))
        state(1, 49, kept)
        self.assertEqual(states(plan)[one]["state"], "done")

        # A higher version: what was done is outdated, and what is done from now on names the new one.
        state(2, 42)
        self.plan("trial", "--protocol", protocol)
        self.assertEqual(states(plan)[one]["state"], "outdated")
        self.assertIn("1 done", run("batch", "run", plan, "--only", two).stdout)
        self.assertRegex(name_in(two), "^TRIAL-1 version 2, ")
        self.assertIn("1 done", run("batch", "run", plan, "--only", one).stdout)
        self.assertEqual(name_in(one), name_in(two))

    def test_cases_of_one_version_with_two_sets_of_rules_are_not_collected(self):
        plan, _ = self.plan("two-rules")
        pair = sorted(case for case, c in states(plan).items() if c["state"] == "pending")[:2]
        for case, days in zip(pair, (49, 42)):
            with open(os.path.join(plan, "cases", f"trial-{days}.yaml"), "w", encoding="ascii") as file:
                file.write(f"protocol: TRIAL-1\nversion: 1\nresponse: {{policies: {{sd_min_days: {days}}}}}\n")
            with open(os.path.join(plan, "cases", case + ".yaml"), "a", encoding="ascii") as file:
                file.write(f"protocol: trial-{days}.yaml\n")
        refused = run("batch", "run", plan)
        self.assertEqual(refused.returncode, 4)
        for case in pair:
            self.assertIn(os.path.join(plan, "cases", case + ".yaml"), refused.stderr)
            self.assertIn("1 done", run("batch", "run", plan, "--only", case).stdout, "one of them alone contradicts nothing")
        refused = run("batch", "collect", plan)
        self.assertEqual(refused.returncode, 4)
        for case in pair:
            self.assertIn(read_json(os.path.join(plan, "results", case, "case.json"))["response"]["protocol"][-64:] + " in " + os.path.join(plan, "results", case), refused.stderr)
        self.assertFalse(os.path.exists(os.path.join(plan, "cohort", "measurements.csv")))

    def test_a_case_file_that_names_more_by_now_needs_more_memory(self):
        plan, _ = self.plan("more")
        case, planned = next((c["id"], c["memory_gb"]) for c in read_json(os.path.join(plan, "plan.json"))["cases"])
        path = os.path.join(plan, "cases", case + ".yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        head, point = (text.split("\nlesions:")[0] + "\n").split("  - id: ")
        again = point.replace(point.split('"')[1], "again", 1)
        with open(path, "w", encoding="utf-8") as file:  # the same scan as a second time point
            file.write(text.replace(head + "  - id: " + point, f"{head}  - id: {point}    visit: first\n  - id: {again}    visit: second\n"))
        done = run("batch", "run", plan, "--only", case, "--memory", 1.2 * planned)
        now = states(plan)[case]
        self.assertEqual((now["state"], now["code"]), ("failed", "memory"), (now, done.stdout))
        self.assertEqual(run("batch", "resume", plan, "--only", case, "--memory", 2.2 * planned).returncode, 0, states(plan)[case])

    def test_the_log_of_a_plan_is_a_json_object_a_line_and_names_no_patient(self):
        plan, _ = self.plan("logged")
        cases = sorted(case for case, c in states(plan).items() if c["state"] == "pending")
        with open(os.path.join(plan, "cases", cases[1] + ".yaml"), "a", encoding="utf-8") as file:
            file.write("lesionz: []\n")
        run("batch", "run", plan, "--jobs", 2, "--only", cases[0], "--only", cases[1], "--only", cases[2])
        with open(os.path.join(plan, "logs", f"batch-{socket.gethostname()}.jsonl"), encoding="utf-8") as file:
            text = file.read()
        lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual([(l["event"], l.get("case")) for l in lines if l["event"].startswith("run-")], [("run-started", None), ("run-ended", None)])
        self.assertEqual({(l["case"], l["state"]) for l in lines if l["event"] == "case-ended"}, {(cases[0], "done"), (cases[2], "done")})
        self.assertEqual({l["case"] for l in lines if l["event"] == "case-started"}, {cases[0], cases[2]})
        self.assertEqual((lines[0]["cases"], lines[0]["jobs"], lines[-1]["done"], lines[-1]["left"]), (3, 2, 2, 1))
        self.assertEqual({l["host"] for l in lines}, {socket.gethostname()})
        for l in lines:
            datetime.datetime.strptime(l["time"], "%Y-%m-%dT%H:%M:%SZ")
        self.assertGreater(next(l for l in lines if l["event"] == "case-ended")["wall_s"], 0)
        self.assertNotIn("ZEBRA", text)

    def test_a_manifest_names_subjects_and_lists_what_does_not_match(self):
        study, other = list(self.size_of_study)[:2]
        manifest = self.path("manifest.csv")
        with open(manifest, "w", encoding="ascii") as file:
            file.write(f"study_uid,studyid,usubjid,visit,day,site,reader\n{study},TRIAL-1,S-017,WEEK 0,0,012,R1\n1.2.3,TRIAL-1,S-099,WEEK 0,0,012,R1\n")
        plan = self.path("with-manifest")
        done = run("batch", "plan", self.archive, "-o", plan, "--manifest", manifest)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("study 1.2.3 is not in the archive", done.stdout)
        self.assertIn(f"study {other} is not in the manifest", done.stdout)
        with open(os.path.join(plan, "cases", "S-017.yaml"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn('visit: "WEEK 0"', text)
        self.assertIn('reader: "R1"', text)
        with open(manifest, "w", encoding="ascii") as file:
            file.write(f"study_uid,usubjid\n{study},../../etc\n")
        done = run("batch", "plan", self.archive, "-o", self.path("bad"), "--manifest", manifest)
        self.assertEqual(done.returncode, 4)
        self.assertIn("manifest.csv line 2", done.stderr)

    def test_changed_settings_make_outdated_what_was_done_with_others_and_run_does_that_alone_again(self):
        archive, plan = self.copy_of("three", [0, 1, 2]), self.path("settings")
        one, two, new = cases = ["P-00001", "P-00002", "P-00003"]

        def planned(*settings):
            """Planned again with these settings: the states of the cases."""
            done = run("batch", "plan", archive, "-o", plan, "--marks", self.lines, *settings)
            self.assertEqual(done.returncode, 0, done.stderr)
            now = states(plan)
            return [now[case]["state"] for case in cases]

        def rule_and_file(case):
            result = os.path.join(plan, "results", case, "provenance.json")
            return read_json(result)["policies"]["local_therapy"], os.stat(result).st_ino

        policy = ("--policy", "local_therapy=keep")
        self.assertEqual(planned(), ["pending"] * 3)
        self.assertIn("2 done", run("batch", "run", plan, "--jobs", 2, "--only", one, two).stdout)
        first = rule_and_file(two)
        self.assertEqual(first[0], "ne")
        self.assertEqual(planned(*policy), ["outdated", "outdated", "pending"])
        self.assertIn("1 done", run("batch", "run", plan, "--only", one).stdout)
        self.assertEqual(rule_and_file(one)[0], "keep")
        self.assertEqual(planned(*policy), ["done", "outdated", "pending"])
        self.assertEqual(planned(*policy, "--method", "energy"), ["outdated", "outdated", "pending"])
        # As at first: what was done then is valid again, what was done since is not.
        self.assertEqual(planned(), ["outdated", "done", "pending"])
        self.assertIn("2 done, 0 refused, 0 failed, 0 left", run("batch", "run", plan, "--jobs", 2).stdout)
        self.assertEqual((rule_and_file(one)[0], rule_and_file(two), rule_and_file(new)[0]), ("ne", first, "ne"))

    def test_a_manifest_finds_studies_by_their_folder_and_its_words_reach_case_file_and_table(self):
        root = self.copy_of("by-folder", [])
        for name, n, patient in (("first visit", 0, 0), ("second", 1, 0), ("two/of", 2, 2), ("two/these", 3, 3)):
            os.makedirs(os.path.join(root, name))
            for file in glob.glob(os.path.join(self.archive, f"*-{n}.dcm")):
                image = pydicom.dcmread(file)
                image.PatientID = f"ZEBRA-{patient}"
                if n != patient:
                    image.StudyDate = image.SeriesDate = image.AcquisitionDate = "20200601"
                image.save_as(os.path.join(root, name, os.path.basename(file)))
        manifest = os.path.join(root, "lists", "manifest.csv")
        os.mkdir(os.path.dirname(manifest))
        with open(manifest, "w", encoding="ascii") as file:
            file.write("folder,studyid,usubjid,visit,day,site,reader\n../first visit,TRIAL-1,S-017,SCREENING,-7,012,R1\n../second/,TRIAL-1,S-017,,140,012,R2\n"
                       "../two,TRIAL-1,S-018,SCREENING,0,013,R1\n../first,TRIAL-1,S-019,SCREENING,0,013,R1\n")
        plan = self.path("plan-by-folder")
        done = run("batch", "plan", root, "-o", plan, "--manifest", manifest, "--marks", self.lines)
        self.assertEqual(done.returncode, 0, done.stderr)
        for line, folder in ((4, "two"), (5, "first")):  # of two patients, and the beginning of a name alone
            self.assertIn(f"manifest.csv line {line}: folder {os.path.join(root, folder)} is not in the archive", done.stdout)
        self.assertEqual(done.stdout.count("is not in the archive, has a row already"), 2)
        with open(os.path.join(plan, "cases", "S-017.yaml"), encoding="utf-8") as file:
            first, second = file.read().split("\nlesions:")[0].split('  - id: "')[1:]
        for text, date, words in ((first, "2020-01-01", ('reader: "R1"', "# planned for day -7", 'visit: "SCREENING"')), (second, "2020-06-01", ('reader: "R2"', "# planned for day 140", 'visit: "day 140"'))):
            self.assertTrue(text.startswith(date), text)
            for word in words:
                self.assertIn(f"    {word}\n", text)
        self.assertIn("1 done", run("batch", "run", plan, "--only", "S-017").stdout)
        timepoints = read_json(os.path.join(plan, "results", "S-017", "case.json"))["timepoints"]
        self.assertEqual([(t["date"], t["visit"], t["reader"]) for t in timepoints], [("2020-01-01", "SCREENING", "R1"), ("2020-06-01", "day 140", "R2")])  # 152 days apart, planned for 147
        self.assertEqual(run("batch", "collect", plan).returncode, 0)
        with open(os.path.join(plan, "cohort", "cases.csv"), encoding="utf-8", newline="") as file:
            rows = {row["case"]: (row["studyid"], row["site"]) for row in csv.DictReader(file)}
        self.assertEqual(rows.pop("S-017"), ("TRIAL-1", "012"))
        self.assertEqual(list(rows.values()), [("", ""), ("", "")])

    def test_reports_presentation_states_and_segments_in_one_flat_archive_are_each_their_own_patients_prompt(self):
        archive = self.copy_of("objects", [0, 1, 2])
        middle, lines = {}, {}
        for n in range(3):
            images = [pydicom.dcmread(file, stop_before_pixels=True) for file in glob.glob(os.path.join(archive, f"*-{n}.dcm"))]
            middle[n] = sorted(images, key=lambda image: float(image.ImagePositionPatient[2]))[24]
            lines[n] = (48 - SIZES[n] / 1.6, 48, 48 + SIZES[n] / 1.6, 48)  # as in balls_archive.py
        ohif_report(middle[0], [("1.2.3.4.1", [(LONG, SIZES[0], lines[0])])]).save_as(os.path.join(archive, "a"), write_like_original=False)
        presentation_state(middle[1], [lines[1]], "PIXEL").save_as(os.path.join(archive, "b"), write_like_original=False)
        x, y, z = map(float, middle[2].ImagePositionPatient)
        line = (x + 38 - SIZES[2] / 2, y + 38, z, x + 38 + SIZES[2] / 2, y + 38, z)
        done = run("segment", self.copy_of("segmented", [2]), "--line=" + ",".join(map(str, line)), "-o", self.path("c.nii.gz"), "--seg", os.path.join(archive, "c"))
        self.assertEqual(done.returncode, 0, done.stderr)
        plan = self.path("plan-of-objects")
        done = run("batch", "plan", archive, "-o", plan, "--label", "T1")
        self.assertEqual(done.returncode, 0, done.stderr)
        planned = read_json(os.path.join(plan, "plan.json"))["cases"]
        self.assertEqual([state["state"] for state in states(plan).values()], ["pending"] * 3)
        prompts = {SIZES[0]: '{marks: "../../objects/a", mark: "1.2.3.4.1"}', SIZES[1]: '{marks: "../../objects/b", mark: "line 1"}', SIZES[2]: '{mask: "../../objects/c", label: "T1"}'}
        for case in planned:
            with open(os.path.join(plan, "cases", case["id"] + ".yaml"), encoding="utf-8") as file:
                text = file.read()
            self.assertEqual(re.findall(r'^      "2020-01-01": (.*)$', text, re.M), [prompts[self.size_of(plan, case["id"])]], text)
        self.assertIn("3 done", run("batch", "run", plan, "--jobs", 2).stdout)
        for case in planned:
            lesion, = read_json(os.path.join(plan, "results", case["id"], "case.json"))["timepoints"][0]["lesions"]
            # A ball's diameter in pixels of 0.8 mm, noise and a prompt along it: two pixels.
            self.assertAlmostEqual(lesion["long_axis_mm"]["value"], self.size_of(plan, case["id"]), delta=1.6)

    def test_links_are_followed_tables_beside_the_images_are_read_and_what_cannot_be_is_named(self):
        archive = self.path("links")
        os.makedirs(archive)
        os.symlink(self.archive, os.path.join(archive, "linked"))
        gone = os.path.join(archive, "gone")
        os.symlink(self.path("nowhere"), gone)
        for name in ("LINES.CSV", "copy of lines.csv"):  # a copy says nothing new
            shutil.copy(self.lines, os.path.join(archive, name))
        with open(os.path.join(archive, "broken.csv"), "w", encoding="ascii") as file:
            file.write("sop_instance_uid,x1\n1.2.3,7\n")
        plan = self.path("plan-of-links")
        done = run("batch", "plan", archive, "-o", plan)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"{gone} cannot be read", done.stdout)
        self.assertIn("not taken: broken.csv", done.stdout)
        self.assertEqual(collections.Counter(c["state"] for c in states(plan).values()), {"pending": 4, "waiting": 1})
        for table in glob.glob(os.path.join(plan, "cases", "*.lines-*.csv")):
            with open(table, encoding="ascii") as file:
                rows = file.read().splitlines()
            self.assertEqual(len(rows), len(set(rows)))

    def test_a_mask_of_another_scan_holds_a_case_up_where_a_name_was_asked_for(self):
        sarcoma = real_data(self, "sts", "STS_046")  # its contours name another frame of reference than its CT
        for labels, held in (((), False), (("--label", "gtv*"), True)):
            plan = self.path("asked" if held else "not-asked")
            self.assertEqual(run("batch", "plan", sarcoma, "-o", plan, *labels).returncode, 0)
            case, = states(plan).values()
            self.assertEqual("it lies in frame of reference" in case["reason"], held)
            with open(os.path.join(plan, "cases", case["case"] + ".yaml"), encoding="utf-8") as file:
                self.assertIn(("# not taken: " if held else "# fits no series here: "), file.read())


if __name__ == "__main__":
    unittest.main()
