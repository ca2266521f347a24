#!/usr/bin/python3
"""Which targets of a case are none by RECIST 1.1: the run says so beside the baseline, whatever the case file chose."""
import os
import unittest

from program import InScratch, read_json, run

CASE = """
case: P-1
timepoints:
  - {id: before, date: 2020-01-01, new_lesions: none, reader: R1}
  - {id: after, date: 2020-03-01, new_lesions: none, reader: R1}
treatments:
  - {kind: radiotherapy, start: 2019-10-01, end: 2019-10-20, lesions: [BONE]}
  - {kind: systemic, line: 1, start: 2020-01-10, agents: [doxorubicin]}
lesions:
  - {id: LIVER, organ: liver, timepoints: {before: {reported: {long_axis_mm: 40, source: report, by: R1}}, after: {reported: {long_axis_mm: 38, source: report, by: R1}}}}
  - {id: SMALL, organ: lung, timepoints: {before: {reported: {long_axis_mm: 9.9, source: report, by: R1}}, after: {reported: {long_axis_mm: 11, source: report, by: R1}}}}
  - {id: NODE, organ: groin, nodal: true, timepoints: {before: {reported: {long_axis_mm: 24, short_axis_mm: 14, source: report, by: R1}}, after: {reported: {long_axis_mm: 24, short_axis_mm: 14, source: report, by: R1}}}}
  - {id: BONE, organ: bone, timepoints: {before: {reported: {long_axis_mm: 50, source: report, by: R1}}, after: {reported: {long_axis_mm: 50, source: report, by: R1}}}}
"""


class Baseline(InScratch):
    def test_targets_that_are_none_by_rule_are_named_in_the_result_and_the_report(self):
        case, out = self.path("case.yaml"), self.path("result")
        with open(case, "w", encoding="ascii") as file:
            file.write(CASE)
        done = run("run", case, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = read_json(os.path.join(out, "case.json"))["response"]["recist"]
        said = {row["timepoint"]: [n["text"] for n in row["overall"]["notices"] if n["code"] == "target-not-eligible"] for row in rows}
        self.assertEqual([len(said["before"]), len(said["after"])], [1, 0], said)
        (text,) = said["before"]
        for why in ("SMALL (9.9 mm, below measurability (10 mm))", "NODE (14 mm short axis, below measurability (15 mm))", "BONE (treated locally before"):
            self.assertIn(why, text)
        self.assertNotIn("LIVER", text)
        with open(os.path.join(out, "report.html"), encoding="utf-8") as file:
            self.assertIn("SMALL (9.9 mm, below measurability", file.read())
        self.assertEqual(rows[1]["overall"]["category"], "SD")  # the reader's choice stands: 113 mm, then 113


if __name__ == "__main__":
    unittest.main()
