#!/usr/bin/python3
"""workflow/Snakefile under the real Snakemake: what ended is marked so, what is at work elsewhere is not."""
import fcntl
import os
import shutil
import struct
import subprocess
import unittest

from balls_archive import Archive
from program import PROGRAM, InScratch, run, run_json

SNAKEFILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "workflow", "Snakefile")


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

    def snakemake(self, plan):
        return subprocess.run(["snakemake", "--snakefile", SNAKEFILE, "--config", f"plan={plan}", f"retromass={PROGRAM}", "--cores", "2", "--keep-going", "--nocolor"],
                              capture_output=True, text=True, timeout=300, cwd=self.scratch)


if __name__ == "__main__":
    unittest.main(verbosity=2)
