#!/usr/bin/python3
"""The sample patient, end to end: the program must find the published sizes in pixels, and fakes must not."""
import glob
import html.parser
import json
import math
import os
import re
import shlex
import subprocess
import unittest

import pydicom

from program import InScratch, content, needs_program, read_json, run, run_json

AXES = ("long_axis_mm", "short_axis_mm", "craniocaudal_mm")
IN_PLANE_MM = 0.8          # about; the sample's pixels
SLICE_MM = 2.5
ORDER = ("presentation", "residual", "day-38", "after-5-cycles", "after-radiotherapy")


def voxel(axis):
    return SLICE_MM if axis == "craniocaudal_mm" else IN_PLANE_MM


def misses(case, truth):
    """What of all time points lies outside the tolerances."""
    return [miss for name in ORDER for miss in misses_at(name, lesion_at(case, name), truth[name])]


def misses_at(name, lesion, exact):
    """Tolerances: axes 5 % or one voxel, volume 10 % or surface x half the in-plane spacing."""
    if lesion.get("long_axis_mm") is None:
        return [f"{name}: not measured ({lesion.get('reason')})"]
    out = []
    for axis in AXES:
        measured = lesion[axis]["value"]
        if abs(measured - exact[axis]) > max(0.05 * exact[axis], voxel(axis)):
            out.append(f"{name} {axis}: {measured} against {exact[axis]:.1f}")
    bound = max(0.10 * exact["volume_ml"], lesion["surface_area_mm2"]["value"] * IN_PLANE_MM / 2 / 1000)
    if abs(lesion["volume_ml"]["value"] - exact["volume_ml"]) > bound:
        out.append(f"{name} volume_ml: {lesion['volume_ml']['value']} against {exact['volume_ml']:.2f}")
    return out


def lesion_at(case, timepoint):
    for t in case["timepoints"]:
        if t["id"] == timepoint:
            return t["lesions"][0]
    raise AssertionError(f"no time point {timepoint}")


def truths(folder):
    """truth.json by time point."""
    content = read_json(os.path.join(folder, "truth.json"))
    rows = content["timepoints"] if isinstance(content, dict) and "timepoints" in content else content
    if isinstance(rows, dict):
        return rows
    return {row.get("timepoint", row.get("id")): row for row in rows}


class Page(html.parser.HTMLParser):
    """What a page asks for from outside, and its texts."""

    def __init__(self, text):
        super().__init__()
        self.outside, self.images, self.words, self.alts, self.policy = [], 0, [], [], None
        self.without_scripts = re.sub(r"<script\b.*?</script>", "", text, flags=re.DOTALL)
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ("src", "href", "srcset", "poster", "data") and value and not value.startswith(("data:", "#")):
                self.outside.append(value)
            if tag == "img" and key == "alt":
                self.alts.append(value)
        if ("http-equiv", "Content-Security-Policy") in attributes:
            self.policy = dict(attributes)["content"]
        self.images += tag == "img"

    def handle_data(self, data):
        if not self.cdata_elem:  # a script's data is not what the reader reads
            self.words.append(data)


class Demo(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = os.path.join(cls.scratch, "demo")
        cls.done = run("demo", cls.folder)
        if cls.done.returncode:
            raise AssertionError(f"demo: exit {cls.done.returncode}\n{cls.done.stdout}\n{cls.done.stderr}")
        cls.patient = os.path.join(cls.folder, "patient")
        cls.result = os.path.join(cls.folder, "result")
        cls.case = read_json(os.path.join(cls.result, "case.json"))
        cls.truth = truths(cls.patient)

    def test_sizes_of_the_truth_are_those_of_the_case_report(self):
        for name, sizes in {"presentation": (230, 150, 300), "day-38": (220, 140, 230), "after-5-cycles": (80, 80, 130)}.items():
            for axis, size in zip(AXES, sizes):
                self.assertAlmostEqual(self.truth[name][axis], size, delta=0.5, msg=f"{name} {axis}")
        self.assertAlmostEqual(self.truth["residual"]["long_axis_mm"], 20, delta=2)

    def test_measures_every_time_point_within_tolerance(self):
        self.assertEqual(misses(self.case, self.truth), [])

    def test_a_later_scan_that_leaves_out_a_part_of_the_body_says_so_however_it_lies(self):
        """100 mm are left out at the feet and the couch stands 37 mm higher: the length alone would say nothing of the end, positions would say another."""
        files = sorted(glob.glob(os.path.join(self.patient, "ct", "after-5-cycles", "*")))
        slices = sorted((pydicom.dcmread(file) for file in files), key=lambda data: float(data.ImagePositionPatient[2]))
        spacing = float(slices[1].ImagePositionPatient[2]) - float(slices[0].ImagePositionPatient[2])
        os.makedirs(self.path("short"))
        for n, data in enumerate(slices[round(100 / spacing):]):
            x, y, z = data.ImagePositionPatient
            data.ImagePositionPatient = [x, y, float(z) + 37]
            data.FrameOfReferenceUID = data.FrameOfReferenceUID + ".1"
            data.save_as(self.path("short", f"{n:03}.dcm"))
        case = self.path("short.yaml")
        size = "{reported: {long_axis_mm: 80, source: report, by: R1}}"
        with open(case, "w", encoding="ascii") as file:
            file.write(f"""
case: P-1
timepoints:
  - {{id: before, ct: {os.path.join(self.patient, "ct", "day-38")}, date: 2020-01-01, new_lesions: none, reader: R1}}
  - {{id: after, ct: {self.path("short")}, date: 2020-03-01, new_lesions: none, reader: R1}}
  - {{id: whole, ct: {os.path.join(self.patient, "ct", "after-radiotherapy")}, date: 2020-04-01, new_lesions: none, reader: R1}}
treatments: [{{kind: systemic, line: 1, start: 2020-01-10, agents: [doxorubicin]}}]
lesions: [{{id: T1, organ: retroperitoneum, timepoints: {{before: {size}, after: {size}, whole: {size}}}}}]
""")
        done = run("run", case, "-o", self.path("short-result"))
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = {row["timepoint"]: row["overall"] for row in read_json(self.path("short-result", "case.json"))["response"]["recist"]}
        said = {name: [n["text"] for n in row["notices"] if n["code"] == "body-region-missing"] for name, row in rows.items()}
        self.assertEqual({name: len(texts) for name, texts in said.items()}, {"before": 0, "after": 1, "whole": 0}, said)
        found = re.fullmatch(r"body towards the feet seen at before, without the last (\d+) mm at after: .*new lesions there would not be seen", said["after"][0])
        self.assertTrue(found, said)
        self.assertAlmostEqual(int(found[1]), 100, delta=6)  # two cells of the skeletons
        self.assertEqual(rows["after"]["category"], "SD")

    def misses_of_fake(self, folder, name, *how):
        """Segmented from the case file's marks at one time point: whole cases would cost a minute each."""
        text = content(os.path.join(folder, "case.yaml")).decode()
        marks = [[",".join(map(str, sum(json.loads(found), []))) for found in re.findall(mark + r":\s*(\[\[.*?\]\])", text)][ORDER.index(name)] for mark in ("line", "extent")]
        ct, mask = os.path.join(folder, "ct", name), self.path(name + "-fake.nii.gz")
        done = run("segment", ct, "--line", marks[0], "--extent", marks[1], "-o", mask, *how)
        if done.returncode == 4:
            return ["refused"]
        self.assertEqual(done.returncode, 0, done.stderr)
        found = run_json("measure", ct, "--mask", mask, "--json")["lesions"][0]
        return misses_at(name, found, self.truth[name])

    def test_lines_alone_find_the_sizes_too(self):
        """Neither top nor bottom marked: axes within 3 % or a voxel, volumes within 8 %. One misses: the long axis after radiotherapy, 62 mm, is 1.9 too long."""
        text = content(os.path.join(self.patient, "case.yaml")).decode()
        lines = [",".join(map(str, sum(json.loads(found), []))) for found in re.findall(r"line:\s*(\[\[.*?\]\])", text)]

        def wrong(name, line, *how):
            ct, mask, exact = os.path.join(self.patient, "ct", name), self.path(name + "-line.nii.gz"), self.truth[name]
            done = run("segment", ct, "--line", line, "-o", mask, *how)
            self.assertEqual(done.returncode, 0, done.stderr)
            found = run_json("measure", ct, "--mask", mask, "--json")["lesions"][0]
            out = [f"{name} {axis}: {found[axis]['value']}" for axis in AXES if abs(found[axis]["value"] - exact[axis]) > max(0.03 * exact[axis], voxel(axis), 2 * ((name, axis) == ("after-radiotherapy", "long_axis_mm")))]
            return out + [f"{name} volume"] * (abs(found["volume_ml"]["value"] / exact["volume_ml"] - 1) > 0.08)

        self.assertEqual([miss for name, line in zip(ORDER, lines) for miss in wrong(name, line)], [])
        self.assertIn("day-38 craniocaudal_mm", " ".join(wrong("day-38", lines[ORDER.index("day-38")], "--method", "ellipsoid")))

    def test_a_bare_ellipsoid_from_the_same_prompts_misses_the_tolerances(self):
        self.assertEqual(self.misses_of_fake(self.patient, "after-5-cycles"), [])
        self.assertNotEqual(self.misses_of_fake(self.patient, "after-5-cycles", "--method", "ellipsoid"), [])

    def test_a_mass_painted_to_its_surroundings_misses_the_tolerances(self):
        folder = self.path("painted")
        self.assertEqual(run("phantom", folder, "--patient", "--invisible-mass").returncode, 0)
        self.assertNotEqual(self.misses_of_fake(folder, "after-5-cycles"), [])  # refusing is right too: there is nothing to find

    def test_true_masks_give_axes_within_a_voxel_diagonal_and_volumes_within_one_percent(self):
        diagonal = math.sqrt(2 * IN_PLANE_MM**2 + SLICE_MM**2)
        for name in ORDER:
            found = run_json("measure", os.path.join(self.patient, "ct", name), "--mask", os.path.join(self.patient, "truth", name + ".nii.gz"), "--json")["lesions"][0]
            for axis in AXES:
                self.assertAlmostEqual(found[axis]["value"], self.truth[name][axis], delta=diagonal, msg=f"{name} {axis}")
            exact = self.truth[name]["volume_ml"]
            self.assertAlmostEqual(found["volume_ml"]["value"], exact, delta=0.01 * exact, msg=name)

    def test_the_prompts_are_the_case_files_and_none_is_the_true_axis(self):
        text = content(os.path.join(self.patient, "case.yaml")).decode()
        lines = re.findall(r"line:\s*(\[\[.*?\]\])", text)
        self.assertEqual(len(lines), len(ORDER))
        for name, line in zip(ORDER, lines):
            a, b = json.loads(line)
            length = math.dist(a, b)
            true = self.truth[name]["long_axis_mm"]
            self.assertLess(length, true, name)      # shortened by 5 % before the jitter
            self.assertGreater(length, 0.7 * true, name)

    def test_responses_are_those_the_rules_give(self):
        rows = {(r["timepoint"], r["line"]): r for r in self.case["response"]["recist"]}
        self.assertNotIn("presentation", [t for t, _ in rows])
        self.assertTrue(rows[("residual", 0)]["is_baseline"])
        self.assertEqual(rows[("day-38", 0)]["overall"]["category"], "PD")
        self.assertTrue(rows[("day-38", 1)]["is_baseline"])
        after = rows[("after-5-cycles", 1)]
        self.assertEqual(after["overall"]["category"], "PR")
        self.assertAlmostEqual(after["change_from_baseline_pct"], -63.6, delta=3)
        irradiated = rows[("after-radiotherapy", 1)]
        self.assertEqual(irradiated["overall"]["category"], "PR")
        self.assertIn("treated-locally", json.dumps(irradiated))

    def test_growth_to_day_38_is_marked_as_one_pair(self):
        pairs = [g for g in self.case["response"]["growth"] if (g["from"], g["to"]) == ("residual", "day-38")]
        self.assertTrue(pairs)
        for pair in pairs:
            self.assertTrue(600 < pair["fold"] < 1300, pair)                    # 885 by the ellipsoids of 20 mm and 220 x 140 x 230
            self.assertAlmostEqual(pair["doubling_time_days"], 3.9, delta=0.25)
            self.assertIn("one-pair", json.dumps(pair))
        self.assertRegex(self.done.stdout, r"residual\s+size\s+approximate")

    def test_other_local_therapy_policies_are_shown(self):
        alternatives = json.dumps(self.case.get("alternatives", {}))
        self.assertIn("local_therapy=ne", alternatives)
        self.assertIn("local_therapy=censor", alternatives)

    def test_measure_on_the_written_seg_gives_the_recorded_values(self):
        for name in ORDER:
            seg = os.path.join(self.result, "dicom", f"{name}-seg.dcm")
            found = run_json("measure", os.path.join(self.patient, "ct", name), "--mask", seg, "--json")["lesions"][0]
            recorded = lesion_at(self.case, name)
            for key in (*AXES, "max_3d_diameter_mm", "volume_ml"):
                self.assertEqual(found[key]["value"], recorded[key]["value"], f"{name} {key}")  # a mask alone has no interval

    def test_written_dicom_has_no_errors(self):
        needs_program(self, "dciodvfy")
        files = sorted(glob.glob(os.path.join(self.result, "dicom", "*.dcm")))
        self.assertEqual(len(files), 7 * len(ORDER) + 1)  # SEG, probability, SR, contours and three pictures a time point; the paper
        for name in ORDER:
            ct = os.path.join(self.patient, "ct", name)
            files.append(os.path.join(ct, sorted(os.listdir(ct))[0]))
        for file in files:
            done = subprocess.run(["dciodvfy", "-new", file], capture_output=True, text=True)
            self.assertEqual([line for line in done.stderr.splitlines() if line.startswith("Error")], [], file)

    def test_the_report_stands_alone_and_says_what_it_is(self):
        text = content(os.path.join(self.result, "report.html")).decode()
        page = Page(text)
        self.assertEqual(page.outside, [])
        self.assertEqual(page.policy and page.policy.split(";")[0], "default-src 'none'")  # what its scripts may ask for; they name addresses in their comments
        self.assertNotIn("http://", re.sub(r'xmlns(:\w+)?="[^"]*"', "", page.without_scripts).replace("http://www.w3.org", ""))
        self.assertGreaterEqual(page.images, 15)       # three planes at five time points
        self.assertTrue(all(page.alts), "an image without a text")
        words = " ".join(page.words)
        for wanted in ("UNREVIEWED", "not for clinical decisions without review", "SYNTHETIC", "-63", "PR"):
            self.assertIn(wanted, words)

    def test_the_synthetic_patient_is_small_enough_and_marked(self):
        size = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(os.path.join(self.patient, "ct")) for f in files)
        self.assertLessEqual(size, 300e6)
        listed = run_json("series", os.path.join(self.patient, "ct"), "--json")
        self.assertEqual(len(listed["series"]), len(ORDER))
        for series in listed["series"]:
            self.assertTrue(series["eligible"], series)
            self.assertIn("SYNTHETIC", series["series_description"])

    def test_the_readme_shows_what_is_printed(self):
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "README.md"), encoding="ascii") as file:
            shown = re.search(r"<!-- demo-output -->\n```\n(.*?)```\n<!-- /demo-output -->", file.read(), re.DOTALL).group(1).splitlines()
        printed = {line.rstrip() for line in self.done.stdout.splitlines()}
        self.assertGreater(len(shown), 20)
        self.assertEqual([line for line in shown if line != "..." and line.rstrip() not in printed], [])

    def test_the_tutorial_does_what_it_says(self):
        """Every command of docs/tutorial.md but the first, which has been run, as it stands there; what is shown below it is printed."""
        with open(os.path.join(os.path.dirname(__file__), "..", "..", "docs", "tutorial.md"), encoding="ascii") as file:
            blocks = re.findall(r"```(\w*)\n(.*?)```", file.read(), re.DOTALL)
        commands, printed = 0, ""
        for kind, text in blocks:
            if kind == "yaml":
                with open(self.path("mine.yaml"), "w", encoding="ascii") as file:
                    file.write(text)
            elif text.startswith("retromass-edits"):
                with open(self.path("september.edits"), "w", encoding="ascii") as file:
                    file.write(text)
            elif kind == "sh":
                printed = ""
                for line in text.splitlines():
                    words = shlex.split(line)
                    self.assertEqual(words[0], "retromass", line)
                    if words[1:] == ["demo", "demo"]:
                        continue
                    done = run(*words[1:], folder=self.scratch)
                    self.assertEqual(done.returncode, 0, line + "\n" + done.stderr)
                    printed += done.stdout
                    commands += 1
            else:
                for line in text.splitlines():
                    self.assertIn(line.strip(), printed)
        self.assertEqual(commands, 7)

    def test_nothing_half_written_is_left(self):
        self.assertEqual(sorted(os.listdir(self.folder)), ["patient", "result"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
