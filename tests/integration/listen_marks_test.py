#!/usr/bin/python3
"""Whose word counts at a storage node: marks that differ, reports that replace others, a reader who writes meanwhile, and our own objects."""
import glob
import os
import time
import unittest

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from listen_case_test import BALL, CaseNode, SIZE, SPACING
from marks_test import presentation_state
from orthanc import alone_on_the_network, needs_orthanc
from program import read_json, run

LESION = "match: {Modality: CT}\nlesions: [{id: T1, role: target, site: retroperitoneum}]\n"
MEASURED, MISSING = ": measured: P-", "needs a prompt, not measured"


class ListenMarks(CaseNode):
    def case_text(self, node):
        with open(os.path.join(self.cases(node)[0], "case.yaml"), encoding="utf-8") as file:
            return file.read()

    def state(self, node, what, instead):
        """A reader edits the case file."""
        text = self.case_text(node)
        self.assertIn(what, text)
        with open(os.path.join(self.cases(node)[0], "case.yaml"), "w", encoding="utf-8") as file:
            file.write(text.replace(what, instead, 1))

    def prompts(self, result):
        return [lesion["prompt"]["lines"] for lesion in read_json(os.path.join(result, "case.json"))["timepoints"][0]["lesions"]]

    def test_of_two_marks_of_one_lesion_none_is_taken_until_a_reader_chooses(self):
        self.template(LESION)
        with self.node() as node:
            first = self.report("first.dcm")
            self.send(node, *self.ct, first)
            node.wait_for(MEASURED, seconds=120)
            self.assert_true(self.results(node)[0])
            self.send(node, self.report("second.dcm", uid="1.2.3.4.2", half=0.6 * BALL / 2 / SPACING))
            node.wait_for(MISSING)
            self.assertIn("T1 at 2020-01-01", node.log())
            self.assertIn("# ambiguous: T1 at 2020-01-01", self.case_text(node))
            self.assertEqual(len(self.results(node)), 1)
            chosen = os.path.relpath(glob.glob(os.path.join(node.spool, "objects", "*", "*", pydicom.dcmread(first).SOPInstanceUID + ".dcm"))[0], os.path.join(node.spool, "objects"))
            self.state(node, "timepoints:\n      {}" if "timepoints:\n      {}" in self.case_text(node) else "timepoints: {}", f"timepoints: {{2020-01-01: {{marks: ct/{chosen}, mark: 1.2.3.4.1}}}}")
            self.send(node, self.report("other.dcm", tracking="another lesion", uid="1.2.3.4.3"))  # makes the study new
            node.wait_for("/results/0001 stands", seconds=120)  # the choice is what was measured before
            self.assertIn("# ambiguous: T1 at 2020-01-01", self.case_text(node))

    def test_a_report_that_replaces_another_takes_its_place(self):
        self.template(LESION)
        with self.node() as node:
            first = self.report("first.dcm", half=0.6 * BALL / 2 / SPACING)
            self.send(node, *self.ct, first)
            node.wait_for(MEASURED, seconds=120)
            old, corrected = pydicom.dcmread(first), pydicom.dcmread(self.report("corrected.dcm"))
            instance, series, study = Dataset(), Dataset(), Dataset()
            instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = old.SOPClassUID, old.SOPInstanceUID
            series.SeriesInstanceUID, series.ReferencedSOPSequence = old.SeriesInstanceUID, Sequence([instance])
            study.StudyInstanceUID, study.ReferencedSeriesSequence = old.StudyInstanceUID, Sequence([series])
            corrected.PredecessorDocumentsSequence = Sequence([study])
            self.send(node, self.written("corrected.dcm", corrected))
            node.wait_for(MEASURED, seconds=120, count=2)
            self.assertNotIn("ambiguous", self.case_text(node))
            before, after = (self.prompts(result)[0][0] for result in self.results(node))
            length = lambda line: sum((a - b) ** 2 for a, b in zip(*line)) ** 0.5
            self.assertAlmostEqual(length(before), 0.6 * BALL, delta=0.01)
            self.assertAlmostEqual(length(after), BALL, delta=0.01)

    def test_names_that_programs_make_up_do_not_join_the_lesions_of_two_studies(self):
        self.template("match: {Modality: CT}\nresponse: {primary: recist-1.1}\n")
        middle, half = SIZE / 2, BALL / 2 / SPACING
        axes = [(middle - half, middle, middle + half, middle), (middle, middle - half, middle, middle + half)]
        with self.node() as node:
            for count, date in enumerate(("20200101", "20200301"), 1):
                slices = self.study(date, date)
                image = sorted((pydicom.dcmread(path, stop_before_pixels=True) for path in slices), key=lambda d: float(d.ImagePositionPatient[2]))[len(slices) // 2]
                self.send(node, *slices, self.written(f"state-{date}.dcm", presentation_state(image, axes, "PIXEL")))
                node.wait_for(MEASURED if count == 1 else MISSING, seconds=120)
            self.assertIn("T1 at 2020-03-01, T2 at 2020-01-01", node.log())  # nobody said that the two are one

    def test_what_a_reader_writes_while_the_case_is_measured_is_kept_and_measured(self):
        self.standing()
        with self.node() as node:
            self.send(node, *self.ct)
            until = time.monotonic() + 60
            while not glob.glob(os.path.join(node.out, "P-*", "*", "case-0001.yaml")) and time.monotonic() < until:
                time.sleep(0.005)
            self.state(node, "site: retroperitoneum", "site: liver")
            node.wait_for(MEASURED, seconds=120, count=2)
            self.assertIn("edited meanwhile", node.log())
            sites = [read_json(os.path.join(result, "case.json"))["lesions"][0]["site"] for result in self.results(node)]
            self.assertEqual(sites, ["retroperitoneum", "liver"])
            self.assertIn("site: liver", self.case_text(node))

    def test_our_own_objects_come_back_as_no_mark_and_are_not_waited_for(self):
        needs_orthanc(self)
        self.template(LESION)
        with self.at_a_pacs() as (pacs, node):
            at = lambda: {pacs.rest(f"/instances/{one}/tags?simplify")["SOPInstanceUID"]: one for one in pacs.rest("/instances")}
            first = self.report("first.dcm")
            self.assertEqual(run("pacs", "send", *self.ct, first, "--config", self.path(self.folder, "pacs.yaml"), "--allow-synthetic").returncode, 0)
            before = at()
            self.push(pacs, list(before.values()))
            node.wait_for("; sent to pacs", seconds=120)
            ours = {uid: one for uid, one in at().items() if uid not in before}
            self.assertGreater(len(ours), 5)
            another = self.report("another.dcm", tracking="not ours", uid="1.2.3.4.5")
            self.assertEqual(run("pacs", "send", another, "--config", self.path(self.folder, "pacs.yaml"), "--allow-synthetic").returncode, 0)
            self.push(pacs, [at()[pydicom.dcmread(another).SOPInstanceUID]])
            node.wait_for("/results/0001 stands", seconds=60)
            self.assertNotIn("waits:", node.log())
            report = next(one for uid, one in ours.items() if pacs.rest(f"/instances/{one}/tags?simplify")["Modality"] == "SR")
            self.push(pacs, [report])  # its axes are of T1 too, and are no reader's
            node.wait_for("/results/0001 stands", seconds=60, count=2)
            self.assertNotIn("ambiguous", self.case_text(node))


if __name__ == "__main__":
    alone_on_the_network()
    unittest.main(verbosity=2)
