#!/usr/bin/python3
"""dcm2niix as an independent judge: where it converts a series, its voxels lie where ours do and hold the HU we measure there."""
import os
import subprocess
import unittest

import nibabel
import numpy
from program import InScratch, real_data, run_json

# Folders of real series, and how many of each must have been compared; where the collection's manifest says that dcm2niix goes wrong
# (tilted stacks, uneven ones, lost or doubled slices, two patients, padding, several phases) its word is not asked.
FOLDERS = {
    "04_two_kernels_three_recons_one_folder": 3,
    "20_patientposition_FFS_real": 1,
    "10_enhanced_multiframe/dcmqi_tiny": 1,
    "30_derived/00_reference": 1,
    "30_derived/07_instance_number_reversed_names_shuffled": 1,
    "30_derived/08_rescale_slope_intercept_per_slice": 1,
    "30_derived/11_every_slice_own_AcquisitionNumber_single_volume": 1,
    "30_derived/12_FFS_same_LPS_coords": 1,
    "30_derived/13_HFP_prone": 1,
    "30_derived/16_empty_type2_tags_anonymised": 1,
}


class Dcm2niix(InScratch):
    def converted(self, folder):
        """Series UID -> image, of the series dcm2niix makes one volume of."""
        out = self.path(os.path.basename(folder))
        os.makedirs(out)
        subprocess.run(["dcm2niix", "-b", "n", "-z", "n", "-f", "%j", "-o", out, folder], check=True, capture_output=True)
        return {name[:-4]: nibabel.load(os.path.join(out, name)) for name in os.listdir(out) if name.endswith(".nii")}

    def compare(self, series, image):
        hu = numpy.asarray(image.dataobj, dtype=float)
        self.assertEqual(sorted(hu.shape), sorted(series["dimensions"]))
        # The same eight corners in space, whichever way either numbers rows and slices; a hundredth of a voxel for its single precision.
        ours = numpy.array(series["affine_lps_mm"]).reshape(4, 4)
        theirs = numpy.diag([-1, -1, 1, 1]) @ image.affine

        def corners(affine, shape):
            return sorted(tuple(numpy.round((affine @ [i, j, k, 1])[:3], 2)) for i in (0, shape[0] - 1) for j in (0, shape[1] - 1) for k in (0, shape[2] - 1))

        numpy.testing.assert_allclose(corners(ours, series["dimensions"]), corners(theirs, hu.shape), atol=0.02)
        # A lopsided body on its grid, so that a flip or a shift would measure other voxels.
        shape = numpy.array(hu.shape)
        centre, half = shape * [0.4, 0.45, 0.4], numpy.maximum(shape * [0.3, 0.2, 0.4], 0.6)
        at = numpy.moveaxis(numpy.indices(hu.shape), 0, -1)
        inside = (((at - centre) / half) ** 2).sum(-1) <= 1
        mask = self.path("mask.nii.gz")
        nibabel.save(nibabel.Nifti1Image(inside.astype(numpy.uint8), image.affine), mask)
        return hu[inside], mask

    def test_geometry_and_hu_agree(self):
        for name, expected in FOLDERS.items():
            folder = real_data(self, "quirks", name)
            with self.subTest(name):
                images = self.converted(folder)
                compared = 0
                for series in run_json("series", folder, "--json")["series"]:
                    image = images.get(series["series_instance_uid"])
                    if series["code"] != "ok" or image is None or not series["uniform"]:
                        continue
                    values, mask = self.compare(series, image)
                    measured = run_json("measure", folder, "--series", series["series_instance_uid"], "--mask", mask, "--json")["lesions"][0]["hu"]
                    # Ours are whole HU: rounding moves a mean by half at most.
                    self.assertAlmostEqual(measured["mean"], values.mean(), delta=0.5)
                    self.assertAlmostEqual(measured["sd"], values.std(), delta=0.5)
                    for percentile in (10, 50, 90):
                        self.assertAlmostEqual(measured["median" if percentile == 50 else f"p{percentile}"], numpy.percentile(values, percentile), delta=0.5)
                    compared += 1
                self.assertGreaterEqual(compared, expected)


if __name__ == "__main__":
    unittest.main(verbosity=2)
