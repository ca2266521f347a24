#!/usr/bin/python3
"""The same inputs and settings give byte-identical case folders at any thread count and under any file names."""
import filecmp
import os
import shutil
import unittest

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


def tree(folder):
    return sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, files in os.walk(folder) for f in files)


class Repeats(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ends = {}
        for name, size in (("first", 40), ("second", 24)):
            folder = os.path.join(cls.scratch, "phantom-" + name)
            done = run("phantom", folder, "--shape", "ball", "--size", f"{size},{size},{size}", "--grid", "96,96,48", "--spacing", "0.8,0.8,2", "--seed", size)
            if done.returncode:
                raise AssertionError(done.stderr)
            shutil.move(os.path.join(folder, "ct"), os.path.join(cls.scratch, name))
            x, y, z = run_json("series", os.path.join(cls.scratch, name), "--json")["series"][0]["origin_lps_mm"]
            centre = (x + 0.8 * 47.5, y + 0.8 * 47.5, z + 47)
            ends[name] = [[centre[0] + s * size / 2, centre[1], centre[2]] for s in (-1, 1)]
        cls.case = os.path.join(cls.scratch, "case.yaml")
        with open(cls.case, "w", encoding="utf-8") as file:
            file.write(CASE.format(a=ends["first"][0], b=ends["first"][1], c=ends["second"][0], d=ends["second"][1]))
        os.environ["SOURCE_DATE_EPOCH"] = "1600000000"

    def result(self, name, *extra):
        out = self.path(name)
        done = run("run", self.case, "-o", out, *extra)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def assert_same(self, a, b, but=()):
        self.assertEqual(tree(a), tree(b))
        differing = [f for f in tree(a) if f not in but and not filecmp.cmp(os.path.join(a, f), os.path.join(b, f), shallow=False)]
        self.assertEqual(differing, [])

    def test_thread_counts_change_no_byte_but_of_the_command_in_provenance(self):
        one = self.result("one", "--threads", "1")
        four = self.result("four", "--threads", "4")
        self.assert_same(one, four, but=("provenance.json", "events.jsonl"))

    def test_file_names_change_no_number(self):
        first = self.result("named", "--threads", "2")
        folder = self.path("first")
        names = sorted(os.listdir(folder))
        for i, name in enumerate(names):  # reverses the order of the names
            os.rename(os.path.join(folder, name), os.path.join(folder, f"{len(names) - i:04d}.renamed"))
        second = self.result("renamed", "--threads", "2")
        with open(os.path.join(first, "measurements.csv"), encoding="utf-8") as a, open(os.path.join(second, "measurements.csv"), encoding="utf-8") as b:
            self.assertEqual(a.read(), b.read())

    def test_the_smaller_ball_is_a_partial_response_by_its_diameter(self):
        import json
        out = self.result("category")
        with open(os.path.join(out, "case.json"), encoding="utf-8") as file:
            rows = json.load(file)["response"]["recist"]
        last = [r for r in rows if r["timepoint"] == "after"][-1]
        self.assertEqual(last["overall"]["category"], "PR")                       # 24 mm of 40 mm: -40 %
        self.assertAlmostEqual(last["change_from_baseline_pct"], -40, delta=5)  # a pixel of 0.8 mm at each end of 24 mm


if __name__ == "__main__":
    unittest.main(verbosity=2)
