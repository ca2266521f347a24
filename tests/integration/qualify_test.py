"""Repeatability from repeats whose spread is known, and a run whose intervals come from it."""
import hashlib
import math
import os
import unittest

import numpy

from program import read_json, run
from two_balls import TwoBalls


class Qualify(TwoBalls):
    def table(self, spread, lesions=40, repeats=3):
        """Lesions of 25 to 45 mm, each measured three times with errors of a known spread of logarithms."""
        random = numpy.random.default_rng(5)
        text, logs = "lesion,repeat,long_axis_mm\n", []
        for lesion in range(lesions):
            values = [float(f"{(25 + lesion / 2) * math.exp(spread * e):.2f}") for e in random.standard_normal(repeats)]
            logs.append([math.log(v) for v in values])
            text += "".join(f"L{lesion},{r},{v}\n" for r, v in enumerate(values))
        path = self.path("reads.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path, numpy.array(logs)

    def test_the_spread_is_that_of_the_repeats_and_run_takes_its_intervals_from_it(self):
        reads, logs = self.table(0.05)
        out = self.path("repeatability.json")
        done = run("qualify", reads, "--name", "two readers", "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        only, = read_json(out)["quantities"]["long_axis_mm"]
        sd = math.sqrt(logs.var(axis=1, ddof=1).mean())  # every lesion has as many repeats
        self.assertAlmostEqual(only["sd_log"]["value"], sd, places=9)
        self.assertEqual((only["from"], only["to"], only["lesions"], only["freedom"]), (20, 50, 40, 80))
        # chi-square of 80 degrees of freedom: 57.153 and 106.629 leave 2.5 % on either side
        self.assertAlmostEqual(only["sd_log"]["low"], sd * math.sqrt(80 / 106.629), delta=1e-6)
        self.assertAlmostEqual(only["sd_log"]["high"], sd * math.sqrt(80 / 57.153), delta=1e-6)
        self.assertAlmostEqual(only["repeatability_coefficient_pct"]["value"], 100 * (math.exp(1.959964 * math.sqrt(2) * sd) - 1), delta=1e-4)

        result = self.path("with-repeatability")
        done = run("run", self.case_file, "-o", result, "--repeatability", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        case = read_json(os.path.join(result, "case.json"))
        lesion = case["timepoints"][0]["lesions"][0]
        axis = lesion["long_axis_mm"]
        self.assertAlmostEqual(axis["high"], axis["value"] * math.exp(1.959964 * sd), delta=1e-4)
        self.assertAlmostEqual(axis["low"], axis["value"] / math.exp(1.959964 * sd), delta=1e-4)
        self.assertIsNone(lesion["volume_ml"]["low"], "no repeats of volumes, and never two sources in one lesion")
        with open(out, "rb") as file:
            source = f"repeatability two readers (repeated-reads), SHA-256 {hashlib.sha256(file.read()).hexdigest()}"
        self.assertEqual(lesion["intervals"]["calibrated_on"], source)
        self.assertFalse(lesion["intervals"]["validated"], "repeats say how far readings lie apart, not how far from the truth")
        self.assertIn({"name": "intervals from", "value": source}, case["settings"])

    def test_limits_of_agreement_of_the_literature_are_a_source_by_name(self):
        for name, low, high in (("yoon-2016-one-reader", -17.8, 16.1), ("yoon-2016-two-readers", -22.1, 25.4), ("rider-2009-rescan", -7.3, 6.2)):
            result = self.path(name)
            done = run("run", self.case_file, "-o", result, "--repeatability", name)
            self.assertEqual(done.returncode, 0, done.stderr)
            case = read_json(os.path.join(result, "case.json"))
            lesion = case["timepoints"][0]["lesions"][0]
            # Limits of a difference of two measurements: one of them errs by 1 / sqrt(2) of it.
            half = math.log((1 + high / 100) / (1 + low / 100)) / 2 / math.sqrt(2)
            axis = lesion["long_axis_mm"]
            self.assertAlmostEqual(axis["high"], axis["value"] * math.exp(half), delta=1e-4)
            self.assertAlmostEqual(axis["low"], axis["value"] / math.exp(half), delta=1e-4)
            self.assertEqual(lesion["volume_ml"]["low"] is None, name.startswith("yoon"), "those readers measured no volumes")
            self.assertIsNone(lesion["short_axis_mm"]["low"])
            self.assertIn("repeatability " + name, lesion["intervals"]["calibrated_on"])
            self.assertIn("not this program", lesion["intervals"]["calibrated_on"])
        done = run("run", self.case_file, "-o", self.path("none"), "--repeatability", "yoon-2016")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("yoon-2016-two-readers", done.stderr)

    def test_too_few_repeats_are_named_and_say_nothing(self):
        reads, _ = self.table(0.05, lesions=2, repeats=2)
        done = run("qualify", reads, "--name", "few", "-o", self.path("few.json"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("no size class holds", done.stderr)
        self.assertFalse(os.path.exists(self.path("few.json")))

    def test_copies_are_no_repeats(self):
        reads, _ = self.table(0)  # each value three times
        done = run("qualify", reads, "--name", "copies", "-o", self.path("copies.json"))
        self.assertEqual(done.returncode, 4)
        self.assertFalse(os.path.exists(self.path("copies.json")))
        self.assertEqual(run("qualify", self.scratch, self.scratch + "/.", "--name", "one", "-o", self.path("one.json")).returncode, 2)

    def test_a_file_that_is_none_and_a_repeat_that_stands_twice_are_refused(self):
        with open(self.path("twice.csv"), "w", encoding="utf-8") as file:
            file.write("lesion,repeat,long_axis_mm\nL1,1,20\nL1,1,21\n")
        done = run("qualify", self.path("twice.csv"), "--name", "x", "-o", self.path("x.json"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("line 3", done.stderr)
        done = run("run", self.case_file, "-o", self.path("out"), "--repeatability", self.path("twice.csv"))
        self.assertEqual(done.returncode, 4)
        self.assertIn("no file of retromass qualify", done.stderr)


if __name__ == "__main__":
    unittest.main()
