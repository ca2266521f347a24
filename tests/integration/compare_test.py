"""Two readers of the same two studies: their lesions have other names, other masks and other roles; the truth is known from the masks that were drawn."""
import csv
import gzip
import math
import os
import shutil
import struct
import unittest

import numpy

from program import InScratch, read_json, run, run_json
from trial_cases import lesion, run_case, size

SIZE, SPACING = (96, 96, 48), (0.8, 0.8, 2.0)
T_95 = {5: 2.5706, 2: 4.3027}  # two-sided 5 %, by degrees of freedom, from a table

CASE = """case: {case}
timepoints:
  - {{id: {first}, ct: {ct}/first, date: 2020-01-01, new_lesions: none, reader: {reader}}}
  - {{id: {second}, ct: {ct}/second, date: 2020-03-01, new_lesions: {new}, reader: {reader}}}
treatments:
  - {{kind: systemic, line: 1, start: 2020-01-10}}
accept: [different-patient-ids]
lesions:
"""


def ball(centre, diameter):
    """Voxels (slice, row, column) within a ball; centre in mm from the first voxel's centre."""
    k, j, i = numpy.indices(SIZE[::-1])
    x, y, z = i * SPACING[0] - centre[0], j * SPACING[1] - centre[1], k * SPACING[2] - centre[2]
    return x * x + y * y + z * z <= diameter * diameter / 4


def dice(a, b):
    return 2 * numpy.count_nonzero(a & b) / (numpy.count_nonzero(a) + numpy.count_nonzero(b))


def write_nifti(path, mask, affine_lps):
    """NIfTI-1 of bytes, sform in RAS."""
    affine = numpy.array(affine_lps, dtype=float).reshape(4, 4)
    affine[:2] *= -1
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *SIZE, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, 1, *SPACING, 1, 1, 1, 1)
    struct.pack_into("<fff", header, 108, 352, 1, 0)
    struct.pack_into("<hh", header, 252, 0, 1)
    header[123] = 2  # mm
    struct.pack_into("<12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    with gzip.open(path, "wb", 1) as file:
        file.write(bytes(header) + mask.astype(numpy.uint8).tobytes())


class Compare(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.affine = {}
        for name, seed in (("first", 1), ("second", 2)):
            folder = os.path.join(cls.scratch, "phantom-" + name)
            done = run("phantom", folder, "--shape", "ball", "--size", "30,30,30", "--grid", "96,96,48", "--spacing", "0.8,0.8,2", "--seed", seed)
            if done.returncode:
                raise AssertionError(done.stderr)
            shutil.move(os.path.join(folder, "ct"), os.path.join(cls.scratch, name))
            affine = run_json("series", os.path.join(cls.scratch, name), "--json")["series"][0]["affine_lps_mm"]
            cls.affine[name] = affine
        # Reader A: three targets. Reader B: the same two first ones under other names, drawn otherwise; the third is B's non-target; one of B's own.
        here, there, corner, own = (20, 20, 40), (50, 50, 40), (20, 55, 60), (55, 20, 70)
        cls.a = {"T1": ("target", ball(here, 24), ball(here, 24)), "T2": ("target", ball(there, 30), ball(there, 20)), "T3": ("target", ball(corner, 16), ball(corner, 16))}
        cls.b = {"X": ("target", ball((52, 50, 40), 28), ball((52, 50, 40), 26)), "Y": ("target", ball((20, 22, 40), 25), ball((20, 22, 40), 25)), "Z": ("non-target", ball(corner, 18), ball(corner, 18)),
                 "W": ("target", ball(own, 14), ball(own, 14))}
        cls.out = {}
        for reader, lesions, first, second in (("A", cls.a, "t1", "t2"), ("B", cls.b, "before", "after")):
            cls.out[reader] = cls.read_case(reader, lesions, first, second)
        cls.done = run("compare", cls.out["A"], cls.out["B"], "-o", os.path.join(cls.scratch, "compared"))

    @classmethod
    def read_case(cls, reader, lesions, first, second, new="none"):
        folder = os.path.join(cls.scratch, "reader-" + reader)
        os.makedirs(folder, exist_ok=True)
        text = CASE.format(case="P-1", first=first, second=second, ct=cls.scratch, reader=reader, new=new)
        for name, (role, *masks) in lesions.items():
            text += f"  - id: {name}\n    role: {role}\n    site: liver\n    organ: {name}\n    timepoints:\n"
            for timepoint, ct, mask in ((first, "first", masks[0]), (second, "second", masks[1])):
                write_nifti(os.path.join(folder, f"{name}-{timepoint}.nii.gz"), mask, cls.affine[ct])
                text += f"      {timepoint}: {{mask: {name}-{timepoint}.nii.gz}}\n"
        with open(os.path.join(folder, "case.yaml"), "w", encoding="utf-8") as file:
            file.write(text)
        done = run("run", os.path.join(folder, "case.yaml"), "-o", os.path.join(folder, "out"))
        if done.returncode:
            raise AssertionError(done.stderr)
        return os.path.join(folder, "out")

    def table(self, name):
        with open(os.path.join(self.scratch, "compared", name), encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def test_lesions_are_paired_by_where_they_lie_and_not_by_name(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        pairs = {(r["timepoint_a"], r["timepoint_b"], r["lesion_a"], r["lesion_b"]): float(r["dice"]) for r in self.table("pairs.csv")}
        partner = {"T1": "Y", "T2": "X", "T3": "Z"}
        self.assertEqual(set(pairs), {(ta, tb, a, b) for ta, tb in (("t1", "before"), ("t2", "after")) for a, b in partner.items()})
        for (ta, _, a, b), found in pairs.items():
            at = 1 if ta == "t1" else 2
            self.assertAlmostEqual(found, dice(self.a[a][at], self.b[b][at]), delta=5e-5)  # printed to four places
        self.assertEqual([(r["reader"], r["lesion"]) for r in self.table("unpaired.csv")], [("B", "W")])

    def test_the_agreement_is_that_of_the_formulas(self):
        rows = {r["quantity"]: r for r in self.table("agreement.csv")}
        for quantity, columns, ratio in (("long_axis_mm", "long_axis_{}_mm", False), ("volume_ml", "volume_{}_ml", False), ("volume_ratio", "volume_{}_ml", True)):
            a, b = (numpy.array([float(r[columns.format(reader)]) for r in self.table("pairs.csv")]) for reader in "ab")
            self.assertEqual(len(a), 6)
            difference = numpy.log(b / a) if ratio else b - a
            back = math.exp if ratio else float
            n, mean, sd, t = len(a), difference.mean(), difference.std(ddof=1), T_95[5]
            row = {k: float(v) for k, v in rows[quantity].items() if k not in ("quantity", "pairs", "protocol")}
            near = {"delta": 2e-4 * max(1, abs(back(mean + 3 * sd)))}  # t is printed to four places in the table
            self.assertAlmostEqual(row["bias"], back(mean), **near)
            self.assertAlmostEqual(row["bias_high"], back(mean + t * sd / math.sqrt(n)), **near)
            self.assertAlmostEqual(row["upper_limit"], back(mean + 1.96 * sd), **near)
            self.assertAlmostEqual(row["lower_limit_low"], back(mean - 1.96 * sd - t * sd * math.sqrt(1 / n + 1.96 ** 2 / (2 * (n - 1)))), **near)
        # The volumes are those of the masks: the table cannot agree with itself alone.
        voxel_ml = SPACING[0] * SPACING[1] * SPACING[2] / 1000
        for row in self.table("pairs.csv"):
            mask = self.b[row["lesion_b"]][1 if row["timepoint_b"] == "before" else 2]
            self.assertAlmostEqual(float(row["volume_b_ml"]), numpy.count_nonzero(mask) * voxel_ml, delta=0.006)

    def test_a_discordance_says_why_and_waits_for_its_decision(self):
        # A: 24 + 30 + 16 to 24 + 20 + 16 mm; B: 25 + 28 + 14 to 25 + 26 + 14: both SD, nothing to adjudicate.
        self.assertEqual(self.table("adjudication.csv"), [])
        shrunk = dict(self.b, X=("target", self.b["X"][1], ball((52, 50, 40), 10)), Y=("target", self.b["Y"][1], ball((20, 22, 40), 12)))
        other = self.read_case("C", shrunk, "before", "after")
        found = run_json("compare", self.out["A"], other, "--json")["adjudication"]
        self.assertEqual([(d["timepoint"]["a"], d["category"]) for d in found if d["timepoint"]["a"]], [("t2", {"a": "SD", "b": "PR"})])
        self.assertEqual(found[0]["reasons"], ["selection"])
        self.assertIn("T3 of A", found[0]["text"])
        self.assertIn("W of B", found[0]["text"])
        newer = self.read_case("D", self.b, "before", "after", new="unequivocal")
        found = run_json("compare", self.out["A"], newer, "--json")["adjudication"]
        self.assertEqual((found[0]["category"], found[0]["reasons"]), ({"a": "SD", "b": "PD"}, ["new-lesion"]))

    def test_sizes_of_a_lesion_that_the_scan_cuts_are_not_compared(self):
        cut = self.read_case("cut", {"T1": ("target", ball((40, 40, 90), 24), ball((40, 40, 40), 24))}, "t1", "t2")
        whole = self.read_case("whole", {"T1": ("target", ball((40, 40, 80), 20), ball((40, 40, 40), 22))}, "t1", "t2")
        folder = os.path.join(self.scratch, "compared-cut")
        done = run("compare", cut, whole, "-o", folder)
        self.assertIn("lower bounds", done.stdout + done.stderr)
        with open(os.path.join(folder, "pairs.csv"), encoding="utf-8", newline="") as file:
            first, second = list(csv.DictReader(file))
        self.assertEqual((first["long_axis_a_mm"], first["volume_b_ml"]), ("", ""))
        self.assertTrue(second["long_axis_a_mm"])

    def test_periods_after_two_operations_are_told_apart(self):
        # 50 to 20 mm after the first operation (PR), 30 to 60 mm after the second (PD); both are of no treatment line.
        def edit(text):
            text = text.replace("treatments:\n  - {kind: systemic, line: 1, start: 2020-01-10, agents: [doxorubicin]}",
                                "  - {id: fourth, date: 2020-07-01, new_lesions: none, reader: R1}\ntreatments: [{kind: surgery, date: 2019-12-20}, {kind: surgery, date: 2020-04-01}]")
            return text + "      fourth: " + size(60) + "\n"
        out = run_case(os.path.join(self.scratch, "operations"), "P-7", [lesion("T1", "liver", size(50), size(20), size(30))], edit=edit)
        best = [line["best_overall_response"]["category"] for line in read_json(os.path.join(out, "case.json"))["response"]["lines"]]
        self.assertEqual(best, ["PR", "PD"])
        self.assertEqual(run_json("compare", out, out, "--json")["adjudication"], [])

    def test_the_same_result_twice_agrees_in_everything_and_other_cases_are_refused(self):
        found = run_json("compare", self.out["A"], self.out["A"], "--json")
        self.assertEqual({p["dice"] for p in found["pairs"]}, {1})
        self.assertEqual(found["adjudication"] + found["unpaired"], [])
        self.assertIsNone(found["kappa"], "one category alone says nothing of agreement")
        self.assertEqual(run("compare", self.out["A"], self.scratch).returncode, 4)


if __name__ == "__main__":
    unittest.main()
