#!/usr/bin/python3
"""Every DICOM object of a finished case, read by strangers: validators, pydicom, and the numbers of case.json."""
import csv
import glob
import gzip
import os
import shutil
import struct
import subprocess
import unittest

import numpy
import pydicom

from program import InScratch, content, needs_program, read_json, run, run_json
from two_balls import TwoBalls

NAMES = ("before", "after")
SR_OF = {"long_axis_mm": ("103339001", None), "short_axis_mm": ("103340004", None), "craniocaudal_mm": ("410668003", None), "volume_ml": ("118565006", None),
         "hu mean": ("112031", "373098007"), "hu sd": ("112031", "386136009")}


def code(item, sequence="ConceptNameCodeSequence"):
    return item[sequence][0].CodeValue if sequence in item else None


def items(item):
    for child in item.get("ContentSequence", []):
        yield child
        yield from items(child)


class Objects(TwoBalls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_case()
        cls.case = read_json(os.path.join(cls.result, "case.json"))

    def lesion(self, name):
        return next(t for t in self.case["timepoints"] if t["id"] == name)["lesions"][0]

    def ct(self, name):
        return sorted(glob.glob(os.path.join(self.scratch, "first" if name == "before" else "second", "*")))

    def object(self, name, kind):
        return os.path.join(self.result, "dicom", f"{name}-{kind}.dcm")

    def test_every_object_is_valid_by_itself_and_with_its_ct(self):
        needs_program(self, "dciodvfy")
        for name in NAMES:
            written = sorted(glob.glob(os.path.join(self.result, "dicom", name + "-*.dcm")))
            self.assertEqual(len(written), 7)  # SEG, probability, SR, RTSTRUCT and three pictures
            for file in written:
                said = subprocess.run(["dciodvfy", "-new", file], capture_output=True, text=True).stderr
                self.assertEqual([line for line in said.splitlines() if line.startswith("Error")], [], file)
            if name == NAMES[-1]:
                written.append(os.path.join(self.result, "dicom", "report.dcm"))
                self.assertNotIn("Error", subprocess.run(["dciodvfy", "-new", written[-1]], capture_output=True, text=True).stderr)
            said = subprocess.run(["dcentvfy", *self.ct(name), *written], capture_output=True, text=True)
            self.assertEqual([line for line in (said.stdout + said.stderr).splitlines() if "Error" in line], [], name)

    def test_pydicom_reads_the_segment_as_the_mask_that_lies_beside_it(self):
        for name in NAMES:
            with gzip.open(os.path.join(self.result, "masks", f"{name}-T1.nii.gz")) as file:
                nifti = file.read()
            columns, rows, slices = struct.unpack_from("<3h", nifti, 42)
            affine = numpy.array(struct.unpack_from("<12f", nifti, 280)).reshape(3, 4)
            mask = numpy.frombuffer(nifti, numpy.uint8, offset=int(struct.unpack_from("<f", nifti, 108)[0])).reshape(slices, rows, columns) != 0
            seg = pydicom.dcmread(self.object(name, "seg"))
            placed = numpy.zeros_like(mask)
            for groups, frame in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array):
                x, y, z = (float(v) for v in groups.PlanePositionSequence[0].ImagePositionPatient)
                index = numpy.linalg.solve(affine[:, :3], numpy.array([-x, -y, z]) - affine[:, 3])  # NIfTI counts to the left and to the back
                self.assertTrue(numpy.allclose(index, numpy.round(index), atol=1e-3))
                self.assertEqual([int(round(i)) for i in index[:2]], [0, 0])
                placed[int(round(index[2]))] = frame
            self.assertGreater(mask.sum(), 1000)
            self.assertTrue((placed == mask).all(), name)

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


    def test_contours_filled_by_numpy_are_the_segment(self):
        for name in NAMES:
            structures = pydicom.dcmread(self.object(name, "rtstruct"))
            seg = pydicom.dcmread(self.object(name, "seg"))
            slices = {d.SOPInstanceUID: d for d in map(lambda f: pydicom.dcmread(f, stop_before_pixels=True), self.ct(name))}
            filled = {}
            for contour in structures.ROIContourSequence[0].ContourSequence:
                ct = slices[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
                points = numpy.array([float(v) for v in contour.ContourData]).reshape(-1, 3)
                self.assertTrue(numpy.allclose(points[:, 2], float(ct.ImagePositionPatient[2])))
                pixels = (points[:, :2] - numpy.array([float(v) for v in ct.ImagePositionPatient[:2]])) / float(ct.PixelSpacing[0])
                grid = filled.setdefault(round(float(ct.ImagePositionPatient[2]), 3), numpy.zeros((ct.Rows, ct.Columns), bool))
                rows, columns = numpy.mgrid[:ct.Rows, :ct.Columns]
                for (ax, ay), (bx, by) in zip(pixels, numpy.roll(pixels, 1, axis=0)):  # even-odd at pixel centres
                    crosses = (ay > rows) != (by > rows)
                    if crosses.any():
                        grid ^= crosses & (columns < ax + (rows - ay) * (bx - ax) / (by - ay if by != ay else 1))
            frames = numpy.asarray(seg.pixel_array).astype(bool)
            places = [round(float(g.PlanePositionSequence[0].ImagePositionPatient[2]), 3) for g in seg.PerFrameFunctionalGroupsSequence]
            self.assertEqual(sorted(filled), sorted(places))
            for place, frame in zip(places, frames):
                self.assertTrue((filled[place] == frame).all(), (name, place))

    def test_the_probability_segmentation_is_at_least_one_half_where_the_mask_is(self):
        for name in NAMES:
            seg, probability = (pydicom.dcmread(self.object(name, kind)) for kind in ("seg", "probability"))
            self.assertEqual((probability.SegmentationType, probability.SegmentationFractionalType, probability.MaximumFractionalValue), ("FRACTIONAL", "PROBABILITY", 255))
            place = lambda data, i: round(float(data.PerFrameFunctionalGroupsSequence[i].PlanePositionSequence[0].ImagePositionPatient[2]), 3)
            masks = {place(seg, i): frame.astype(bool) for i, frame in enumerate(seg.pixel_array)}
            inside = agreeing = 0
            for i, frame in enumerate(probability.pixel_array):
                mask = masks.get(place(probability, i), numpy.zeros(frame.shape, bool))
                inside += mask.sum()
                agreeing += (mask & (frame >= 127)).sum()
            self.assertEqual(inside, sum(m.sum() for m in masks.values()))
            self.assertGreater(agreeing, 0.98 * inside)  # but for hole filling and the choice of a component (docs/clinical.md 1.2)

    def test_pictures_are_the_key_images_pixel_for_pixel(self):
        for name in NAMES:
            for view in ("axial", "coronal", "sagittal"):
                capture = pydicom.dcmread(self.object(f"{name}-T1", view))
                rows, columns = png_size(os.path.join(self.result, "images", f"{name}-T1-{view}.png"))
                self.assertEqual((capture.Rows, capture.Columns, capture.PhotometricInterpretation), (rows, columns, "RGB"))
                self.assertGreater(len(numpy.unique(capture.pixel_array)), 20)  # a picture, not a plain area

    def test_the_paper_is_in_the_last_study_byte_for_byte(self):
        data = pydicom.dcmread(os.path.join(self.result, "dicom", "report.dcm"))
        paper = content(os.path.join(self.result, "report.pdf"))
        self.assertTrue(paper.startswith(b"%PDF"))
        self.assertEqual(data.EncapsulatedDocument[:len(paper)], paper)
        self.assertEqual(data.StudyInstanceUID, pydicom.dcmread(self.ct("after")[0], stop_before_pixels=True).StudyInstanceUID)

    def test_a_corrected_case_supersedes_and_keeps_what_it_replaced(self):
        out = self.path("corrected")
        self.assertEqual(run("run", self.case_file, "-o", out).returncode, 0)
        first = {os.path.basename(f): content(f) for f in glob.glob(os.path.join(out, "dicom", "*.dcm"))}
        self.assertEqual(run("run", self.case_file, "-o", out, "--overwrite").returncode, 0)
        again = {os.path.basename(f): content(f) for f in glob.glob(os.path.join(out, "dicom", "*.dcm"))}
        self.assertEqual(again, first)  # the same content is the same instance
        self.assertFalse(os.path.exists(os.path.join(out, "dicom", "superseded")))
        corrected = self.path("corrected.yaml")
        with open(corrected, "w", encoding="utf-8") as file:
            file.write(content(self.case_file).decode("utf-8").replace("site: retroperitoneum", "site: liver"))
        self.assertEqual(run("run", corrected, "-o", out, "--overwrite").returncode, 0)
        old, new = pydicom.dcmread(self.object("before", "sr")), pydicom.dcmread(os.path.join(out, "dicom", "before-sr.dcm"))
        self.assertNotEqual(new.SOPInstanceUID, old.SOPInstanceUID)
        predecessor = new.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
        self.assertEqual((predecessor.SeriesInstanceUID, predecessor.ReferencedSOPSequence[0].ReferencedSOPInstanceUID), (old.SeriesInstanceUID, old.SOPInstanceUID))
        old_structures, new_structures = pydicom.dcmread(self.object("before", "rtstruct")), pydicom.dcmread(os.path.join(out, "dicom", "before-rtstruct.dcm"))
        self.assertEqual(new_structures.SOPInstanceUID, old_structures.SOPInstanceUID)  # the site does not stand in the contours
        old_paper, new_paper = pydicom.dcmread(os.path.join(self.result, "dicom", "report.dcm")), pydicom.dcmread(os.path.join(out, "dicom", "report.dcm"))
        if old_paper.SOPInstanceUID != new_paper.SOPInstanceUID:
            named = new_paper.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
            self.assertEqual(named.ReferencedSOPInstanceUID, old_paper.SOPInstanceUID)
        self.assertEqual(run("run", corrected, "-o", out, "--overwrite", "--method", "ellipsoid").returncode, 0)  # other masks: other contours
        redrawn = pydicom.dcmread(os.path.join(out, "dicom", "before-rtstruct.dcm"))
        self.assertNotEqual(redrawn.SOPInstanceUID, new_structures.SOPInstanceUID)
        self.assertEqual(redrawn.PredecessorStructureSetSequence[0].ReferencedSOPInstanceUID, new_structures.SOPInstanceUID)
        reprinted = pydicom.dcmread(os.path.join(out, "dicom", "report.dcm"))
        self.assertNotEqual(reprinted.SOPInstanceUID, new_paper.SOPInstanceUID)
        self.assertEqual(reprinted.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID, new_paper.SOPInstanceUID)
        kept = {content(f) for f in glob.glob(os.path.join(out, "dicom", "superseded", "*.dcm"))}
        self.assertIn(first["before-sr.dcm"], kept)
        self.assertIn(first["before-seg.dcm"], kept)


class OddHeaders(InScratch):
    """A small case whose CT's headers are changed before it is run."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = run("phantom", os.path.join(cls.scratch, "phantom"), "--shape", "ball", "--size", "20,20,20", "--grid", "48,48,20", "--spacing", "1,1,2")
        if done.returncode:
            raise AssertionError(done.stderr)

    def objects_of(self, name, *options, **changes):
        """The objects of a case whose CT says this, and the CT."""
        folder = self.path(name)
        shutil.copytree(self.path("phantom"), folder)
        ct = sorted(glob.glob(os.path.join(folder, "ct", "*")))
        for path in ct:
            data = pydicom.dcmread(path)
            for key, value in changes.items():
                setattr(data, key, value(data) if callable(value) else value)
            data.save_as(path)
        with open(os.path.join(folder, "case.yaml"), "w", encoding="ascii") as file:
            file.write("case: P-1\ntimepoints: [{id: a, ct: ct, date: 2020-01-01, new_lesions: none, reader: R1}]\nlesions: [{id: T1, timepoints: {a: {mask: truth.nii.gz}}}]\n")
        done = run("run", os.path.join(folder, "case.yaml"), "-o", os.path.join(folder, "result"), *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        written = sorted(glob.glob(os.path.join(folder, "result", "dicom", "*.dcm")))
        self.assertGreater(len(written), 6)
        return written, ct

    def test_objects_of_a_ct_with_invalid_values_are_valid_and_of_the_same_patient(self):
        needs_program(self, "dciodvfy")
        written, ct = self.objects_of("invalid", StudyID="17 LETTERS OR MORE", PatientSex="Male", PatientAge="55", StudyTime="9 o'clock", PatientBirthDate="19.6.1950", PatientState="x" * 70,
                                      SpecificCharacterSet="", PatientID="ID 17", PatientName="Doe^Jo")
        study = pydicom.dcmread(ct[0], stop_before_pixels=True).StudyInstanceUID
        for file in written:
            said = subprocess.run(["dciodvfy", "-new", file], capture_output=True, text=True).stderr
            self.assertEqual([line for line in said.splitlines() if line.startswith("Error")], [], file)
            data = pydicom.dcmread(file)
            self.assertEqual((data.PatientID, data.PatientName, data.StudyInstanceUID, data.StudyID, data.PatientSex), ("ID 17", "Doe^Jo", study, "", ""))
        said = subprocess.run(["dcentvfy", *ct, *written], capture_output=True, text=True)
        self.assertEqual([line for line in (said.stdout + said.stderr).splitlines() if "Error" in line], [])

    def test_images_are_called_what_they_call_themselves(self):
        written, ct = self.objects_of("zeros", SOPInstanceUID=lambda data: f"1.2.3.{int(data.InstanceNumber):08d}")
        images = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in ct}
        seg = pydicom.dcmread(next(file for file in written if file.endswith("-seg.dcm")))
        named = {groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID for groups in seg.PerFrameFunctionalGroupsSequence}
        self.assertEqual({instance.ReferencedSOPInstanceUID for instance in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}, images)
        self.assertGreater(len(named), 5)
        self.assertLessEqual(named, images)

    def test_every_uid_that_is_made_lies_under_the_institutions_root(self):
        written, ct = self.objects_of("root", "--uid-root", "1.2.3.456")
        known = {str(element.value) for path in ct for element in pydicom.dcmread(path, stop_before_pixels=True) if element.VR == "UI"}
        made = set()
        for file in written:
            data = pydicom.dcmread(file)
            data.walk(lambda _, element: made.add((element.keyword, str(element.value))) if element.VR == "UI" and element.value else None)
        ours = {value for keyword, value in made if value not in known and not value.startswith("1.2.840.10008.")}
        self.assertGreater(len(ours), 12)
        self.assertEqual([uid for uid in ours if not uid.startswith("1.2.3.456.") or len(uid) > 64], [])
        for root in ("1.2.", "1.02.3", "x", "1." + "2" * 40):
            done = run("run", self.path("root", "case.yaml"), "-o", self.path("none"), "--uid-root", root)
            self.assertNotEqual(done.returncode, 0, root)
            self.assertIn("UID root", done.stderr)

    def test_names_keep_their_letters_in_every_character_set(self):
        for number, (charset, name) in enumerate(((["ISO_IR 100"], "M\u00fcller^J\u00f6rg"), (["ISO_IR 192"], "\u0418\u0432\u0430\u043d\u043e\u0432^\u0418\u0432\u0430\u043d"), (["GB18030"], "Wang^XiaoDong=\u738b^\u5c0f\u4e1c"),
                                                  (["", "ISO 2022 IR 87"], "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce"), (["", "ISO 2022 IR 149"], "Hong^Gildong=\u6d2a^\u5409\u6d1e"))):
            with self.subTest(charset):
                written, ct = self.objects_of(f"letters-{number}", SpecificCharacterSet=charset, PatientName=name)
                self.assertEqual(str(pydicom.dcmread(ct[0], stop_before_pixels=True).PatientName), name)
                for file in written:
                    self.assertEqual(str(pydicom.dcmread(file).PatientName), name, file)


def png_size(path):
    """(rows, columns) from the header of a PNG."""
    head = content(path)
    return int.from_bytes(head[20:24], "big"), int.from_bytes(head[16:20], "big")


if __name__ == "__main__":
    unittest.main(verbosity=2)
