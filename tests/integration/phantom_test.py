#!/usr/bin/python3
"""Phantoms as a stranger makes them: the same bytes for any thread count, valid DICOM in every scan, impossible wishes refused."""
import csv
import filecmp
import glob
import os
import re
import subprocess
import unittest

import pydicom

from program import InScratch, needs_program, read_json, run, run_json

COARSE = ("--patient", "--spacing", "0.9,0.9,10")   # 45 slices: the anatomy is the same, the test is short
TIMEPOINTS = ("presentation", "residual", "day-38", "after-5-cycles", "after-radiotherapy")


def tree(folder):
    return sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, files in os.walk(folder) for f in files)


class Phantoms(InScratch):
    def made(self, name, *arguments):
        folder = self.path(name)
        done = run("phantom", folder, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return folder

    def assert_valid(self, folder):
        needs_program(self, "dciodvfy")
        for directory, _, files in os.walk(folder):
            dicom = sorted(f for f in files if f.endswith(".dcm"))
            for file in dicom[:1] + dicom[-1:]:
                done = subprocess.run(["dciodvfy", "-new", os.path.join(directory, file)], capture_output=True, text=True)
                self.assertEqual([line for line in done.stderr.splitlines() if line.startswith("Error")], [], file)

    def assert_lines_are_those_of_the_case(self, folder):
        """lines.csv in pixels of its images, case.yaml in mm: the same places."""
        images = {}
        for file in glob.glob(os.path.join(folder, "ct", "*", "*.dcm")):
            data = pydicom.dcmread(file, stop_before_pixels=True)
            images[data.SOPInstanceUID] = data
        with open(os.path.join(folder, "case.yaml"), encoding="ascii") as file:
            wanted = [[float(v) for v in re.findall(r"-?\d+\.\d+", line)] for line in re.findall(r"\{line: (\[\[.*?\]\])", file.read())]
        with open(os.path.join(folder, "lines.csv"), encoding="ascii") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual((len(wanted), len(rows)), (len(TIMEPOINTS),) * 2)
        for line, row in zip(wanted, rows):
            image = images[row["sop_instance_uid"]]
            o = [float(v) for v in image.ImageOrientationPatient]
            found = []
            for n in "12":  # from the outer corner of the first pixel, half a pixel from its centre
                x, y = (float(row["x" + n]) - 0.5) * float(image.PixelSpacing[1]), (float(row["y" + n]) - 0.5) * float(image.PixelSpacing[0])
                found += [float(image.ImagePositionPatient[a]) + x * o[a] + y * o[3 + a] for a in range(3)]
            for a, b in zip(found, line):
                self.assertAlmostEqual(a, b, delta=0.01)  # both are written to about a hundredth of a mm

    def test_a_patient_is_the_same_for_any_number_of_threads_and_another_for_another_seed(self):
        one, two = self.made("one", *COARSE, "--threads", "1"), self.made("two", *COARSE, "--threads", "3")
        other = self.made("other", *COARSE, "--seed", "2")
        self.assertEqual(tree(one), tree(two))
        self.assertEqual([f for f in tree(one) if not filecmp.cmp(os.path.join(one, f), os.path.join(two, f), shallow=False)], [])
        first, second = (read_json(os.path.join(f, "truth.json"))["timepoints"] for f in (one, other))
        for a, b in zip(first, second):
            self.assertEqual(a["date"], b["date"])
            self.assertNotAlmostEqual(a["volume_ml"], b["volume_ml"], places=2)
        self.assert_valid(one)
        self.assert_lines_are_those_of_the_case(one)
        listed = run_json("series", os.path.join(other, "ct"), "--json")["series"]
        self.assertEqual(len(listed), len(TIMEPOINTS))
        for series in listed:
            self.assertTrue(series["eligible"], series)
            self.assertIn("SYNTHETIC", series["series_description"])
        self.check_truth(other)

    def test_a_tilted_patient_is_valid_and_measured_in_its_slices(self):
        folder = self.made("tilted", *COARSE, "--tilt", "15", "--phase", "arterial", "--uncompressed", "--noise", "20")
        self.assert_valid(folder)
        self.check_truth(folder)

    def test_a_coronal_patient_is_valid_and_an_oblique_one_is_measured_in_its_slices(self):
        coronal = self.made("coronal", "--patient", "--spacing", "0.9,0.9,8", "--orientation", "coronal", "--phase", "unenhanced")
        self.assert_valid(coronal)
        self.assertFalse(os.path.exists(os.path.join(coronal, "lines.csv")))  # axial lines lie in no coronal slice
        folder = self.made("oblique", *COARSE, "--orientation", "1,0,0,0,0.9659258,0.2588190")
        self.assert_valid(folder)
        self.check_truth(folder)

    def check_truth(self, folder):
        """True masks measured by the program, against the analytic surface: within a voxel's diagonal and 2 % of the volume."""
        truth = {row["timepoint"]: row for row in read_json(os.path.join(folder, "truth.json"))["timepoints"]}
        for name in ("presentation", "day-38"):   # hundreds of ml in slices of 10 mm; smaller ones are a few slices thick
            found = run_json("measure", os.path.join(folder, "ct", name), "--mask", os.path.join(folder, "truth", name + ".nii.gz"), "--json")["lesions"][0]
            for axis, voxel in (("long_axis_mm", 1.3), ("short_axis_mm", 3.0), ("craniocaudal_mm", 10)):   # short: it turns with the long axis' ends
                self.assertAlmostEqual(found[axis]["value"], truth[name][axis], delta=voxel, msg=f"{name} {axis}")
            self.assertAlmostEqual(found["volume_ml"]["value"], truth[name]["volume_ml"], delta=0.02 * truth[name]["volume_ml"], msg=name)

    def test_every_shape_takes_every_option_and_is_valid(self):
        for shape in ("ball", "box", "ellipsoid", "shell", "dumbbell", "crescent", "reuleaux", "two-components", "rim-necrosis"):
            for number, scan in enumerate((("--tilt", "20"), ("--orientation", "sagittal"), ("--orientation", "1,0,0,0,0.9659258,0.2588190", "--uncompressed"))):
                folder = self.made(f"{shape}-{number}", "--shape", shape, "--size", "30,13,13", "--grid", "32,32,16", "--spacing", "1.5,1.5,3", "--noise", "15", *scan)
                self.assert_valid(folder)
                self.assertIn("SYNTHETIC", run_json("series", os.path.join(folder, "ct"), "--json")["series"][0]["series_description"])

    def test_what_cannot_be_meant_is_refused_with_a_sentence(self):
        for arguments, words in {
            ("--patient", "--spacing", "0.5,0.5,2.5"): "would cut this patient",
            ("--patient", "--spacing", "0.9,0.9,20"): "0.5 to 10 mm",
            ("--patient", "--orientation", "1,0,0,0,0.7,0.7"): "45 degrees from axial",
            ("--patient", "--phase", "late"): "known phases",
            ("--patient", "--grid", "64,64,64"): "is for shapes",
            ("--shape", "ball", "--phase", "arterial"): "goes with --patient",
            ("--shape", "ball", "--orientation", "coronal", "--tilt", "5"): "leave the tilt out",
            ("--shape", "ball", "--orientation", "up"): "axial, coronal, sagittal",
            ("--shape", "cube"): "known shapes",
            ("--shape", "dumbbell", "--size", "30,20,20"): "two diameters",
        }.items():
            done = run("phantom", self.path("never"), *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(words, done.stderr)
            self.assertFalse(os.path.exists(self.path("never")), arguments)

    def test_the_help_names_every_shape_and_shows_examples(self):
        text = run("phantom", "--help").stdout
        for word in ("rim-necrosis", "--orientation", "--phase", "--tilt", "Examples:", "truth.json", "retromass phantom sample --patient"):
            self.assertIn(word, text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
