"""A case of two studies of exactly known size: a ball of 40 mm, then one of 24 mm."""
import json
import os
import shutil
import socket

from program import InScratch, run, run_json

CASE = """
case: P-1
timepoints:
  - {{id: before, ct: first, date: 2020-01-01, new_lesions: none, reader: R1}}
  - {{id: after, ct: second, date: 2020-03-01, new_lesions: none, reader: R1}}
treatments:
  - {{kind: systemic, line: 1, start: 2020-01-10, agents: [doxorubicin]}}
lesions:
  - id: T1
    site: retroperitoneum
    timepoints:
      before: {{line: [{a}, {b}]}}
      after: {{line: [{c}, {d}]}}
accept: [different-patient-ids]
"""


class TwoBalls(InScratch):
    """`case_file` is the case, its CTs lie in `first` and `second` beside it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ends = []
        for name, size in (("first", 40), ("second", 24)):
            folder = os.path.join(cls.scratch, "phantom-" + name)
            done = run("phantom", folder, "--shape", "ball", "--size", f"{size},{size},{size}", "--grid", "96,96,48", "--spacing", "0.8,0.8,2", "--seed", size)
            if done.returncode:
                raise AssertionError(done.stderr)
            shutil.move(os.path.join(folder, "ct"), os.path.join(cls.scratch, name))
            x, y, z = run_json("series", os.path.join(cls.scratch, name), "--json")["series"][0]["origin_lps_mm"]
            centre = (x + 0.8 * 47.5, y + 0.8 * 47.5, z + 47)
            ends += [[centre[0] + s * size / 2, centre[1], centre[2]] for s in (-1, 1)]
        cls.case_file = os.path.join(cls.scratch, "case.yaml")
        with open(cls.case_file, "w", encoding="utf-8") as file:
            file.write(CASE.format(**dict(zip("abcd", ends))))

    @classmethod
    def run_case(cls):
        """Runs the case as it now stands into `result`."""
        cls.result = os.path.join(cls.scratch, "result")
        done = run("run", cls.case_file, "-o", cls.result)
        if done.returncode:
            raise AssertionError(done.stderr)

    def copy_of_result(self, name):
        out = self.path(name)
        shutil.copytree(self.result, out)
        return out

    def lock(self, folder, pid, host=None):
        """As a window that is open on a result leaves it beside; answers the file."""
        with open(folder + ".lock", "w", encoding="utf-8") as file:
            json.dump({"host": host or socket.gethostname(), "user": "ward7", "pid": pid, "work": "view", "reader": "R9", "since": "2020-01-01T00:00:00Z"}, file)
        return folder + ".lock"

    def assert_in_use(self, done, lock, host=None):
        """Refused, and it says who has the result, since when, which file says so, and what to do."""
        self.assertEqual(done.returncode, 4, done.stderr)
        for said in ("in use", "ward7@" + (host or socket.gethostname()), "R9", "2020-01-01T00:00:00Z", "remove " + lock):
            self.assertIn(said, done.stderr)
