#!/usr/bin/python3
"""The README's three commands, word for word, on a folder of everything: sarcomas, a chest, the sample patient and files that are no good, one among the other.

Part of what lies in RETROMASS_DATA by default; all of it where RETROMASS_MIXTURE is `whole` (`make mixture`).
"""
import collections
import copy
import csv
import glob
import json
import os
import re
import shlex
import shutil
import sqlite3
import time
import unittest
import warnings
from dataclasses import dataclass, field

import nibabel
import numpy
import pydicom

from program import InScratch, content, read_json, real_data, run

WHOLE = os.environ.get("RETROMASS_MIXTURE") == "whole"
README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
ELSEWHERE = "it lies in frame of reference"  # what is said of contours of another scan
LUNG_ML = (6.4, 67.6)  # as the data's own list states them, to 0.1 ml


def lines_of_the_readme():
    """The words of the three commands; `/archive` is the folder."""
    with open(README, encoding="ascii") as file:
        shown = re.search(r"becomes a cohort report in three commands\.[^`]*\n```\n(.*?)```", file.read(), re.DOTALL)
    lines = [shlex.split(line) for line in shown.group(1).splitlines()] if shown else []
    if [line[:3] for line in lines] != [["retromass", "batch", verb] for verb in ("plan", "run", "collect")] or "/archive" not in lines[0]:
        raise AssertionError("README.md does not show how a folder becomes a cohort report in three commands")
    return lines


def expert_ml(sarcoma):
    mask = nibabel.load(os.path.join(sarcoma, "gtv.nii.gz"))
    return float((mask.get_fdata() > 0).sum() * abs(numpy.linalg.det(mask.affine[:3, :3])) / 1000)


def files_below(folder):
    return {os.path.join(place, name) for place, _, names in os.walk(folder) for name in names}


def header(file):
    return pydicom.dcmread(file, stop_before_pixels=True, force=True)


def study_of(file):
    """By another reader of DICOM; empty where the file states none."""
    try:
        return str(header(file).get("StudyInstanceUID", ""))
    except NotImplementedError:  # a value representation that is none, in the meta information
        found = re.search(rb"\x20\x00\x0d\x00UI(..)", content(file), re.DOTALL)
        return content(file)[found.end():][:int.from_bytes(found.group(1), "little")].rstrip(b"\0").decode("ascii")


def first_in(folder):
    return min(glob.glob(os.path.join(folder, "*")))


@dataclass
class Truth:
    """What is known of the archive without the program."""
    files: set = field(default_factory=set)
    sarcomas: dict = field(default_factory=dict)  # name -> study, and ml by the expert; None where the contours are of another scan
    lung: str = ""                                # its study
    sample: dict = field(default_factory=dict)    # date -> truth
    sample_studies: set = field(default_factory=set)
    malformed: set = field(default_factory=set)


@dataclass
class Said:
    """What the program made of it."""
    cases: list         # rows of cases.csv
    measurements: list  # rows of measurements.csv
    excluded: list      # as `series --json` lists them
    remarks: list       # of the plan
    study: dict         # of each file that was not set aside


def misses(truth, said):
    """What was lost, or is not as it is known to be."""
    out = []
    case_of = {}
    for row in said.cases:
        # A patient whose images state no study is a case too.
        for study in row["studies"].split(" "):
            case_of.setdefault(study, row)
    measured = collections.defaultdict(list)
    for row in said.measurements:
        measured[row["case"]].append(row)

    def volumes_of(study):
        return sorted(float(row["volume_ml"] or "nan") for row in measured[case_of[study]["case"]]) if study in case_of else []

    for row in said.cases:
        if row["state"] not in ("done", "waiting", "refused"):
            out.append(f"{row['case']} is {row['state']}")
        if row["state"] != "done" and not (row["reason"] and row["code"]):
            out.append(f"{row['case']} has no result, and nothing says why")
        if (row["state"] == "done") != bool(measured[row["case"]]):
            out.append(f"{row['case']} is {row['state']} with {len(measured[row['case']])} measurements")
    for name, (study, expert) in truth.sarcomas.items():
        if study not in case_of:
            out.append(f"{name} has no row")
        elif expert is None and not (case_of[study]["state"] == "waiting" and ELSEWHERE in case_of[study]["reason"]):
            out.append(f"{name}, whose contours are of another scan, is {case_of[study]['state']}: {case_of[study]['reason']}")
        elif expert is not None:
            volumes = volumes_of(study)
            if len(volumes) != 1 or not abs(volumes[0] / expert - 1) <= 2e-4:  # two fillings of one contour: Dice of at least 0.9999
                out.append(f"{name} has {volumes} ml, not {expert:.3f}")
    volumes = volumes_of(truth.lung)
    if len(volumes) != len(LUNG_ML) or not all(abs(ours - published) <= 0.1 for ours, published in zip(volumes, LUNG_ML)):
        out.append(f"the lung's lesions have {volumes} ml, not {LUNG_ML}")
    of_sample = {case_of[study]["case"] for study in truth.sample_studies if study in case_of}
    sample = {row["date"]: row for case in of_sample for row in measured[case]}
    if len(of_sample) != 1 or set(sample) != set(truth.sample):
        out.append(f"the sample patient is cases {sorted(of_sample)}, measured on {sorted(sample)}")
    for date, row in sample.items():
        for what, bound in (("long_axis_mm", AXIS), ("volume_ml", VOLUME)):
            if date in truth.sample and not abs(float(row[what] or "nan") / truth.sample[date][what] - 1) <= bound:
                out.append(f"the sample patient on {date}: {what} {row[what]}, not {truth.sample[date][what]}")

    aside = {row["path"]: row for row in said.excluded if row["code"] and row["text"]}
    for file in sorted(truth.files - set(aside)):
        if said.study.get(file) not in case_of:
            out.append(f"{file} is neither set aside nor in a case")
        elif file in truth.malformed and case_of[said.study[file]]["state"] == "done":
            out.append(f"{file}, which is malformed, was measured")
    counted = collections.Counter(row["code"] for row in said.excluded)
    if {f"{count} files set aside [{code}]" for code, count in counted.items()} != {remark for remark in said.remarks if " files set aside [" in remark}:
        out.append(f"the plan counts other files set aside than {dict(counted)}")
    return out


# 3 % are wanted of an axis, and each end of 62 mm may lie a pixel of 1.2 mm off; 8 % of a volume, and slices of 5 mm leave 5 % of 100 mm open at each end, a ball on the line holds 37 % less.
AXIS, VOLUME = 0.07, 0.18


class Mixture(InScratch):
    def setUp(self):
        warnings.simplefilter("ignore")  # of a reader of malformed files

    def test_the_readmes_three_commands_lose_nobody(self):
        plan_line, run_line, collect_line = lines_of_the_readme()
        truth = self.mix()
        archive = self.path("archive")
        start = time.monotonic()
        planned = self.said(plan_line)
        took_plan = time.monotonic() - start
        self.assertEqual(planned.returncode, 0, planned.stderr)
        self.assertEqual(planned.stderr, "")  # a toolkit's complaints name no file
        start = time.monotonic()
        ran = self.said(run_line)
        took_run = time.monotonic() - start
        collected = self.said(collect_line)
        self.assertEqual(collected.returncode, 0, collected.stderr)

        plan = read_json(self.path("plan", "plan.json"))
        listed = run("series", archive, "--json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        excluded = json.loads(listed.stdout)["excluded"]
        left = truth.files - {row["path"] for row in excluded}
        said = Said(self.table("cases"), self.table("measurements"), excluded, plan["remarks"], {file: study_of(file) for file in left})
        states = collections.Counter(row["state"] for row in said.cases)
        codes = collections.Counter(row["code"] for row in said.cases if row["state"] != "done")
        counted = collections.Counter(row["code"] for row in excluded)
        print(f"{len(truth.files)} files, {len(set().union(*(case['studies'] for case in plan['cases'])))} studies, {len(said.cases)} cases: {dict(states)}, {dict(codes)}; {len(said.measurements)} measurements; "
              f"{len(excluded)} files set aside: {dict(counted)}; planned in {took_plan:.1f} s, run in {took_run:.1f} s, exit {ran.returncode}")
        self.assertEqual(misses(truth, said), [])

        # Everybody who was planned has a row, in the table, in the data base and on the page.
        cases = sorted(case["id"] for case in plan["cases"])
        self.assertEqual(sorted(row["case"] for row in said.cases), cases)
        self.assertEqual(ran.returncode, 3 if states["refused"] else 0, ran.stderr)
        database = sqlite3.connect(self.path("plan", "cohort", "results.sqlite"))
        self.assertEqual(sorted(database.execute('select "case" from cases')), [(case,) for case in cases])
        database.close()
        with open(self.path("plan", "cohort", "cohort.html"), encoding="utf-8") as file:
            page = file.read()
        self.assertEqual([case for case in cases if case + "<" not in page], [])
        for row in said.cases:
            if row["code"] == "no-series":
                self.assertIn(archive, row["reason"])  # where to look
        self.assert_fakes_are_seen(truth, said)

    def assert_fakes_are_seen(self, truth, said):
        """What would pass if nobody looked."""
        def without(name, keep):
            fake = copy.copy(said)
            setattr(fake, name, [row for row in getattr(said, name) if keep(row)])
            return misses(truth, fake)

        self.assertTrue(misses(truth, Said([], [], [], [], {})))
        for study, _ in truth.sarcomas.values():
            self.assertTrue(without("cases", lambda row: study not in row["studies"].split(" ")))
        for gone in said.measurements:
            self.assertTrue(without("measurements", lambda row: row is not gone), gone["case"])
        for gone in said.excluded:
            if gone["path"] in truth.files:
                self.assertTrue(without("excluded", lambda row: row is not gone), gone["path"])
                break
        for gone in said.remarks:
            if " files set aside [" in gone:
                self.assertTrue(without("remarks", lambda row: row is not gone), gone)
        silent = copy.copy(said)
        silent.cases = [{**row, "reason": ""} for row in said.cases]
        self.assertTrue(misses(truth, silent))

    def test_an_empty_archive_is_no_cohort(self):
        plan_line, *_ = lines_of_the_readme()
        os.mkdir(self.path("nothing"))
        done = self.said(plan_line, archive="nothing", plan="plan-of-nothing")
        self.assertEqual(done.returncode, 4)
        self.assertIn("[no-series", done.stderr)
        self.assertFalse(os.path.exists(self.path("plan-of-nothing")))

    def said(self, line, archive="archive", plan="plan"):
        words = [{"/archive": self.path(archive), "plan": plan}.get(word, word) if at > 2 else word for at, word in enumerate(line)]
        return run(*words[1:], timeout=3000, folder=self.scratch)

    def table(self, name):
        with open(self.path("plan", "cohort", name + ".csv"), encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def mix(self):
        """Makes the archive: links to the files, a folder for each patient, and what is malformed strewn among the images of the sarcomas."""
        truth = Truth()
        archive = self.path("archive")
        sarcomas = sorted(glob.glob(os.path.join(real_data(self, "sts"), "STS_*")))
        if not WHOLE:
            sarcomas = sarcomas[:3] + [real_data(self, "sts", "STS_046")]  # whose contours name another frame of reference, and images that are not there
        others = [real_data(self, "lung_4d113")]
        fuzzed = real_data(self, "quirks", "26_fuzz_malformed")
        if WHOLE:
            others += [real_data(self, "crlm")] + [folder for folder in sorted(glob.glob(os.path.join(real_data(self, "quirks"), "*"))) if os.path.isdir(folder) and folder != fuzzed]
        for source in (*sarcomas, *others):
            for file in files_below(source):
                self.link(file, os.path.join(archive, os.path.basename(source), os.path.relpath(file, source)))
        for n, file in enumerate(sorted(files_below(fuzzed))):
            where = os.path.join(archive, os.path.basename(sarcomas[n % len(sarcomas)]), "ct", f"{n:03d}-{os.path.basename(file)}")
            self.link(file, where)
            truth.malformed.add(where)
        for sarcoma in sarcomas:
            ct = header(first_in(os.path.join(sarcoma, "ct")))
            contours = header(os.path.join(sarcoma, "rtstruct.dcm"))
            here = str(ct.FrameOfReferenceUID) in {str(roi.ReferencedFrameOfReferenceUID) for roi in contours.StructureSetROISequence}
            truth.sarcomas[os.path.basename(sarcoma)] = (str(ct.StudyInstanceUID), expert_ml(sarcoma) if here else None)
        self.assertEqual(len(sarcomas), 29 if WHOLE else 4)
        self.assertLessEqual(sum(expert is None for _, expert in truth.sarcomas.values()), 1)
        truth.lung = study_of(first_in(os.path.join(others[0], "CT")))

        sample = os.path.join(archive, "sample")
        self.assertEqual(run("phantom", sample, "--patient", *(() if WHOLE else ("--spacing", "1.2,1.2,5"))).returncode, 0)
        timepoints = read_json(os.path.join(sample, "truth.json"))["timepoints"]
        for timepoint in timepoints:
            folder = os.path.join(sample, "ct", timepoint["timepoint"])
            if not WHOLE and timepoint["timepoint"] != "after-radiotherapy":  # one study is enough here, demo_test runs all
                shutil.rmtree(folder)
                continue
            truth.sample[timepoint["date"]] = timepoint
            truth.sample_studies.add(study_of(first_in(folder)))
        truth.files = files_below(archive)
        return truth

    @staticmethod
    def link(file, where):
        os.makedirs(os.path.dirname(where), exist_ok=True)
        os.symlink(os.path.abspath(file), where)


if __name__ == "__main__":
    unittest.main()
