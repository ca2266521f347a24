#!/usr/bin/python3
"""Masks in every way another program may write them: each is the mask that was drawn, or it is refused by a name that says why."""
import glob
import itertools
import os
import random
import unittest

import numpy
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixel_data_handlers.rle_handler import rle_encode_frame
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless, generate_uid

from marks_test import coded, document, referenced
from program import InScratch, run, run_json

SEGMENTATION, LABEL_MAP, STRUCTURES = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7", "1.2.840.10008.5.1.4.1.1.481.3"
COLUMNS, ROWS, SLICES = 95, 93, 24  # a frame of 8835 pixels does not end with a byte
SPACING, SLAB = 0.8, 2.0
SHARED_LENGTHS = ("long_axis_mm", "short_axis_mm", "craniocaudal_mm", "volume_ml")


def item(**values):
    out = Dataset()
    for key, value in values.items():
        setattr(out, key, value)
    return out


def one(**values):
    return Sequence([item(**values)])


def bean(slices=range(8, 17)):
    """A mask without any symmetry: an ellipse that moves and shrinks from slice to slice, with a hole. Slice, row, column."""
    out = numpy.zeros((SLICES, ROWS, COLUMNS), bool)
    rows, columns = numpy.mgrid[:ROWS, :COLUMNS]
    for k in slices:
        out[k] = ((columns - 40 - k) / (18 - k / 2)) ** 2 + ((rows - 60 + k) / 9) ** 2 <= 1
        out[k, 58 - k:60 - k, 44 + k:47 + k] = False
    return out


class ForeignMasks(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = os.path.join(cls.scratch, "phantom")
        done = run("phantom", folder, "--shape", "ball", "--size", "20,20,20", "--grid", f"{COLUMNS},{ROWS},{SLICES}", "--spacing", f"{SPACING},{SPACING},{SLAB}", "--seed", "7")
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.ct = os.path.join(folder, "ct")
        cls.slices = sorted((pydicom.dcmread(f, stop_before_pixels=True) for f in glob.glob(os.path.join(cls.ct, "*"))), key=lambda d: float(d.ImagePositionPatient[2]))
        cls.mask = bean()
        cls.wanted = cls.figures(cls.nrrd("wanted.nrrd", cls.mask))[0]

    @classmethod
    def nrrd(cls, name, mask):
        x, y, z = (float(v) for v in cls.slices[0].ImagePositionPatient)
        path = os.path.join(cls.scratch, name)
        with open(path, "wb") as file:
            file.write(f"NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: {COLUMNS} {ROWS} {SLICES}\n"
                       f"space directions: ({SPACING},0,0) (0,{SPACING},0) (0,0,{SLAB})\nencoding: raw\nspace origin: ({x},{y},{z})\n\n".encode("ascii") + mask.astype(numpy.uint8).tobytes())
        return path

    @classmethod
    def figures(cls, path, *options):
        """(voxels, the lengths) of every label, in order."""
        return [(lesion["voxels"], *(lesion[key]["value"] for key in SHARED_LENGTHS)) for lesion in run_json("measure", cls.ct, "--mask", path, "--json", *options)["lesions"]]

    def written(self, name, data):
        path = self.path(name)
        data.save_as(path, write_like_original=False)
        return path

    def refused(self, name, data, code, why):
        done = run("measure", self.ct, "--mask", self.written(name, data))
        self.assertEqual(done.returncode, 4, f"{name}: {done.stdout}{done.stderr}")
        self.assertIn(f"[{code},", done.stderr, name)
        self.assertIn(why, done.stderr, name)


class Segmentations(ForeignMasks):
    def segmentation(self, frames, kind="BINARY", most=255, shared=("orientation", "measures"), spacing_between=SLAB, allocated=8):
        """frames: [(slice or origin, segment, pixels)], in the order they are stored."""
        out = document(self.slices[0], LABEL_MAP if kind == "LABELMAP" else SEGMENTATION, "SEG")
        out.SegmentationType, out.NumberOfFrames = kind, len(frames)
        out.Rows, out.Columns = frames[0][2].shape
        out.SamplesPerPixel, out.PhotometricInterpretation, out.PixelRepresentation = 1, "MONOCHROME2", 0
        out.FrameOfReferenceUID, out.ContentLabel, out.InstanceNumber = self.slices[0].FrameOfReferenceUID, "FOREIGN", 1
        numbers = sorted({segment for _, segment, pixels in frames if segment} | ({int(v) for _, _, p in frames for v in numpy.unique(p) if v} if kind == "LABELMAP" else set()))
        out.SegmentSequence = Sequence([item(SegmentNumber=n, SegmentLabel=f"lesion {n}", SegmentAlgorithmType="MANUAL", SegmentedPropertyCategoryCodeSequence=coded("49755003", "SCT", "Morphologically Abnormal Structure"),
                                             SegmentedPropertyTypeCodeSequence=coded("4147007", "SCT", "Mass")) for n in numbers])
        groups = {"orientation": ("PlaneOrientationSequence", one(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])),
                  "measures": ("PixelMeasuresSequence", one(PixelSpacing=[SPACING, SPACING], SliceThickness=SLAB))}
        if spacing_between:
            groups["measures"][1][0].SpacingBetweenSlices = spacing_between
        common, own = Dataset(), []
        for name in shared:
            setattr(common, *groups[name])
        for place, segment, _ in frames:
            frame = item(PlanePositionSequence=one(ImagePositionPatient=list(self.slices[place].ImagePositionPatient) if isinstance(place, int) else list(place)))
            if segment:
                frame.SegmentIdentificationSequence = one(ReferencedSegmentNumber=segment)
            for name in set(groups) - set(shared):
                setattr(frame, *groups[name])
            own.append(frame)
        out.SharedFunctionalGroupsSequence, out.PerFrameFunctionalGroupsSequence = Sequence([common]), Sequence(own)
        pixels = numpy.stack([p for _, _, p in frames])
        if kind == "BINARY":
            out.BitsAllocated, out.BitsStored, out.HighBit = 1, 1, 0
            data = numpy.packbits(pixels.astype(bool).ravel(), bitorder="little").tobytes()
        else:
            out.BitsAllocated, out.BitsStored, out.HighBit = allocated, allocated, allocated - 1
            data = pixels.astype("<u2" if allocated == 16 else numpy.uint8).tobytes()
        if kind == "FRACTIONAL":
            out.SegmentationFractionalType, out.MaximumFractionalValue = "PROBABILITY", most
        out.PixelData = data + b"\0" * (len(data) % 2)
        out["PixelData"].VR = "OB" if allocated == 8 else "OW"
        return out

    def frames_of(self, mask, segment=1, inside=1):
        return [(k, segment, mask[k] * inside) for k in range(SLICES) if mask[k].any()]

    def test_binary_frames_in_any_order_and_with_groups_shared_or_not_are_one_mask(self):
        shuffled = self.frames_of(self.mask)
        random.Random(7).shuffle(shuffled)
        everything = [(k, 1, self.mask[k]) for k in range(SLICES)]
        unstated = self.segmentation(shuffled, spacing_between=None)
        for name, data in (("shuffled", self.segmentation(shuffled)), ("own-groups", self.segmentation(shuffled, shared=())), ("own-measures", self.segmentation(shuffled, shared=("orientation",))),
                           ("empty-frames-too", self.segmentation(everything)), ("no-distance", unstated), ("negative-distance", self.segmentation(shuffled, spacing_between=-SLAB))):
            with self.subTest(name):
                self.assertEqual(self.figures(self.written(name + ".dcm", data)), [self.wanted])

    def test_frames_may_be_cut_to_the_lesion_or_run_the_other_way(self):
        x, y, z = (float(v) for v in self.slices[0].ImagePositionPatient)
        at = lambda column, row, k: (x + column * SPACING, y + row * SPACING, z + k * SLAB)
        cut = self.segmentation([(at(15, 35, k), 1, self.mask[k, 35:80, 15:90]) for k in range(SLICES) if self.mask[k].any()])
        self.assertEqual(self.figures(self.written("cut.dcm", cut)), [self.wanted])
        upward = self.segmentation([(at(0, ROWS - 1, k), 1, self.mask[k, ::-1]) for k in range(SLICES) if self.mask[k].any()])
        upward.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, -1, 0]
        self.assertEqual(self.figures(self.written("upward.dcm", upward)), [self.wanted])
        beyond = self.segmentation([(at(-10, 0, k), 1, numpy.ones((ROWS, COLUMNS))) for k in range(8, 12)])
        self.refused("beyond.dcm", beyond, "mask-grid", "outside the CT")
        finer = self.segmentation([(at(-0.25, -0.25, k), 1, numpy.kron(self.mask[k], numpy.ones((2, 2)))) for k in range(SLICES) if self.mask[k].any()])
        finer.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [SPACING / 2, SPACING / 2]
        self.refused("finer.dcm", finer, "mask-grid", "half a voxel")

    def test_a_hole_between_slices_stays_a_hole(self):
        mask = self.mask.copy()
        mask[11] = mask[12] = False
        wanted = self.figures(self.nrrd("gap.nrrd", mask))
        self.assertEqual(self.figures(self.written("gap.dcm", self.segmentation(self.frames_of(mask)))), wanted)

    def test_a_single_frame_is_a_mask_of_one_slice(self):
        mask = bean(range(11, 12))
        wanted = self.figures(self.nrrd("flat.nrrd", mask))
        for name, data in (("flat", self.segmentation(self.frames_of(mask))), ("flat-undistanced", self.segmentation(self.frames_of(mask), spacing_between=None))):
            self.assertEqual(self.figures(self.written(name + ".dcm", data)), wanted)

    def test_fractions_count_from_one_half_of_their_own_maximum(self):
        for most in (255, 100, 200, 1, 7):
            half = (most + 1) // 2
            values = numpy.where(self.mask, half, half - 1)  # the least that is in, the most that is out
            data = self.segmentation([(k, 1, values[k]) for k in range(SLICES)], "FRACTIONAL", most)
            self.assertEqual(self.figures(self.written(f"fraction-{most}.dcm", data)), [self.wanted], most)

    def test_a_fraction_above_its_maximum_or_without_one_is_refused(self):
        data = self.segmentation(self.frames_of(self.mask, inside=200), "FRACTIONAL", 100)
        self.refused("above.dcm", data, "malformed", "MaximumFractionalValue")
        data = self.segmentation(self.frames_of(self.mask, inside=200), "FRACTIONAL", 255)
        del data.MaximumFractionalValue
        self.refused("unstated.dcm", data, "malformed", "MaximumFractionalValue")

    def test_segments_that_overlap_are_each_whole(self):
        other = numpy.roll(self.mask, 4, axis=2)
        frames = [f for pair in zip(self.frames_of(self.mask), self.frames_of(other, 2)) for f in pair]
        self.assertEqual(self.figures(self.written("overlap.dcm", self.segmentation(frames))), [self.wanted, *self.figures(self.nrrd("other.nrrd", other))])

    def test_a_label_map_holds_its_labels_in_eight_and_sixteen_bits(self):
        for allocated, second in ((8, 9), (16, 400)):
            values = self.mask * 3
            values[20, 10:20, 10:30] = second
            data = self.segmentation([(k, None, values[k]) for k in range(SLICES)], "LABELMAP", allocated=allocated)
            found = self.figures(self.written(f"labels-{allocated}.dcm", data))
            self.assertEqual((found[0], found[1][0]), (self.wanted, 200))

    def test_compressed_segmentations_are_the_same_mask(self):
        data = self.segmentation(self.frames_of(self.mask))
        data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        self.assertEqual(self.figures(self.written("deflated.dcm", data)), [self.wanted])
        for kind, frames in (("FRACTIONAL", self.frames_of(self.mask, inside=255)), ("LABELMAP", [(k, None, self.mask[k] * 1) for k in range(SLICES)])):
            data = self.segmentation(frames, kind)
            data.file_meta.TransferSyntaxUID = RLELossless
            data.PixelData = encapsulate([rle_encode_frame(pixels.astype(numpy.uint8)) for _, _, pixels in frames])
            data["PixelData"].is_undefined_length = True
            self.assertEqual(self.figures(self.written(f"rle-{kind}.dcm", data)), [self.wanted], kind)

    def test_more_slices_than_the_ct_are_no_matter_until_they_hold_voxels(self):
        x, y, z = (float(v) for v in self.slices[0].ImagePositionPatient)
        below = (x, y, z - 3 * SLAB)
        empty, full = numpy.zeros((ROWS, COLUMNS), bool), numpy.ones((ROWS, COLUMNS), bool)
        self.assertEqual(self.figures(self.written("more.dcm", self.segmentation([(below, 1, empty), *self.frames_of(self.mask)]))), [self.wanted])
        self.refused("outside.dcm", self.segmentation([(below, 1, full), *self.frames_of(self.mask)]), "mask-grid", "outside the CT")

    def test_what_has_no_place_or_no_owner_is_refused_by_name(self):
        frames = self.frames_of(self.mask)
        data = self.segmentation(frames)
        del data.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence
        self.refused("no-orientation.dcm", data, "no-geometry", "orientation")
        self.refused("no-owner.dcm", self.segmentation([(k, None, p) for k, _, p in frames]), "mask-labels", "which segment")
        data = self.segmentation(frames)
        data.FrameOfReferenceUID = generate_uid()
        self.refused("elsewhere.dcm", data, "mask-grid", "frame of reference")
        data = self.segmentation(frames)
        data.PixelData = data.PixelData[:-200]
        self.refused("cut.dcm", data, "truncated-pixels", "shorter")
        x, y, z = (float(v) for v in self.slices[0].ImagePositionPatient)
        shifted = [((x + 0.6 * SPACING, y, z + k * SLAB), s, p) for k, s, p in frames]
        found = self.figures(self.written("shifted.dcm", self.segmentation(shifted)))  # nearer to the next column than to its own
        self.assertEqual(found, self.figures(self.nrrd("next.nrrd", numpy.roll(self.mask, 1, axis=2))))
        data = self.segmentation(frames)
        data.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = [SPACING * 1.05, SPACING]
        self.refused("stretched.dcm", data, "mask-grid", "half a voxel")

    def test_names_of_segments_keep_their_letters(self):
        data = self.segmentation(self.frames_of(self.mask))
        data.SpecificCharacterSet = "ISO_IR 100"
        data.SegmentSequence[0].SegmentLabel = "L\u00e4sion f\u00fcnf"
        path = self.written("letters.dcm", data)
        self.assertEqual(run_json("measure", self.ct, "--mask", path, "--json")["lesions"][0]["id"], "L\u00e4sion f\u00fcnf")

    def test_a_mask_of_another_frame_of_reference_prompts_nothing(self):
        data = self.segmentation(self.frames_of(self.mask))
        data.FrameOfReferenceUID = generate_uid()
        path = self.written("prompt-elsewhere.dcm", data)
        done = run("segment", self.ct, "--mask", path, "-o", self.path("none.nii.gz"))
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertIn("frame of reference", done.stderr)
        for key in ("mask", "prior"):
            case = self.path(f"elsewhere-{key}.yaml")
            with open(case, "w", encoding="ascii") as file:
                file.write(f"case: P-1\ntimepoints: [{{id: now, ct: {self.ct}, date: 2020-01-01, new_lesions: none}}]\nlesions: [{{id: T1, timepoints: {{now: {{{key}: {path}}}}}}}]\n")
            done = run("run", case, "-o", self.path(f"elsewhere-{key}"))
            self.assertEqual(done.returncode, 4, done.stdout)
            self.assertIn("frame of reference", done.stderr)


class Structures(ForeignMasks):
    def contour(self, k, points, kind="CLOSED_PLANAR", lift=0.0, image=True):
        """Points in pixels of slice k, centres at whole numbers, as a contour in the patient."""
        x, y, z = (float(v) for v in self.slices[k].ImagePositionPatient)
        out = item(ContourGeometricType=kind, NumberOfContourPoints=len(points))
        out.ContourData = [f"{v:.6f}" for c, r in points for v in (x + c * SPACING, y + r * SPACING, z + lift)]
        if image:
            out.ContourImageSequence = Sequence([referenced(self.slices[k])])
        return out

    def structures(self, *regions):
        """regions: (name, contours)"""
        out = document(self.slices[0], STRUCTURES, "RTSTRUCT")
        out.StructureSetLabel = "FOREIGN"
        out.ReferencedFrameOfReferenceSequence = one(FrameOfReferenceUID=self.slices[0].FrameOfReferenceUID)
        out.StructureSetROISequence = Sequence([item(ROINumber=n, ROIName=name, ReferencedFrameOfReferenceUID=self.slices[0].FrameOfReferenceUID, ROIGenerationAlgorithm="MANUAL")
                                                for n, (name, _) in enumerate(regions, 1)])
        out.ROIContourSequence = Sequence([item(ReferencedROINumber=n, ContourSequence=Sequence(contours)) for n, (_, contours) in enumerate(regions, 1)])
        return out

    @staticmethod
    def square(low, high):
        """Round the pixels low..high of both directions: edges run between pixels."""
        a, b = low - 0.5, high + 0.5
        return [(a, a), (b, a), (b, b), (a, b)]

    def voxels(self, name, *regions):
        return [figures[0] for figures in self.figures(self.written(name, self.structures(*regions)))]

    def test_a_hole_is_a_hole_however_it_is_drawn(self):
        ring = 30 * 30 - 10 * 10
        outer, inner = self.square(20, 49), self.square(30, 39)
        keyhole = [*outer, outer[0], inner[0], *reversed(inner[1:]), inner[0], outer[0]]
        for name, drawn in (("nested", [(outer, "CLOSED_PLANAR"), (inner, "CLOSED_PLANAR")]), ("nested-reversed", [(inner[::-1], "CLOSED_PLANAR"), (outer, "CLOSED_PLANAR")]),
                            ("xor", [(outer, "CLOSEDPLANAR_XOR"), (inner, "CLOSEDPLANAR_XOR")]),
                            ("xor-misspelt", [(outer, "CLOSED_PLANAR"), (inner, "CLOSED_PLANAR_XOR")]), ("keyhole", [(keyhole, "CLOSED_PLANAR")])):
            contours = [self.contour(k, points, kind) for k in range(8, 13) for points, kind in drawn]
            self.assertEqual(self.voxels(name + ".dcm", ("GTV", contours)), [5 * ring], name)
        island = [*[(self.square(*s), "CLOSED_PLANAR") for s in ((20, 49), (30, 39), (33, 36))]]
        self.assertEqual(self.voxels("island.dcm", ("GTV", [self.contour(k, p, t) for k in range(8, 13) for p, t in island])), [5 * (ring + 16)])

    def test_a_contour_between_slices_counts_for_the_nearer_one_and_needs_no_image(self):
        for lift in (-0.4 * SLAB, 0.4 * SLAB):
            contours = [self.contour(k, self.square(20, 29), lift=lift, image=False) for k in range(8, 13)]
            self.assertEqual(self.voxels(f"lift{lift}.dcm", ("GTV", contours)), [500])

    def test_a_closed_contour_that_repeats_its_first_point_is_closed_once(self):
        contours = [self.contour(k, [*self.square(20, 29), self.square(20, 29)[0]]) for k in range(8, 13)]
        self.assertEqual(self.voxels("repeated.dcm", ("GTV", contours)), [500])

    def test_points_and_open_lines_are_no_region_and_what_is_left_out_is_said(self):
        closed = [self.contour(k, self.square(20, 29)) for k in range(8, 13)]
        path = self.written("marker.dcm", self.structures(("iso", [self.contour(9, [(30, 30)], "POINT")]), ("GTV", closed)))
        self.assertEqual([f[0] for f in self.figures(path)], [500])
        for kind in ("OPEN_PLANAR", "OPEN_NONPLANAR", "CLOSED_CURVED"):  # the last stands in no edition of the standard
            with self.subTest(kind):
                odd = [self.contour(13, self.square(20, 29), kind)]
                said = run("measure", self.ct, "--mask", self.written(f"{kind}.dcm", self.structures(("GTV", closed + odd))))
                self.assertIn(kind, said.stdout + said.stderr)

    def test_wrong_references_are_refused_or_left_out_by_name(self):
        contours = [self.contour(k, self.square(20, 29)) for k in range(8, 13)]
        data = self.structures(("GTV", contours))
        data.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = data.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = generate_uid()
        self.refused("elsewhere.dcm", data, "mask-grid", "frame of reference")
        data = self.structures(("GTV", contours), ("other", contours))
        data.StructureSetROISequence[1].ReferencedFrameOfReferenceUID = generate_uid()
        done = run("measure", self.ct, "--mask", self.written("two-frames.dcm", data))
        self.assertIn("other", done.stdout)
        self.assertIn("frame of reference", done.stdout)
        self.assertEqual(len(run_json("measure", self.ct, "--mask", self.path("two-frames.dcm"), "--json")["lesions"]), 1)
        self.refused("above.dcm", self.structures(("GTV", [self.contour(SLICES - 1, self.square(20, 29), lift=3 * SLAB)])), "mask-grid", "outside the stack")
        slanted = self.contour(10, self.square(20, 29))
        slanted.ContourData[2] = f"{float(slanted.ContourData[2]) + 3 * SLAB:.3f}"
        self.refused("slanted.dcm", self.structures(("GTV", [slanted])), "mask-grid", "crosses")

    def test_a_slice_without_a_contour_between_two_that_have_one_is_said(self):
        contours = [self.contour(k, self.square(20, 29)) for k in (8, 9, 10, 12, 13)]
        path = self.written("forgotten.dcm", self.structures(("GTV", contours)))
        self.assertEqual([f[0] for f in self.figures(path)], [500])
        self.assertIn("slice 12", run("measure", self.ct, "--mask", path).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
