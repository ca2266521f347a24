#!/usr/bin/python3
"""Lines in every way another program may draw them: each is the prompt that the same line on the command line is, or it is listed with the reason."""
import os
import shutil
import unittest

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from marks_test import BallWithAxes, LONG, SHORT, SIZE, content, measured, ohif_report, presentation_state, referenced
from program import run, run_json

COLOR_STATE = "1.2.840.10008.5.1.4.1.1.11.2"


class Foreign(BallWithAxes):
    def marks(self, name, data):
        return run_json("marks", self.written(name, data), "--json")["files"][0]["marks"]

    def listed(self, name, data, why):
        """No mark of the object is a prompt, one says why, and segment refuses it."""
        marks = self.marks(name, data)
        self.assertTrue(marks and all(m["long_axis"] is None and m["short_axis"] is None for m in marks), (name, marks))
        self.assertTrue(any(why in m["no_lines"] for m in marks), (name, marks))
        self.assertEqual(run("segment", self.ct, "--marks", self.path(name), "-o", self.path("none.nii.gz")).returncode, 4, name)

    def refused(self, name, data, why):
        done = run("segment", self.ct, "--marks", self.written(name, data), "-o", self.path("none.nii.gz"))
        self.assertEqual(done.returncode, 4, f"{name}: {done.stdout}")
        self.assertIn(why, done.stderr, name)


class ForeignReports(Foreign):
    def axes(self, *numbers):
        return ohif_report(self.image, [("1.2.3.4.1", list(numbers))])

    @staticmethod
    def drawn(report, number=0):
        """The coordinates from which a number was inferred."""
        group = report.ContentSequence[0].ContentSequence[0]
        return [c for c in group.ContentSequence if c.ValueType == "NUM"][number].ContentSequence[0]

    def test_a_long_axis_alone_is_a_prompt_and_a_short_one_alone_is_none(self):
        x1, y, z, x2, y2, z2 = self.in_patient[0]
        alone = self.segmented("alone", "--line", f"{x1:.12g},{y:.12g},{z:.12g},{x2:.12g},{y2:.12g},{z2:.12g}")
        report = self.written("long.dcm", self.axes((LONG, 37.6, self.long)))
        with open(self.segmented("long", "--marks", report), "rb") as ours, open(alone, "rb") as wanted:
            self.assertEqual(ours.read(), wanted.read())
        self.listed("short.dcm", self.axes((SHORT, 35.2, self.short)), "short axis only")

    def test_axes_in_the_patient_are_the_same_prompt(self):
        report = self.axes((LONG, 37.6, self.long), (SHORT, 35.2, self.short))
        for i in (0, 1):
            drawn = self.drawn(report, i)
            drawn.ValueType, drawn.GraphicData, drawn.ContentSequence = "SCOORD3D", self.in_patient[i], Sequence([])
            drawn.ReferencedFrameOfReferenceUID = self.image.FrameOfReferenceUID
        mark = run_json("marks", self.written("3d.dcm", report), "--json")["files"][0]["marks"][0]
        for axis, wanted in (("long_axis", self.in_patient[0]), ("short_axis", self.in_patient[1])):
            for found, expected in zip((v for p in mark[axis]["points_lps_mm"] for v in p), wanted):
                self.assertAlmostEqual(found, expected, delta=1e-4)  # 32-bit fractions
        self.segmented("3d", "--marks", self.path("3d.dcm"))
        for i in (0, 1):
            self.drawn(report, i).ReferencedFrameOfReferenceUID = generate_uid()
        self.refused("3d-elsewhere.dcm", report, "frame of reference")

    def test_an_outline_and_an_image_library_beside_the_axes_change_nothing(self):
        report = self.axes((LONG, 37.6, self.long), (SHORT, 35.2, self.short))
        image = content("SELECTED FROM", "IMAGE", ReferencedSOPSequence=Sequence([referenced(self.image)]))
        outline = content("CONTAINS", "SCOORD", ("111030", "DCM", "Image Region"), GraphicType="POLYLINE", GraphicData=[24.5, 48.0, 48.0, 26.0, 71.5, 48.0, 48.0, 70.0, 24.5, 48.0], ContentSequence=Sequence([image]))
        group = report.ContentSequence[0].ContentSequence[0]
        group.ContentSequence.append(outline)
        second = content("INFERRED FROM", "SCOORD", GraphicType="POLYLINE", GraphicData=list(outline.GraphicData), ContentSequence=Sequence([image]))
        [c for c in group.ContentSequence if c.ValueType == "NUM"][0].ContentSequence.append(second)
        library = content("CONTAINS", "CONTAINER", ("111028", "DCM", "Image Library"), ContinuityOfContent="SEPARATE", ContentSequence=Sequence([content("CONTAINS", "IMAGE", ReferencedSOPSequence=Sequence([referenced(self.image)]))]))
        report.ContentSequence.insert(0, library)
        self.assert_same("library", "--marks", self.written("library.dcm", report))

    def test_axes_by_reference_to_another_place_of_the_report_are_read(self):
        report = self.axes((LONG, 37.6, self.long), (SHORT, 35.2, self.short))
        group = report.ContentSequence[0].ContentSequence[0]
        for number in [c for c in group.ContentSequence if c.ValueType == "NUM"]:
            drawn = number.ContentSequence[0]
            drawn.RelationshipType = "CONTAINS"
            group.ContentSequence.append(drawn)
            reference = Dataset()
            reference.RelationshipType, reference.ReferencedContentItemIdentifier = "INFERRED FROM", [1, 1, 1, len(group.ContentSequence)]
            number.ContentSequence = Sequence([reference])
        self.assert_same("by-reference", "--marks", self.written("by-reference.dcm", report))

    def test_what_is_no_line_on_one_image_is_listed(self):
        for name, kind, data in (("ellipse", "ELLIPSE", [24.5, 48, 71.5, 48, 48, 26, 48, 70]), ("bent", "POLYLINE", [24.5, 48, 48, 50, 71.5, 48]), ("points", "MULTIPOINT", [24.5, 48, 71.5, 48]), ("point", "POINT", [24.5, 48])):
            report = self.axes((LONG, 37.6, self.long), (SHORT, 35.2, self.short))
            self.drawn(report).GraphicType, self.drawn(report).GraphicData = kind, [float(v) for v in data]
            self.listed(name + ".dcm", report, kind)
        report = self.axes((LONG, 37.6, self.long))
        self.drawn(report).ContentSequence[0].ReferencedSOPSequence.append(referenced(pydicom.dcmread(os.path.join(self.ct, sorted(os.listdir(self.ct))[0]), stop_before_pixels=True)))
        self.listed("two-images.dcm", report, "2 images")
        report = self.axes((LONG, 37.6, self.long))
        number = [c for c in report.ContentSequence[0].ContentSequence[0].ContentSequence if c.ValueType == "NUM"][0]
        number.ContentSequence.append(measured(LONG, 20, (40, 40, 60, 40), self.image).ContentSequence[0])
        self.listed("two-lines.dcm", report, "2 lines")
        self.listed("two-axes.dcm", self.axes((LONG, 37.6, self.long), (LONG, 20, (40, 40, 60, 40))), "two lines")

    def test_axes_that_contradict_each_other_are_refused(self):
        self.refused("swapped.dcm", self.axes((SHORT, 37.6, self.long), (LONG, 20.0, (48, 36, 48, 60))), "longer than the first")
        self.refused("nothing.dcm", self.axes((LONG, 0.0, (48, 48, 48, 48))), "shorter than a pixel")
        self.refused("outside.dcm", self.axes((LONG, 37.6, (100, 48, 147, 48))), "outside")
        report = self.axes((LONG, 37.6, self.long))
        self.drawn(report).ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID = generate_uid()
        self.refused("elsewhere.dcm", report, "not among the images")


    def drafted(self, name, **objects):
        """What init makes of the CT with these objects beside it."""
        archive = self.path(name)
        shutil.copytree(self.ct, os.path.join(archive, "ct"))
        for file, data in objects.items():
            data.save_as(os.path.join(archive, file), write_like_original=False)
        case = self.path(name + ".yaml")
        done = run("init", archive, "-o", case)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(case, encoding="utf-8") as file:
            return file.read()

    def test_two_lines_of_one_lesion_beside_the_ct_are_ambiguous_and_one_drawn_twice_is_not(self):
        one, again, other = self.axes((LONG, 37.6, self.long)), self.axes((LONG, 37.6, self.long)), self.axes((LONG, 20.0, (40, 48, 65, 48)))
        text = self.drafted("twice", a=one, b=again)
        self.assertIn('{marks: "twice/a", mark: "1.2.3.4.1"}', text)
        self.assertIn("the line of twice/a again", text)
        text = self.drafted("ambiguous", a=one, b=other)
        self.assertIn('# ambiguous: "2020-01-01": {marks: "ambiguous/a", mark: "1.2.3.4.1"} or {marks: "ambiguous/b", mark: "1.2.3.4.1"}', text)
        self.assertIn("timepoints: {}", text)
        within = ohif_report(self.image, [("1.2.3.4.1", [(LONG, 37.6, self.long)]), ("1.2.3.4.1", [(LONG, 20.0, (40, 48, 65, 48))])])
        text = self.drafted("within", a=within)
        self.assertIn("# ambiguous", text)
        self.assertIn("timepoints: {}", text)

    def test_names_that_programs_make_up_are_other_lesions_in_every_file(self):
        text = self.drafted("generated", a=presentation_state(self.image, [self.long], "PIXEL"), b=presentation_state(self.image, [self.short], "PIXEL"))
        self.assertIn('{marks: "generated/a", mark: "line 1"}', text)
        self.assertIn('{marks: "generated/b", mark: "line 1"}', text)
        self.assertIn("- id: T2", text)


    def test_tables_and_plain_masks_beside_the_ct_are_found_too(self):
        archive = self.path("plain")
        shutil.copytree(self.ct, os.path.join(archive, "ct"))
        shutil.copy(self.wanted, os.path.join(archive, "mask.nii.gz"))
        with open(os.path.join(archive, "lines.csv"), "w", encoding="ascii") as file:
            file.write("sop_instance_uid,x1,y1,x2,y2,lesion\n" + ",".join([self.image.SOPInstanceUID, *map(str, self.long), "node 3"]) + "\n")
        with open(os.path.join(archive, "other.csv"), "w", encoding="ascii") as file:
            file.write("date,weight\n2020-01-01,70\n")
        self.assertEqual(run("init", archive, "-o", self.path("plain.yaml")).returncode, 0)
        with open(self.path("plain.yaml"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn('{marks: "plain/lines.csv", mark: "node 3"}', text)
        self.assertIn('# found: "2020-01-01": {mask: "plain/mask.nii.gz"}', text)
        self.assertNotIn("other.csv", text)
        self.assertEqual(run("run", self.path("plain.yaml"), "-o", self.path("plain-result")).returncode, 0)


class ForeignStates(Foreign):
    def graphic(self, kind, *points):
        out = Dataset()
        out.GraphicAnnotationUnits, out.GraphicDimensions, out.NumberOfGraphicPoints = "PIXEL", 2, len(points) // 2
        out.GraphicData, out.GraphicType, out.GraphicFilled = [float(v) for v in points], kind, "N"
        return out

    def test_what_else_is_drawn_is_listed_and_takes_nothing_from_the_lines(self):
        state = presentation_state(self.image, [self.long, self.short], "PIXEL")
        drawn = state.GraphicAnnotationSequence[0].GraphicObjectSequence
        drawn += [self.graphic("POLYLINE", 10, 10, 20, 10, 20, 20), self.graphic("ELLIPSE", 10, 10, 20, 10, 15, 5, 15, 15), self.graphic("CIRCLE", 10, 10, 20, 10), self.graphic("POINT", 10, 10)]
        marks = self.marks("more.dcm", state)
        self.assertEqual(len(marks), 5)
        for kind in ("POLYLINE of 3", "ELLIPSE of 4", "CIRCLE of 2", "POINT of 1"):
            self.assertTrue(any(kind in m["no_lines"] for m in marks), kind)
        self.assert_same("more", "--marks", self.path("more.dcm"))

    def test_color_presentation_states_draw_in_the_same_way(self):
        state = presentation_state(self.image, [self.short, self.long], "PIXEL")
        state.SOPClassUID = state.file_meta.MediaStorageSOPClassUID = COLOR_STATE
        self.assert_same("color", "--marks", self.written("color.dcm", state))

    def test_lines_in_layers_of_their_own_cross_all_the_same(self):
        state = presentation_state(self.image, [self.long], "PIXEL")
        other = presentation_state(self.image, [self.short], "PIXEL").GraphicAnnotationSequence[0]
        other.GraphicLayer = "LAYER2"
        state.GraphicAnnotationSequence.append(other)
        self.assert_same("layers", "--marks", self.written("layers.dcm", state))

    def test_lines_behind_each_other_do_not_cross(self):
        marks = self.marks("behind.dcm", presentation_state(self.image, [(10, 48, 30, 48), (40, 48, 60, 48)], "PIXEL"))
        self.assertEqual([(m["long_axis"] is not None, m["no_lines"]) for m in marks], [(True, ""), (True, "")])

    def test_several_images_give_no_place_and_a_tracking_uid_gives_a_name(self):
        state = presentation_state(self.image, [self.long], "PIXEL")
        first = pydicom.dcmread(os.path.join(self.ct, sorted(os.listdir(self.ct))[0]), stop_before_pixels=True)
        state.GraphicAnnotationSequence[0].ReferencedImageSequence.append(referenced(first))
        self.listed("images.dcm", state, "2 images")
        state = presentation_state(self.image, [self.long, self.short], "PIXEL")
        for graphic in state.GraphicAnnotationSequence[0].GraphicObjectSequence:
            graphic.add_new(0x00620020, "UT", "node 3")
            graphic.add_new(0x00620021, "UI", "1.2.3.4.77")
        (mark,) = self.marks("tracked.dcm", state)
        self.assertEqual((mark["name"], mark["tracking_uid"]), ("node 3", "1.2.3.4.77"))
        self.assert_same("tracked", "--marks", self.path("tracked.dcm"), "--mark", "1.2.3.4.77")

    def test_each_image_is_shown_in_its_own_displayed_area(self):
        state = presentation_state(self.image, [(0.25, 0.5, 0.75, 0.5)], "DISPLAY", (1, 1, SIZE, SIZE))
        other, own = Dataset(), state.DisplayedAreaSelectionSequence[0]
        other.DisplayedAreaTopLeftHandCorner, other.DisplayedAreaBottomRightHandCorner, other.PresentationSizeMode = [17, 17, ], [32, 32], "SCALE TO FIT"
        other.ReferencedImageSequence = Sequence([referenced(pydicom.dcmread(os.path.join(self.ct, sorted(os.listdir(self.ct))[0]), stop_before_pixels=True))])
        own.ReferencedImageSequence = Sequence([referenced(self.image)])
        state.DisplayedAreaSelectionSequence = Sequence([other, own])
        (mark,) = self.marks("areas.dcm", state)
        self.assertEqual(mark["long_axis"]["points_px"], [[SIZE / 4, SIZE / 2], [3 * SIZE / 4, SIZE / 2]])


if __name__ == "__main__":
    unittest.main(verbosity=2)
