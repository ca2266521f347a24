"""Incoming studies against a protocol: what exit code and text a coordinator gets, and that nothing private is in them."""
import os
import shutil
import unittest

from program import InScratch, run, run_json

PROTOCOL = """protocol: TRIAL-1
version: 1
acquisition: {slice_thickness_max_mm: %s, slice_spacing_max_mm: 5}
"""


class Qc(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = os.path.join(cls.scratch, "phantom")
        done = run("phantom", folder, "--shape", "ball", "--size", "20,20,20", "--grid", "64,64,40", "--spacing", "1,1,2")
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.incoming = os.path.join(cls.scratch, "incoming of DOE JANE")
        shutil.move(os.path.join(folder, "ct"), cls.incoming)
        cls.date = run_json("series", cls.incoming, "--json")["series"][0]["date"]

    def protocol(self, thickness):
        path = self.path(f"protocol-{thickness}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(PROTOCOL % thickness)
        return path

    def test_a_study_that_keeps_the_protocol_passes(self):
        done = run("qc", self.protocol(2), self.incoming, "--start", self.date)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("0 queries, 0 not checked", done.stdout)
        self.assertIn("slice thickness 2.00 mm (at most 2.00 mm)", done.stdout)

    def test_what_does_not_keep_it_is_a_query_with_both_values_and_no_path(self):
        done = run("qc", self.protocol(1.5), self.incoming, "--start", self.date)
        self.assertEqual(done.returncode, 3)
        self.assertIn("Slice thickness is 2.00 mm; protocol TRIAL-1 asks for at most 1.50 mm.", done.stdout)
        self.assertNotIn("DOE", done.stdout)
        found = run("qc", self.protocol(1.5), self.incoming, "--start", self.date, "--json")
        self.assertEqual(found.returncode, 3)
        self.assertNotIn("DOE", found.stdout)

    def test_a_missing_slice_is_asked_for(self):
        lossy = self.path("gap")
        shutil.copytree(self.incoming, lossy)
        os.remove(os.path.join(lossy, sorted(os.listdir(lossy))[17]))
        done = run("qc", self.protocol(2), lossy, "--start", self.date)
        self.assertEqual(done.returncode, 3)
        self.assertIn("missing-slices", done.stdout)
        self.assertIn("gap 4.00 mm, expected 2.00 mm", done.stdout)
        self.assertIn("Please send the series again, all of its images.", done.stdout)

    def test_what_was_not_checked_has_not_passed_and_nothing_is_no_pass(self):
        done = run("qc", self.protocol(2), self.incoming)
        self.assertEqual(done.returncode, 3, "no start of treatment, so no baseline window")
        self.assertIn("0 queries, 1 not checked", done.stdout)
        empty = self.path("empty")
        os.makedirs(empty)
        self.assertEqual(run("qc", self.protocol(2), empty, "--start", self.date).returncode, 4)
        self.assertEqual(run("qc", self.protocol(2), self.incoming, "--start", "10.01.2020").returncode, 2)


if __name__ == "__main__":
    unittest.main()
