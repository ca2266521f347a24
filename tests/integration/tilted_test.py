#!/usr/bin/python3
"""A leaning and a real uneven series, through the whole program: native SEG and the rectified one beside it."""
import os
import subprocess
import unittest

import numpy
import pydicom

from program import InScratch, needs_program, read_json, real_data, run, run_json


class Tilted(InScratch):
    def judged(self, name, ct, prompt):
        """Runs a case of one lesion; both SEGs are valid, and the rectified one is right-angled, even and holds the volume."""
        case, out = self.path(name + ".yaml"), self.path(name)
        with open(case, "w", encoding="ascii") as file:
            file.write(f"case: P-1\ntimepoints: [{{id: now, ct: {ct}, date: 2020-01-01, new_lesions: none}}]\nlesions: [{{id: T1, timepoints: {{now: {{{prompt}}}}}}}]\naccept: [uneven-slices]\n")
        done = run("run", case, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        native, upright = (os.path.join(out, "dicom", f"now-{kind}.dcm") for kind in ("seg", "seg-rectified"))
        needs_program(self, "dciodvfy")
        for file in (native, upright):
            self.assertNotIn("Error", subprocess.run(["dciodvfy", "-new", file], capture_output=True, text=True).stderr, file)
        data = pydicom.dcmread(upright)
        shared = data.SharedFunctionalGroupsSequence[0]
        measures = shared.PixelMeasuresSequence[0]
        step = float(measures.SpacingBetweenSlices)
        directions = [float(v) for v in shared.PlaneOrientationSequence[0].ImageOrientationPatient]
        normal = numpy.cross(directions[:3], directions[3:])
        origins = numpy.array([[float(v) for v in g.PlanePositionSequence[0].ImagePositionPatient] for g in data.PerFrameFunctionalGroupsSequence])
        moved = origins - origins[0]
        along = moved @ normal
        self.assertLess(numpy.abs(moved - numpy.outer(along, normal)).max(), 1e-3)  # no drift in the plane
        self.assertLess(numpy.abs(along / step - numpy.round(along / step)).max(), 1e-3)
        volume = data.pixel_array.sum() * float(measures.PixelSpacing[0]) * float(measures.PixelSpacing[1]) * step / 1000
        lesion = read_json(os.path.join(out, "case.json"))["timepoints"][0]["lesions"][0]
        with open(os.path.join(out, "report.html"), encoding="utf-8") as file:
            self.assertIn("now-seg-rectified.dcm", file.read())
        self.assertEqual(run_json("measure", "--mask", upright, "--json")["lesions"][0]["voxels"], int(data.pixel_array.sum()))
        return volume, lesion["volume_ml"]["value"], data.pixel_array.sum(axis=(1, 2)) * float(measures.PixelSpacing[0]) * float(measures.PixelSpacing[1]) / 1000, step

    def test_a_leaning_stack_keeps_its_volume(self):
        folder = self.path("phantom")
        done = run("phantom", folder, "--shape", "ball", "--size", "40,40,40", "--grid", "96,96,48", "--spacing", "0.8,0.8,2", "--seed", "7", "--tilt", "18.5")
        self.assertEqual(done.returncode, 0, done.stderr)
        mask = next(os.path.join(r, f) for r, _, names in os.walk(folder) for f in names if f.endswith(".nii.gz"))
        rectified, native, _, _ = self.judged("leaning", os.path.join(folder, "ct"), f"mask: {mask}")
        self.assertAlmostEqual(rectified, native, delta=0.005001)  # recorded to 0.01 ml

    def test_a_real_head_that_leans_and_is_uneven_agrees_within_the_steps_of_its_slabs(self):
        ct = real_data(self, "quirks", "01_gantry_tilt_variable_spacing_GE")
        series = run_json("series", ct, "--json")["series"][0]
        slices = sorted((d for d in (pydicom.dcmread(os.path.join(ct, f), stop_before_pixels=True) for f in os.listdir(ct)) if "ImagePositionPatient" in d), key=lambda d: float(d.ImagePositionPatient[2]))
        middle = slices[len(slices) // 2]
        at = numpy.array([float(v) for v in middle.ImagePositionPatient])
        iop = numpy.array([float(v) for v in middle.ImageOrientationPatient])
        centre = at + iop[:3] * float(middle.PixelSpacing[1]) * middle.Columns / 2 + iop[3:] * float(middle.PixelSpacing[0]) * middle.Rows / 2
        ends = [(centre + s * 20 * iop[:3]).round(3).tolist() for s in (-1, 1)]
        rectified, native, areas, step = self.judged("head", ct, f"line: [{ends[0]}, {ends[1]}]")
        self.assertFalse(series["uniform"])
        bound = numpy.abs(numpy.diff(numpy.concatenate([[0], areas, [0]]))).sum() * step / 2  # faces of slabs move by half a step at most
        self.assertLess(abs(rectified - native), bound)


if __name__ == "__main__":
    unittest.main(verbosity=2)
