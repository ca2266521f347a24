#!/usr/bin/python3
"""3-D pictures of a report: they show the very masks at one scale, come out the same each time, and where they cannot be drawn the report says why."""
import filecmp
import math
import os
import struct
import subprocess
import unittest
import zlib

import nibabel
import numpy

from program import PROGRAM, content, needs_program, run
from two_balls import TwoBalls

PIXELS = 320                                    # of a side (viewer/view.h, kSurface_px)
BAND = math.ceil(0.07 * PIXELS)                 # below
TURNED, RAISED = math.radians(25), math.radians(15)   # seen from the patient's right front, a little from above
TOWARDS = numpy.array([-math.cos(RAISED) * math.sin(TURNED), -math.cos(RAISED) * math.cos(TURNED), math.sin(RAISED)])
RIGHT = numpy.cross([0, 0, 1], TOWARDS) / numpy.linalg.norm(numpy.cross([0, 0, 1], TOWARDS))
UP = numpy.cross(TOWARDS, RIGHT)


def pixels_of(path):
    """Rows x columns x red, green, blue of a PNG of 8-bit colours, not interlaced."""
    data, at, packed = content(path), 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert (depth, colour, interlaced) == (8, 2, 0)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    raw, line = zlib.decompress(packed), 3 * width
    above, rows = bytearray(line), []
    for y in range(height):
        start = y * (line + 1)
        how, row = raw[start], bytearray(raw[start + 1:start + 1 + line])
        for x in range(line):
            left, up, corner = row[x - 3] if x >= 3 else 0, above[x], above[x - 3] if x >= 3 else 0
            guess = left + up - corner
            nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
            row[x] = (row[x] + (0, left, up, (left + up) // 2, nearest)[how]) & 255
        rows.append(row)
        above = row
    return numpy.frombuffer(bytes(b"".join(rows)), numpy.uint8).reshape(height, width, 3).astype(int)


def shadow_of(mask_file, mm_per_pixel):
    """Which pixels the mask covers, its voxels projected one by one; the middle of its shadow in the middle of the picture.

    A quarter of a voxel each way: a smooth surface passes half a voxel from the centres at a face, nearer at an edge or a corner."""
    image = nibabel.load(mask_file)
    voxels = numpy.argwhere(numpy.asarray(image.dataobj) != 0)
    parts = numpy.arange(-0.25, 0.26, 0.1)
    covered = numpy.zeros((PIXELS, PIXELS), bool)
    points = []
    for shift in ((a, b, c) for a in (-0.25, 0.0, 0.25) for b in (-0.25, 0.0, 0.25) for c in parts):
        ras = nibabel.affines.apply_affine(image.affine, voxels + shift)
        lps = ras * [-1, -1, 1]
        points.append(numpy.stack([lps @ RIGHT, lps @ UP], 1))
    points = numpy.concatenate(points)
    middle = (points.min(0) + points.max(0)) / 2
    x, y = ((points - middle) / mm_per_pixel * [1, -1] + PIXELS / 2).astype(int).T
    covered[y.clip(0, PIXELS - 1), x.clip(0, PIXELS - 1)] = True
    return covered


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


class Surfaces(TwoBalls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.environ["SOURCE_DATE_EPOCH"] = "1600000000"
        truth = nibabel.load(os.path.join(cls.scratch, "phantom-second", "truth.nii.gz"))
        bent = numpy.asarray(truth.dataobj).copy()
        bent[:, :, 24:] = 0                      # the lower half of the ball: no ellipsoid looks like it
        nibabel.Nifti1Image(bent, truth.affine, truth.header).to_filename(os.path.join(cls.scratch, "bent.nii.gz"))
        with open(cls.case_file, encoding="utf-8") as file:
            lines = file.read().splitlines()
        masks = {"before": "phantom-first/truth.nii.gz", "after": "bent.nii.gz"}
        lines = [f"      {w}: {{mask: {masks[w]}}}" if (w := line.strip().split(":")[0]) in masks else line for line in lines]
        with open(cls.case_file, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def needs_the_viewer(self):
        needs_program(self, "Xvfb")
        if "built without the viewer" in run("doctor").stdout:
            self.skipTest("built without the viewer")

    def result(self, name, *extra, environment=None):
        out = self.path(name)
        done = subprocess.run([PROGRAM, "run", self.case_file, "-o", out, *extra], capture_output=True, text=True, timeout=300, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(run("audit", out).returncode, 0)
        return out, done.stdout

    def surfaces(self, out):
        return sorted(name for name in os.listdir(os.path.join(out, "images")) if "surface" in name)

    def page(self, out):
        return content(os.path.join(out, "report.html")).decode()

    def test_each_picture_shows_its_own_mask_at_the_scale_of_its_bar(self):
        self.needs_the_viewer()
        out, _ = self.result("drawn", "--surfaces")
        self.assertEqual(self.surfaces(out), ["after-T1-surface.png", "before-T1-surface.png"])
        self.assertEqual(self.page(out).count("in 3-D, seen from"), 2)
        for timepoint, other in (("before", "after"), ("after", "before")):
            picture = pixels_of(os.path.join(out, "images", timepoint + "-T1-surface.png"))
            self.assertEqual(picture.shape, (PIXELS, PIXELS, 3))
            white = (picture > 250).all(2)
            bar = max(white[y].sum() for y in range(PIXELS - BAND - 20, PIXELS - BAND))
            mm_per_pixel = 20 / bar              # the ball of 40 mm, with the corners of its voxels, fills 0.8 of 320 pixels: a bar of 20 mm is just below 0.4 of a side
            self.assertAlmostEqual(mm_per_pixel, 40 / 256, delta=0.01)   # a pixel at either end of the bar, two voxels of the ball
            background = abs(picture - picture[2, 2]).max(2) <= 3
            rows = slice(PIXELS - BAND - 40)     # above the bar, its number and the band
            lit = (~background & ~white)[rows]
            shadow = {t: shadow_of(os.path.join(out, "masks", t + "-T1.nii.gz"), mm_per_pixel)[rows] for t in (timepoint, other)}
            # A quarter of a voxel, here a tenth to half a millimetre, round an outline of 24 x 12 mm is 5 to 8 % of it. The ellipsoid that fills the box of the half ball has 0.81.
            self.assertGreater(overlap(lit, shadow[timepoint]), 0.92, timepoint)
            self.assertLess(overlap(lit, shadow[other]), 0.6, timepoint)

    def test_the_band_stands_below_every_picture(self):
        self.needs_the_viewer()
        out, _ = self.result("band", "--surfaces")
        self.assertEqual(len(self.surfaces(out)), 2)
        for name in self.surfaces(out):
            band = pixels_of(os.path.join(out, "images", name))[-BAND + 2:]
            self.assertGreater(((band[:, :, 0] > 100) & (band[:, :, 1] < 60)).sum(), 1000, name)   # its red
            self.assertGreater((band > 140).all(2).sum(), 200, name)                               # its letters, thin and smooth

    def test_they_are_the_same_bytes_at_any_thread_count(self):
        self.needs_the_viewer()
        one, _ = self.result("one", "--surfaces", "--threads", "1")
        self.assertEqual(len(self.surfaces(one)), 2)
        four, _ = self.result("four", "--surfaces", "--threads", "4")
        for folder, _, files in os.walk(one):
            for name in set(files) - {"provenance.json", "events.jsonl"}:
                here = os.path.join(folder, name)
                self.assertTrue(filecmp.cmp(here, os.path.join(four, os.path.relpath(here, one)), shallow=False), name)

    def test_without_xvfb_and_display_the_report_is_whole_and_says_why_they_are_missing(self):
        out, printed = self.result("none", "--surfaces", environment={"PATH": "/nonexistent", "SOURCE_DATE_EPOCH": "1600000000", "LSAN_OPTIONS": os.environ.get("LSAN_OPTIONS", "")})
        self.assertEqual(self.surfaces(out), [])
        for said in (self.page(out), printed):
            self.assertRegex(said, "left out.*(there is neither Xvfb|built without the viewer)")
        self.assertIn("surfaces-left-out", content(os.path.join(out, "events.jsonl")).decode())

    def test_nobody_who_does_not_ask_gets_them_or_a_word_about_them(self):
        out, _ = self.result("not-asked")
        self.assertEqual(self.surfaces(out), [])
        self.assertNotIn("3-D pictures", self.page(out))


if __name__ == "__main__":
    unittest.main(verbosity=2)
