#!/usr/bin/python3
"""Every DICOM object of a finished case, read by strangers: validators, pydicom, and the numbers of case.json."""
import csv
import glob
import os
import shutil
import subprocess
import unittest

import pydicom

from program import InScratch, read_json, run, run_json

CASE = """
case: P-1
timepoints:
  - {{id: before, ct: first, date: 2020-01-01, new_lesions: none, reader: R1}}
  - {{id: after, ct: second, date: 2020-03-01, new_lesions: none, reader: R1}}
lesions:
  - id: T1
    site: retroperitoneum
    timepoints:
      before: {{line: [{a}, {b}]}}
      after: {{line: [{c}, {d}]}}
accept: [different-patient-ids]
"""
NAMES = ("before", "after")
SR_OF = {"long_axis_mm": ("103339001", None), "short_axis_mm": ("103340004", None), "craniocaudal_mm": ("410668003", None), "volume_ml": ("118565006", None),
         "hu mean": ("112031", "373098007"), "hu sd": ("112031", "386136009")}


def code(item, sequence="ConceptNameCodeSequence"):
    return item[sequence][0].CodeValue if sequence in item else None


def items(item):
    for child in item.get("ContentSequence", []):
        yield child
        yield from items(child)


class Objects(InScratch):
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
        cls.file = os.path.join(cls.scratch, "case.yaml")
        with open(cls.file, "w", encoding="utf-8") as file:
            file.write(CASE.format(a=ends["first"][0], b=ends["first"][1], c=ends["second"][0], d=ends["second"][1]))
        cls.result = os.path.join(cls.scratch, "result")
        done = run("run", cls.file, "-o", cls.result)
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.case = read_json(os.path.join(cls.result, "case.json"))

    def lesion(self, name):
        return next(t for t in self.case["timepoints"] if t["id"] == name)["lesions"][0]

    def ct(self, name):
        return sorted(glob.glob(os.path.join(self.scratch, "first" if name == "before" else "second", "*")))

    def object(self, name, kind):
        return os.path.join(self.result, "dicom", f"{name}-{kind}.dcm")

    def test_every_object_is_valid_by_itself_and_with_its_ct(self):
        if not shutil.which("dciodvfy"):
            self.skipTest("dciodvfy is not installed")
        for name in NAMES:
            written = sorted(glob.glob(os.path.join(self.result, "dicom", name + "-*.dcm")))
            self.assertGreaterEqual(len(written), 2)
            for file in written:
                said = subprocess.run(["dciodvfy", "-new", file], capture_output=True, text=True).stderr
                self.assertEqual([line for line in said.splitlines() if line.startswith("Error")], [], file)
            said = subprocess.run(["dcentvfy", *self.ct(name), *written], capture_output=True, text=True)
            self.assertEqual([line for line in (said.stdout + said.stderr).splitlines() if "Error" in line], [], name)

    def test_pydicom_reads_the_numbers_of_the_case_from_the_report(self):
        for name in NAMES:
            data = pydicom.dcmread(self.object(name, "sr"))
            recorded = self.lesion(name)
            wanted = {key: recorded[key]["value"] for key in SR_OF if key in recorded}
            wanted["hu mean"] = recorded["hu"]["mean"]
            wanted["hu sd"] = recorded["hu"]["sd"]
            self.assertEqual(set(wanted), set(SR_OF))
            for key, value in wanted.items():
                concept, derivation = SR_OF[key]
                found = [n for n in items(data) if n.ValueType == "NUM" and code(n) == concept and
                         (derivation is None or derivation in [code(c, "ConceptCodeSequence") for c in items(n)])]
                self.assertEqual(len(found), 1, key)
                self.assertAlmostEqual(float(found[0].MeasuredValueSequence[0].NumericValue), value, delta=1e-9 * max(1, abs(value)), msg=key)

    def test_lines_of_the_report_are_as_long_as_their_numbers(self):
        for name in NAMES:
            data = pydicom.dcmread(self.object(name, "sr"))
            for concept in ("103339001", "103340004"):
                number = next(n for n in items(data) if n.ValueType == "NUM" and code(n) == concept)
                line = next(c for c in items(number) if c.ValueType == "SCOORD")
                image = next(i for i in items(line) if i.ValueType == "IMAGE").ReferencedSOPSequence[0].ReferencedSOPInstanceUID
                ct = next(d for d in map(lambda f: pydicom.dcmread(f, stop_before_pixels=True), self.ct(name)) if d.SOPInstanceUID == image)
                x1, y1, x2, y2 = line.GraphicData
                mm = (((x2 - x1) * float(ct.PixelSpacing[1])) ** 2 + ((y2 - y1) * float(ct.PixelSpacing[0])) ** 2) ** 0.5
                self.assertAlmostEqual(mm, float(number.MeasuredValueSequence[0].NumericValue), delta=0.051)  # rounded to 0.1 mm

    def test_the_report_refers_to_the_segment_and_says_it_is_unreviewed(self):
        for name in NAMES:
            data = pydicom.dcmread(self.object(name, "sr"))
            seg = pydicom.dcmread(self.object(name, "seg"))
            reference = next(i for i in items(data) if code(i) == "121191").ReferencedSOPSequence[0]
            self.assertEqual((reference.ReferencedSOPInstanceUID, reference.ReferencedSegmentNumber), (seg.SOPInstanceUID, 1))
            self.assertEqual((data.CompletionFlag, data.VerificationFlag), ("PARTIAL", "UNVERIFIED"))
            self.assertTrue(data.SeriesDescription.startswith("RESEARCH"))
            evidence = {i.ReferencedSOPInstanceUID for s in data.CurrentRequestedProcedureEvidenceSequence for r in s.ReferencedSeriesSequence for i in r.ReferencedSOPSequence}
            self.assertEqual(evidence, {pydicom.dcmread(f, stop_before_pixels=True).SOPInstanceUID for f in self.ct(name)} | {seg.SOPInstanceUID})

    def test_a_lesion_has_one_tracking_uid_everywhere_and_at_every_time_point(self):
        found = set()
        for name in NAMES:
            found |= {i.UID for i in items(pydicom.dcmread(self.object(name, "sr"))) if code(i) == "112040"}
            found.add(pydicom.dcmread(self.object(name, "seg")).SegmentSequence[0].TrackingUID)
            found.add(self.lesion(name)["tracking_uid"])
        with open(os.path.join(self.result, "measurements.csv"), encoding="utf-8") as file:
            found |= {row["tracking_uid"] for row in csv.DictReader(file)}
        self.assertEqual(len(found), 1, found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
