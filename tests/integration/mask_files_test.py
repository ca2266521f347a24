"""Masks as other programs wrote them, measured by ours: every SEG of the collection against pydicom's reading of its pixels."""
import os
import unittest

import numpy
import pydicom

from program import real_data, run, run_json

EXAMPLES = ("quirks", "23_SEG_SR_RTSTRUCT_examples")
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


def functional_group(data, frame, name):
    for groups in (data.get("PerFrameFunctionalGroupsSequence", [])[frame:frame + 1], data.get("SharedFunctionalGroupsSequence", [])):
        for item in groups:
            if name in item:
                return item[name].value[0]
    return None


def voxels_by_segment(data):
    """Segment number to voxels, read from the pixels alone. Binary frames are bit-packed, fractional ones count from one half."""
    frames = numpy.asarray(data.pixel_array).reshape(int(data.NumberOfFrames), data.Rows, data.Columns)
    counts = {}
    if data.SOPClassUID == LABEL_MAP:
        background = data.get("PixelPaddingValue", 0)
        for value, count in zip(*numpy.unique(frames, return_counts=True)):
            if value not in (0, background):  # segment 0 is described as the background
                counts[int(value)] = int(count)
        return counts
    limit = 1
    if data.SegmentationType == "FRACTIONAL":
        limit = data.MaximumFractionalValue / 2
    for i, frame in enumerate(frames):
        number = functional_group(data, i, "SegmentIdentificationSequence").ReferencedSegmentNumber
        counts[number] = counts.get(number, 0) + int((frame >= limit).sum())
    return {number: count for number, count in counts.items() if count}


class MaskFiles(unittest.TestCase):
    def setUp(self):
        self.folder = real_data(self, *EXAMPLES)

    def test_every_seg_gives_the_voxels_that_pydicom_reads_or_is_refused_by_name(self):
        measured = 0
        for root, _, names in sorted(os.walk(self.folder)):
            for name in sorted(names):
                path = os.path.join(root, name)
                try:
                    data = pydicom.dcmread(path)
                except pydicom.errors.InvalidDicomError:
                    continue
                if data.SOPClassUID not in (SEGMENTATION, LABEL_MAP):
                    continue
                with self.subTest(name):
                    expected = voxels_by_segment(data)
                    done = run("measure", "--mask", path, "--json")
                    if done.returncode:
                        self.assertEqual(done.returncode, 4, done.stderr)
                        self.assertFalse(expected, f"{done.stderr}\nbut pydicom finds {expected}")
                        continue
                    lesions = run_json("measure", "--mask", path, "--json")["lesions"]
                    self.assertEqual(sorted(lesion["voxels"] for lesion in lesions), sorted(expected.values()))
                    spacing = functional_group(data, 0, "PixelMeasuresSequence")
                    slab = spacing.get("SpacingBetweenSlices")
                    if slab:
                        pixel = float(spacing.PixelSpacing[0]) * float(spacing.PixelSpacing[1])
                        for lesion in lesions:
                            self.assertAlmostEqual(lesion["voxel_volume_mm3"]["value"] / lesion["voxels"] / (pixel * float(slab)), 1, delta=0.02)
                    measured += 1
        self.assertGreaterEqual(measured, 5)

    def test_an_sr_is_no_mask_and_a_structure_set_needs_its_ct(self):
        done = run("measure", "--mask", os.path.join(self.folder, "highdicom", "sr_document.dcm"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("not-an-image", done.stderr)
        structures = os.path.join(os.environ["RETROMASS_DATA"], "sts", "STS_003", "rtstruct.dcm")
        alone = run("measure", "--mask", structures)
        self.assertEqual(alone.returncode, 4)
        self.assertIn("give the CT", alone.stderr)
        both = run_json("measure", os.path.join(os.path.dirname(structures), "ct"), "--mask", structures, "--json")["lesions"]
        expert = run_json("measure", os.path.join(os.path.dirname(structures), "ct"), "--mask", os.path.join(os.path.dirname(structures), "gtv.nii.gz"), "--json")["lesions"]
        ours = next(lesion for lesion in both if lesion["id"] == "GTV_Mass_CT")
        self.assertAlmostEqual(ours["long_axis_mm"]["value"], expert[0]["long_axis_mm"]["value"], delta=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
