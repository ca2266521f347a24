#!/usr/bin/python3
"""What other programs measured and drew: every SR of the collection against pydicom's reading of its content."""
import glob
import filecmp
import os
import shutil
import unittest

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from program import InScratch, read_json, real_data, run, run_json

EXAMPLES = ("quirks", "23_SEG_SR_RTSTRUCT_examples")


def code(item):
    return item.ConceptNameCodeSequence[0].CodeValue if "ConceptNameCodeSequence" in item else ""


def groups_of(item):
    """All measurement groups (125007, DCM) below a content item."""
    for child in item.get("ContentSequence", []):
        if child.ValueType == "CONTAINER":
            if code(child) == "125007":
                yield child
            else:
                yield from groups_of(child)


def numbers_of(group):
    return [(n.ConceptNameCodeSequence[0].CodeMeaning, float(n.MeasuredValueSequence[0].NumericValue), n.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue)
            for n in group.ContentSequence if n.ValueType == "NUM"]


def tracking_uid(group):
    return next((c.UID for c in group.ContentSequence if code(c) == "112040"), "")


class ForeignReports(unittest.TestCase):
    def test_every_file_of_the_collection_is_of_a_kind_that_a_test_judges(self):
        judged = {"SR": {"sr.dcm", "sr_document.dcm", "sr_document_with_multiple_groups.dcm"},  # here
                  "SEG": {"liver.dcm", "partial_overlaps.dcm", "label.seg", "seg.dcm", "sparse-labelmap-noppv.dcm", "sparse-labelmap-ppv5.dcm", "seg_image_ct_binary.dcm",  # mask_files_test.py
                          "seg_image_ct_binary_fractional.dcm", "seg_image_ct_binary_overlap.dcm", "seg_image_ct_binary_single_frame.dcm", "seg_image_ct_true_fractional.dcm"},
                  "CT": {"ct_image.dcm"}, "RWV": {"rwvm.dcm"}, "": {"README.md"}}
        for root, _, names in os.walk(real_data(self, *EXAMPLES)):
            for name in names:
                try:
                    modality = pydicom.dcmread(os.path.join(root, name), stop_before_pixels=True).get("Modality")
                except pydicom.errors.InvalidDicomError:
                    modality = ""
                self.assertIn(name, judged.get(modality, ()), f"{root}: no test knows what to make of it")

    def test_each_sr_of_the_collection_gives_its_measurements(self):
        seen = 0
        folder = real_data(self, *EXAMPLES)
        for root, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                try:
                    data = pydicom.dcmread(os.path.join(root, name))
                except pydicom.errors.InvalidDicomError:
                    continue
                if data.get("Modality") != "SR":
                    continue
                with self.subTest(name):
                    marks = run_json("marks", os.path.join(root, name), "--json")["files"][0]["marks"]
                    expected = sorted((tracking_uid(g), numbers_of(g)) for g in groups_of(data))
                    found = sorted((m["tracking_uid"], [(v["name"], v["value"], v["unit"]) for v in m["values"]]) for m in marks)
                    self.assertEqual(found, expected)
                    seen += len(expected)
        self.assertEqual(seen, 6)  # five groups of two documents of one vendor, one of another's


SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.34"
GSPS_CLASS = "1.2.840.10008.5.1.4.1.1.11.1"
SIZE, SPACING, BALL = 96, 0.8, 40


def coded(value, scheme, meaning):
    out = Dataset()
    out.CodeValue, out.CodingSchemeDesignator, out.CodeMeaning = value, scheme, meaning
    return Sequence([out])


def content(relationship, kind, concept=None, **values):
    out = Dataset()
    out.RelationshipType, out.ValueType = relationship, kind
    if concept:
        out.ConceptNameCodeSequence = coded(*concept)
    for key, value in values.items():
        setattr(out, key, value)
    return out


def referenced(ct):
    out = Dataset()
    out.ReferencedSOPClassUID, out.ReferencedSOPInstanceUID = ct.SOPClassUID, ct.SOPInstanceUID
    return out


def measured(name, mm, line, ct):
    """A length as OHIF and Cornerstone write it: older codes, inferred from a polyline on an image."""
    value = Dataset()
    value.NumericValue = f"{mm:.4f}"
    value.MeasurementUnitsCodeSequence = coded("mm", "UCUM", "millimeter")
    image = content("SELECTED FROM", "IMAGE", ReferencedSOPSequence=Sequence([referenced(ct)]))
    drawn = content("INFERRED FROM", "SCOORD", GraphicType="POLYLINE", GraphicData=[float(x) for x in line], ContentSequence=Sequence([image]))
    return content("CONTAINS", "NUM", name, MeasuredValueSequence=Sequence([value]), ContentSequence=Sequence([drawn]))


def document(ct, sop_class, modality):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = sop_class, generate_uid(), ExplicitVRLittleEndian
    out = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    out.is_little_endian, out.is_implicit_VR = True, False
    out.SOPClassUID, out.SOPInstanceUID, out.Modality = sop_class, meta.MediaStorageSOPInstanceUID, modality
    for key in ("PatientID", "PatientName", "StudyInstanceUID", "StudyDate"):
        setattr(out, key, ct.get(key, ""))
    out.SeriesInstanceUID = generate_uid()
    return out


def ohif_report(ct, groups):
    """groups: (tracking UID, [(name, mm, line)]) or (tracking UID, [...], site)"""
    out = document(ct, SR_CLASS, "SR")
    out.ValueType, out.CompletionFlag, out.VerificationFlag = "CONTAINER", "PARTIAL", "UNVERIFIED"
    out.ConceptNameCodeSequence = coded("126000", "DCM", "Imaging Measurement Report")
    below = []
    for uid, numbers, *sites in groups:
        inside = [content("HAS OBS CONTEXT", "TEXT", ("112039", "DCM", "Tracking Identifier"), TextValue="Cornerstone3DTools@^0.1.0:Bidirectional"),
                  content("HAS OBS CONTEXT", "UIDREF", ("112040", "DCM", "Tracking Unique Identifier"), UID=uid)]
        inside += [content("CONTAINS", "CODE", ("363698007", "SCT", "Finding Site"), ConceptCodeSequence=coded("99", "99TEST", site)) for site in sites]
        inside += [measured(name, mm, line, ct) for name, mm, line in numbers]
        below.append(content("CONTAINS", "CONTAINER", ("125007", "DCM", "Measurement Group"), ContinuityOfContent="SEPARATE", ContentSequence=Sequence(inside)))
    out.ContentSequence = Sequence([content("CONTAINS", "CONTAINER", ("126010", "DCM", "Imaging Measurements"), ContentSequence=Sequence(below))])
    return out


def presentation_state(ct, lines, units, area=None, rotation=0, flip="N"):
    out = document(ct, GSPS_CLASS, "PR")
    graphics = []
    for line in lines:
        graphic = Dataset()
        graphic.GraphicAnnotationUnits, graphic.GraphicDimensions, graphic.NumberOfGraphicPoints = units, 2, 2
        graphic.GraphicData, graphic.GraphicType, graphic.GraphicFilled = [float(x) for x in line], "POLYLINE", "N"
        graphics.append(graphic)
    annotation = Dataset()
    annotation.ReferencedImageSequence, annotation.GraphicLayer, annotation.GraphicObjectSequence = Sequence([referenced(ct)]), "LAYER1", Sequence(graphics)
    out.GraphicAnnotationSequence = Sequence([annotation])
    if area:
        shown = Dataset()
        shown.DisplayedAreaTopLeftHandCorner, shown.DisplayedAreaBottomRightHandCorner, shown.PresentationSizeMode = list(area[:2]), list(area[2:]), "SCALE TO FIT"
        out.DisplayedAreaSelectionSequence = Sequence([shown])
    if rotation or flip == "Y":
        out.ImageRotation, out.ImageHorizontalFlip = rotation, flip
    return out


def structure_set(slices, chosen, low, high):
    """One region: squares round the pixels low..high of both directions, on the chosen slices."""
    out = document(slices[0], "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT")
    roi, region, contours = Dataset(), Dataset(), []
    roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID, roi.ROIGenerationAlgorithm = 1, "GTV", slices[0].FrameOfReferenceUID, "MANUAL"
    for k in chosen:
        x, y, z = (float(v) for v in slices[k].ImagePositionPatient)
        near, far = (low - 0.5) * SPACING, (high + 0.5) * SPACING
        contour = Dataset()
        contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", 4
        contour.ContourImageSequence = Sequence([referenced(slices[k])])
        contour.ContourData = [f"{v:.6f}" for c, r in ((near, near), (far, near), (far, far), (near, far)) for v in (x + c, y + r, z)]
        contours.append(contour)
    region.ReferencedROINumber, region.ContourSequence = 1, Sequence(contours)
    out.StructureSetLabel = "SQUARES"
    out.StructureSetROISequence, out.ROIContourSequence = Sequence([roi]), Sequence([region])
    return out


LONG, SHORT = ("G-A185", "SRT", "Long Axis"), ("G-A186", "SRT", "Short Axis")


class BallWithAxes(InScratch):
    """A ball of 40 mm; its two axes drawn on the middle slice, in every way another program may hand them over."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = os.path.join(cls.scratch, "phantom")
        done = run("phantom", folder, "--shape", "ball", "--size", f"{BALL},{BALL},{BALL}", "--grid", f"{SIZE},{SIZE},48", "--spacing", f"{SPACING},{SPACING},2", "--seed", "7")
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.ct = os.path.join(folder, "ct")
        slices = [pydicom.dcmread(f, stop_before_pixels=True) for f in glob.glob(os.path.join(cls.ct, "*"))]
        cls.image = sorted(slices, key=lambda d: float(d.ImagePositionPatient[2]))[24]
        # Pixel 0,0 is the outer corner of the first pixel: the middle of the picture is 48,48.
        cls.long = (24.5, 48, 71.5, 48)
        cls.short = (48, 26, 48, 70)
        x, y, z = (float(v) for v in cls.image.ImagePositionPatient)
        cls.in_patient = [[x + (line[0] - 0.5) * SPACING, y + (line[1] - 0.5) * SPACING, z, x + (line[2] - 0.5) * SPACING, y + (line[3] - 0.5) * SPACING, z] for line in (cls.long, cls.short)]
        cls.wanted = cls.segmented("command-line", *[a for line in cls.in_patient for a in ("--line", ",".join(f"{v:.12g}" for v in line))])

    @classmethod
    def segmented(cls, name, *prompt):
        out = os.path.join(cls.scratch, name + ".nii.gz")
        done = run("segment", cls.ct, *prompt, "-o", out)
        if done.returncode:
            raise AssertionError(f"{name}: {done.stderr}")
        return out

    def written(self, name, data):
        path = self.path(name)
        data.save_as(path, write_like_original=False)
        return path

    def assert_same(self, name, *prompt):
        self.assertTrue(filecmp.cmp(self.segmented(name, *prompt), self.wanted, shallow=False), name)


class Prompts(BallWithAxes):
    def report(self, name="sr.dcm"):
        groups = [("1.2.3.4.1", [(LONG, 37.6, self.long), (SHORT, 35.2, self.short)]), ("1.2.3.4.2", [(("G-D7FE", "SRT", "Length"), 8.0, (40, 40, 50, 40))])]
        return self.written(name, ohif_report(self.image, groups))

    def test_axes_of_a_cornerstone_report_give_the_mask_of_the_same_lines(self):
        report = self.report()
        marks = run_json("marks", report, "--json")["files"][0]["marks"]
        self.assertEqual([[v["value"] for v in m["values"]] for m in marks], [[37.6, 35.2], [8.0]])
        self.assert_same("sr", "--marks", report, "--mark", "1.2.3.4.1")
        done = run("segment", self.ct, "--marks", report, "-o", self.path("none.nii.gz"))
        self.assertEqual(done.returncode, 4)  # two marks have lines
        self.assertIn("1.2.3.4.2", done.stderr)

    def test_crossing_graphics_of_a_presentation_state_do_too_in_pixels_and_as_displayed(self):
        pixels = self.written("gsps.dcm", presentation_state(self.image, [self.short, self.long], "PIXEL"))
        self.assert_same("gsps", "--marks", pixels)
        # The area of columns 17..80 and rows 9..88 as shown, upright, then turned and flipped: PS3.3 C.10.4.
        for area, rotation, flip, at in (((17, 9, 80, 88), 0, "N", lambda c, r: ((c - 16) / 64, (r - 8) / 80)),
                                         ((80, 9, 17, 88), 0, "Y", lambda c, r: ((80 - c) / 64, (r - 8) / 80)),
                                         ((80, 88, 17, 9), 180, "N", lambda c, r: ((80 - c) / 64, (88 - r) / 80)),
                                         ((17, 88, 80, 9), 90, "N", lambda c, r: ((88 - r) / 80, (c - 16) / 64))):
            lines = [(*at(*line[:2]), *at(*line[2:])) for line in (self.long, self.short)]
            file = self.written(f"display-{rotation}{flip}.dcm", presentation_state(self.image, lines, "DISPLAY", area, rotation, flip))
            mark = run_json("marks", file, "--json")["files"][0]["marks"][0]
            drawn = [v for p in mark["long_axis"]["points_px"] for v in p]
            for found, wanted in zip(drawn, self.long):
                self.assertAlmostEqual(found, wanted, delta=1e-4, msg=f"{rotation} {flip}")  # 32-bit fractions

    def test_what_a_presentation_state_leaves_open_is_listed_and_not_guessed(self):
        for name, state, why in (("no-area", presentation_state(self.image, [(0, 0, 1, 1)], "DISPLAY"), "displayed area"),
                                 ("contradiction", presentation_state(self.image, [(0, 0, 1, 1)], "DISPLAY", (1, 1, 96, 96), 0, "Y"), "contradicts"),
                                 ("three", presentation_state(self.image, [self.long, self.short, (30, 30, 60, 60)], "PIXEL"), "crosses")):
            file = self.written(name + ".dcm", state)
            marks = run_json("marks", file, "--json")["files"][0]["marks"]
            self.assertTrue(marks and all(m["long_axis"] is None for m in marks), name)
            self.assertTrue(any(why in m["no_lines"] for m in marks), (name, marks))
            self.assertEqual(run("segment", self.ct, "--marks", file, "-o", self.path("none.nii.gz")).returncode, 4)

    def test_lines_in_the_patient_need_a_frame_of_reference(self):
        for name, frame in (("placed", str(self.image.FrameOfReferenceUID)), ("nowhere", "")):
            report = ohif_report(self.image, [("1.2.3.4.9", [(LONG, 37.6, self.long)])])
            number = report.ContentSequence[0].ContentSequence[0].ContentSequence[-1]
            drawn = number.ContentSequence[0]
            drawn.ValueType, drawn.GraphicData, drawn.ContentSequence = "SCOORD3D", self.in_patient[0], Sequence([])
            if frame:
                drawn.ReferencedFrameOfReferenceUID = frame
            mark = run_json("marks", self.written(name + ".dcm", report), "--json")["files"][0]["marks"][0]
            self.assertEqual(mark["values"][0]["value"], 37.6)  # the number stands in any case
            if frame:
                self.assertEqual(mark["long_axis"]["frame_of_reference_uid"], frame)
            else:
                self.assertIsNone(mark["long_axis"])
                self.assertIn("frame of reference", mark["no_lines"])
                self.assertEqual(run("segment", self.ct, "--marks", self.path(name + ".dcm"), "-o", self.path("none.nii.gz")).returncode, 4)

    def test_contours_of_a_structure_set_are_the_prompt_that_the_same_mask_is(self):
        first, last, low, high = 18, 30, 38, 57  # slices and pixels that the squares hold: edges run between pixels
        slices = sorted((pydicom.dcmread(f, stop_before_pixels=True) for f in glob.glob(os.path.join(self.ct, "*"))), key=lambda d: float(d.ImagePositionPatient[2]))
        structures = self.written("squares.dcm", structure_set(slices, range(first, last + 1), low, high))
        voxels = bytearray(SIZE * SIZE * len(slices))
        for k in range(first, last + 1):
            for row in range(low, high + 1):
                start = (k * SIZE + row) * SIZE
                voxels[start + low:start + high + 1] = b"\x01" * (high + 1 - low)
        x, y, z = (float(v) for v in slices[0].ImagePositionPatient)
        mask = self.path("squares.nrrd")
        with open(mask, "wb") as file:
            file.write(f"NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: {SIZE} {SIZE} {len(slices)}\n"
                       f"space directions: ({SPACING},0,0) (0,{SPACING},0) (0,0,2)\nencoding: raw\nspace origin: ({x},{y},{z})\n\n".encode("ascii") + voxels)
        by_contours = run_json("measure", self.ct, "--mask", structures, "--json")["lesions"][0]
        self.assertEqual(by_contours["voxels"], (high + 1 - low) ** 2 * (last + 1 - first))
        self.assertTrue(filecmp.cmp(self.segmented("by-rtstruct", "--mask", structures), self.segmented("by-nrrd", "--mask", mask), shallow=False))

    def test_a_table_of_lines_does_too(self):
        table = self.path("lines.csv")
        with open(table, "w", encoding="ascii") as file:
            file.write("sop_instance_uid,x1,y1,x2,y2,lesion\n")
            for line in (self.long, self.short):
                file.write(",".join([self.image.SOPInstanceUID, *map(str, line), "T1"]) + "\n")
        self.assert_same("csv", "--marks", table, "--mark", "T1")

    def test_a_case_file_takes_marks_and_masks_as_the_command_line_does_and_keeps_their_tracking_uid(self):
        report = self.report("case-sr.dcm")
        seg, prior = self.path("prior.dcm"), self.path("prior.nii.gz")
        self.assertEqual(run("segment", self.ct, "--line", ",".join(map(str, self.in_patient[0])), "-o", prior, "--seg", seg).returncode, 0)
        by_seg = self.segmented("by-seg", "--mask", seg)
        by_nifti = self.segmented("by-nifti", "--mask", prior)
        self.assertTrue(filecmp.cmp(by_seg, by_nifti, shallow=False))
        state = self.written("case-gsps.dcm", presentation_state(self.image, [self.short, self.long], "PIXEL"))
        slices = sorted((pydicom.dcmread(f, stop_before_pixels=True) for f in glob.glob(os.path.join(self.ct, "*"))), key=lambda d: float(d.ImagePositionPatient[2]))
        structures = self.written("case-squares.dcm", structure_set(slices, range(18, 31), 38, 57))
        by_contours = self.segmented("by-contours", "--mask", structures)
        mark = {"T1": f"marks: {report}, mark: 1.2.3.4.1", "T2": f"prior: {seg}, label: T1", "T3": f"marks: {state}", "T4": f"prior: {structures}"}
        tracked = {"T1": "1.2.3.4.1", "T2": pydicom.dcmread(seg).SegmentSequence[0].TrackingUID}
        for name, wanted in (("T1", self.wanted), ("T2", by_nifti), ("T3", self.wanted), ("T4", by_contours)):  # a case each: two lesions in one place would not be evaluable
            case = self.path(f"case-{name}.yaml")
            with open(case, "w", encoding="ascii") as file:
                file.write(f"""
case: P-1
timepoints: [{{id: now, ct: {self.ct}, date: 2020-01-01, new_lesions: none}}]
lesions: [{{id: {name}, timepoints: {{now: {{{mark[name]}}}}}}}]
""")
            out = self.path(f"case-result-{name}")
            done = run("run", case, "-o", out)
            self.assertEqual(done.returncode, 0, done.stderr)
            lesion = read_json(os.path.join(out, "case.json"))["timepoints"][0]["lesions"][0]
            self.assertEqual(lesion["tracking_uid"], tracked.get(name, lesion["tracking_uid"]))
            if name in ("T2", "T4"):
                self.assertTrue(lesion["prompt"]["prior_mask"])
            measured = run_json("measure", self.ct, "--mask", wanted, "--json")["lesions"][0]
            for key in ("long_axis_mm", "short_axis_mm", "craniocaudal_mm", "volume_ml"):  # a mask alone has no interval
                self.assertEqual(lesion[key]["value"], measured[key]["value"], f"{name} {key}")

    def drafted(self, archive, name):
        """The case file that init writes of a folder, and its text."""
        case = self.path(name)
        done = run("init", archive, "-o", case)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(case, encoding="utf-8") as file:
            return case, file.read()

    def test_init_judges_a_lymph_node_by_its_short_axis(self):
        archive = self.path("nodes")
        shutil.copytree(self.ct, os.path.join(archive, "ct"))
        short = {mm: (40, 40, 40 + mm / SPACING, 40) for mm in (16, 12)}
        long = (40, 35, 40, 65)  # 24 mm
        groups = [("1.2.3.4.1", [(LONG, 24.0, long), (SHORT, 16.0, short[16])], "Inguinal lymph node"),
                  ("1.2.3.4.2", [(LONG, 24.0, long), (SHORT, 12.0, short[12])], "Pelvic lymph node"),
                  ("1.2.3.4.3", [(LONG, 24.0, long)], "Axillary lymph node"),
                  ("1.2.3.4.4", [(LONG, 24.0, long), (SHORT, 12.0, short[12])], "Liver nodule")]
        self.written("nodes/report", ohif_report(self.image, groups))
        _, text = self.drafted(archive, "nodes.yaml")
        self.assertIn("# proposed targets at 2020-01-01, by their sites nodes: T1, T2, T3: T1, T4\n", text)
        self.assertIn("# T2 rather non-target: 12 mm short axis, below measurability (15 mm)", text)
        self.assertIn("# T3: its site says lymph node, and the short axis that decides is not marked", text)
        self.assertIn("irradiated", text)

    def test_init_finds_what_lies_beside_the_ct(self):
        archive = self.path("archive")
        shutil.copytree(self.ct, os.path.join(archive, "ct"))
        shutil.copy(self.report("init-sr.dcm"), os.path.join(archive, "report"))
        self.written("archive/state", presentation_state(self.image, [self.long, self.short, (30, 30, 60, 60)], "PIXEL"))
        self.assertEqual(run("segment", self.ct, "--line", ",".join(map(str, self.in_patient[0])), "-o", self.path("x.nii.gz"), "--seg", os.path.join(archive, "seg")).returncode, 0)
        case, text = self.drafted(archive, "init.yaml")
        self.assertIn('{marks: "archive/report", mark: "1.2.3.4.1"}', text)
        self.assertIn('{mask: "archive/seg", label: "T1"}', text)
        self.assertIn("not taken", text)
        self.assertIn("# proposed targets at 2020-01-01, none of them taken for a node: T1\n", text)
        self.assertIn("# T2 rather non-target: 8 mm, below measurability (10 mm)", text)  # 10 pixels of 0.8 mm
        out = self.path("init-result")
        done = run("run", case, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr + text)
        lesions = read_json(os.path.join(out, "case.json"))["timepoints"][0]["lesions"]
        self.assertEqual([lesion["tracking_uid"] for lesion in lesions], ["1.2.3.4.1", "1.2.3.4.2"])

    def test_init_chooses_the_series_that_was_marked(self):
        archive = self.path("two-series")
        shutil.copytree(self.ct, os.path.join(archive, "marked"))
        os.makedirs(os.path.join(archive, "other"))
        for k, name in enumerate(sorted(os.listdir(self.ct))):
            data = pydicom.dcmread(os.path.join(self.ct, name))
            data.SeriesInstanceUID, data.SeriesNumber = "1.2.0.1", 77  # the smaller UID is the last thing to decide: here the first, but for the mark
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.0.1.{k}"
            data.save_as(os.path.join(archive, "other", name))
        marked = pydicom.dcmread(os.path.join(archive, "marked", os.listdir(self.ct)[0])).SeriesInstanceUID
        for with_report, expected, other in ((False, "1.2.0.1", marked), (True, marked, "1.2.0.1")):
            if with_report:
                shutil.copy(self.report("two-series-sr.dcm"), os.path.join(archive, "report"))
            case = self.path(f"two-series-{with_report}.yaml")
            done = run("init", archive, "-o", case)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(case, encoding="utf-8") as file:
                text = file.read()
            self.assertIn(f'series: "{expected}"', text)
            self.assertNotIn(f'series: "{other}"', text)
            self.assertIn("  #   2. series", text)
            self.assertEqual("series of the prompt: no against yes" in text, with_report)


if __name__ == "__main__":
    unittest.main(verbosity=2)
