#!/usr/bin/python3
"""workflow/Snakefile and its profile under the real Snakemake: what ended is marked so, what is at work elsewhere is not, and one that was killed goes on."""
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import unittest

from balls_archive import Archive
from batch_workers import Held, hold, worker_of
from program import PROGRAM, InScratch, content, run, run_json
from slurm_cluster import wait_for

WORKFLOW = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "workflow")


class Workflow(InScratch):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("snakemake"):
            if os.environ.get("RETROMASS_REQUIRE_SNAKEMAKE") == "1":
                raise AssertionError("required, but absent: snakemake")
            raise unittest.SkipTest("absent: snakemake: workflow/Snakefile was not run")
        super().setUpClass()

    def test_cases_that_ended_are_marked_and_one_at_work_elsewhere_is_run_later(self):
        made = Archive(self.scratch, (40, 24, 30, 28), unmarked=(3,))
        plan = self.path("a plan")
        self.assertEqual(run("batch", "plan", made.folder, "-o", plan, "--marks", made.lines).returncode, 0)
        states = lambda: {c["case"]: c for c in run_json("batch", "status", plan, "--json")["cases"]}
        held, refused, _ = sorted(case for case, c in states().items() if c["state"] == "pending")
        (waits,) = [case for case, c in states().items() if c["state"] == "waiting"]
        with open(os.path.join(plan, "cases", refused + ".yaml"), "a", encoding="utf-8") as file:
            file.write("lesionz: []\n")
        marked = lambda: sorted(name.removesuffix(".ended") for name in os.listdir(os.path.join(plan, "snakemake")))

        with open(os.path.join(plan, "state", held + ".lock"), "w", encoding="ascii") as file:  # as a runner on another node holds it
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("@hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
            first = self.snakemake(plan)
        self.assertNotEqual(first.returncode, 0)
        self.assertIn(f"{held} is running", first.stdout + first.stderr)
        self.assertNotIn(held, marked())
        self.assertIn(refused, marked())
        self.assertIn(waits, marked())
        self.assertFalse(os.path.exists(os.path.join(plan, "cohort")))

        again = self.snakemake(plan)
        self.assertEqual(again.returncode, 0, again.stdout + again.stderr)
        self.assertEqual(sorted(c["state"] for c in states().values()), ["done", "done", "refused", "waiting"])
        self.assertEqual([c["attempts"] for c in states().values() if c["state"] == "done"], [1, 1])
        self.assertTrue(os.path.exists(os.path.join(plan, "cohort", "cohort.html")))

    def test_one_that_was_killed_goes_on_by_the_same_command(self):
        made = Archive(self.path("killed"), (24, 30))
        plan = self.path("a killed plan")
        self.assertEqual(run("batch", "plan", made.folder, "-o", plan, "--marks", made.lines).returncode, 0)
        case = "P-00001"
        file = os.path.join(plan, "cases", case + ".yaml")
        as_planned = content(file)
        hold(plan, [case])
        killed = subprocess.Popen(self.command(plan), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.scratch, start_new_session=True)
        try:
            wait_for("the case at work", lambda: worker_of(plan, case))
            worker = worker_of(plan, case)
        finally:
            os.killpg(killed.pid, signal.SIGKILL)
            killed.wait()
        Held.kill(worker)  # in a group of its own, and waiting in a read
        wait_for("no worker left", lambda: not any(worker_of(plan, c) for c in (case, "P-00002")))  # theirs are the claims until then
        with open(file, "wb") as out:
            out.write(as_planned)

        again = self.snakemake(plan)
        self.assertEqual(again.returncode, 0, again.stdout + again.stderr)
        self.assertEqual([(c["state"], c["attempts"]) for c in run_json("batch", "status", plan, "--json")["cases"]], [("done", 1)] * 2)
        self.assertTrue(os.path.exists(os.path.join(plan, "cohort", "cohort.html")))

    @staticmethod
    def command(plan):
        return ["snakemake", "--snakefile", os.path.join(WORKFLOW, "Snakefile"), "--profile", os.path.join(WORKFLOW, "profile"), "--config", f"plan={plan}", f"retromass={PROGRAM}", "--cores", "2", "--nocolor"]

    def snakemake(self, plan):
        return subprocess.run(self.command(plan), capture_output=True, text=True, timeout=300, cwd=self.scratch)


if __name__ == "__main__":
    unittest.main(verbosity=2)
