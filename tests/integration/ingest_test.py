#!/usr/bin/python3
"""From folders as they come to a case: the choice of series, init, what is accepted and where it shows, hostile input, an interrupted run."""
import json
import os
import signal
import subprocess
import time
import unittest

import pydicom
from one_ball import OneBall
from program import PROGRAM, read_json, real_data, run, run_json


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Ingest(OneBall):
    options = ("--uncompressed",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prompt = str([list(end) for end in cls.ends()])

    def study(self, name, number, date, patient="ID-1", leave_out=(), **tags):
        """A copy of the ball as another study of the same patient, one thing changed at a time."""
        folder = self.path(name)
        os.makedirs(folder, exist_ok=True)
        for k, file in enumerate(sorted(os.listdir(self.ct))):
            if k in leave_out:
                continue
            data = pydicom.dcmread(os.path.join(self.ct, file))
            data.PatientID = patient
            data.StudyInstanceUID, data.SeriesInstanceUID = f"1.2.{number}.1", f"1.2.{number}.2"
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.{number}.3.{k + 1}"
            data.StudyDate = data.SeriesDate = data.AcquisitionDate = date
            for tag, value in tags.items():
                if value is None:
                    delattr(data, tag)
                else:
                    setattr(data, tag, value)
            data.save_as(os.path.join(folder, f"{number}-{k}.dcm"))
        return folder

    def case(self, name, *timepoints, lesion=None, visits=False):
        path = self.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("case: P-1\ntimepoints:\n")
            for name_of_timepoint, ct in timepoints:
                file.write(f"  - {{id: {name_of_timepoint}, ct: '{ct}', new_lesions: none, reader: R1{', visit: ' + name_of_timepoint if visits else ''}}}\n")
            file.write("lesions:\n  - id: T1\n    timepoints:" + (f" {lesion}" if lesion else "") + "\n")
            if lesion:
                return path
            for name_of_timepoint, _ in timepoints:
                file.write(f"      {name_of_timepoint}: {{line: {self.prompt}}}\n")
        return path

    def refused(self, *arguments, code):
        done = run(*arguments)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn(f"[{code}", done.stderr)
        return done.stderr

    def test_series_shows_the_choice_and_what_decided_it(self):
        patient = self.path("choice")
        self.study("choice/thin", 31, "20200101", SeriesNumber=1)
        self.study("choice/bone", 32, "20200101", SeriesNumber=2, StudyInstanceUID="1.2.31.1", ConvolutionKernel="B70f")
        listed = run_json("series", patient, "--json")
        ranked = listed["choice"][0]["ranked"]
        self.assertEqual([r["series_instance_uid"] for r in ranked], ["1.2.31.2", "1.2.32.2"])
        self.assertIn("soft-tissue kernel", ranked[0]["decided_by"])
        self.assertEqual(ranked[1]["steps"]["soft-tissue kernel"], "sharp (B70f)")
        self.assertEqual([s["rank"] for s in listed["series"]], [1, 2])
        self.assertIn("soft-tissue kernel", run("series", patient).stdout)
        mask = self.path("choice.nii.gz")
        self.assertEqual(run("segment", patient, self.line(), "-o", mask).returncode, 0)
        self.assertEqual(run("segment", patient, "--series", "1.2.32.2", self.line(), "-o", mask).returncode, 0)

    def test_init_writes_a_case_that_runs(self):
        patient = self.path("patient")
        self.study("patient/b", 42, "20200601")
        self.study("patient/a", 41, "20200101")
        case = self.path("drafted.yaml")
        done = run("init", patient, "-o", case)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.refused("init", patient, "-o", case, code="output-exists")
        text = text_of(case)
        self.assertLess(text.index('"2020-01-01"'), text.index('"2020-06-01"'))
        self.assertIn("prompts:", text)
        out = self.path("drafted")
        done = run("run", case, "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        written = read_json(os.path.join(out, "case.json"))
        self.assertEqual([t["date"] for t in written["timepoints"]], ["2020-01-01", "2020-06-01"])
        self.assertEqual([t["ct"]["series_instance_uid"] for t in written["timepoints"]], ["1.2.41.2", "1.2.42.2"])
        self.assertEqual(written["timepoints"][0]["lesions"][0]["status"], "not-evaluable")

    def test_two_patients_are_no_case_unless_accepted_and_that_is_recorded(self):
        self.study("two/a", 51, "20200101")
        self.study("two/b", 52, "20200601", patient="ID-2")
        self.refused("init", self.path("two"), "-o", self.path("two.yaml"), code="different-patient-ids")
        case = self.case("two-patients.yaml", ("a", "two/a"), ("b", "two/b"))
        out = self.path("two-out")
        message = self.refused("run", case, "-o", out, code="different-patient-ids")
        self.assertNotIn("ID-2", message)
        self.assertFalse(os.path.exists(out))
        done = run("run", case, "-o", out, "--accept", "different-patient-ids")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_everywhere(out, "different-patient-ids")

    def assert_everywhere(self, out, code):
        for name in ("provenance.json", "case.json", "report.html"):
            self.assertIn(code, text_of(os.path.join(out, name)))

    def test_dates_that_contradict_the_order_are_shared_or_missing(self):
        self.study("dates/a", 61, "20200601")
        self.study("dates/b", 62, "20200101")
        self.study("dates/c", 63, "20200601")
        self.study("dates/d", 64, "")
        for name, second, code in (("order", "b", "date-order"), ("shared", "c", "date-shared"), ("missing", "d", "date-missing")):
            out = self.path(f"dates-{name}")
            case = self.case(f"dates-{name}.yaml", ("first", "dates/a"), ("second", f"dates/{second}"))
            self.refused("run", case, "-o", out, code=code)
            self.assertFalse(os.path.exists(out))
            self.refused("run", case, "--dry-run", code=code)  # headers are enough to see it
        # Headers are looked at before anything is segmented: a prompt outside the later study is not reached.
        done = run("run", self.case("dates-fine.yaml", ("first", "dates/b"), ("second", "dates/a")), "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_one_study_does_not_state_is_no_contradiction(self):
        self.study("silent/a", 91, "20200101", PatientBirthDate="19500101", PatientSex="F", IssuerOfPatientID="HERE")
        self.study("silent/b", 92, "20200601", PatientBirthDate="", PatientSex="")
        self.study("silent/c", 93, "20200701", PatientBirthDate="19500102", PatientSex="F")
        self.study("silent/d", 94, "20200801", patient="", PatientBirthDate="", PatientSex="")
        done = run("run", self.case("silent-b.yaml", ("a", "silent/a"), ("b", "silent/b")), "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("patient-not-compared", done.stdout)
        message = self.refused("run", self.case("silent-c.yaml", ("a", "silent/a"), ("b", "silent/b"), ("c", "silent/c")), "--dry-run", code="different-patient-ids")
        self.assertIn("birth date of time point c contradict", message)
        done = run("run", self.case("silent-d.yaml", ("a", "silent/a"), ("d", "silent/d")), "--dry-run")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("patient-not-compared", done.stdout)

    def test_skeletons_tell_patients_apart_where_the_headers_agree(self):
        folders = {}
        for seed in (1, 2):
            done = run("phantom", self.path(f"person{seed}"), "--patient", "--seed", seed, "--spacing", "2,2,5", "--uncompressed")
            self.assertEqual(done.returncode, 0, done.stderr)
            for folder, _, files in os.walk(self.path(f"person{seed}", "ct")):
                for file in files:
                    data = pydicom.dcmread(os.path.join(folder, file))
                    data.PatientID = "ONE-ID"
                    data.save_as(os.path.join(folder, file))
            folders[seed] = f"person{seed}/ct"
        for other, same in ((1, True), (2, False)):
            out = self.path(f"person-out{other}")
            case = self.case(f"person{other}.yaml", ("a", f"{folders[1]}/presentation"), ("b", f"{folders[other]}/day-38"), lesion="{}")
            if same:
                done = run("run", case, "-o", out)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertNotIn("patient-not-compared", text_of(os.path.join(out, "case.json")))
                continue
            message = self.refused("run", case, "-o", out, code="different-patient-ids")
            self.assertIn("the skeleton of time point b is not that of a", message)
            self.assertFalse(os.path.exists(out))
            done = run("run", case, "-o", out, "--accept", "different-patient-ids")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assert_everywhere(out, "different-patient-ids")

    def test_scans_without_bones_say_that_nothing_was_compared(self):
        self.study("boneless/a", 95, "20200101")
        self.study("boneless/b", 96, "20200601")
        out = self.path("boneless-out")
        done = run("run", self.case("boneless.yaml", ("a", "boneless/a"), ("b", "boneless/b")), "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("case.json", "report.html"):
            self.assertIn("patient-not-compared", text_of(os.path.join(out, name)))

    def test_an_accepted_gap_is_named_by_the_lesion_that_reaches_it(self):
        self.study("gap", 71, "20200101", leave_out=(20,))
        self.study("far", 72, "20200101", leave_out=(2,))
        for folder, reaches in (("gap", True), ("far", False)):
            case = self.case(f"{folder}.yaml", ("a", folder))
            self.refused("run", case, "-o", self.path(f"{folder}-out"), code="missing-slices")
            out = self.path(f"{folder}-out")
            done = run("run", case, "-o", out, "--accept", "missing-slices")
            self.assertEqual(done.returncode, 0, done.stderr)
            timepoint = read_json(os.path.join(out, "case.json"))["timepoints"][0]
            self.assertIn("missing-slices", [n["code"] for n in timepoint["notices"]])
            lesion = timepoint["lesions"][0]
            self.assertEqual("missing-slices" in [n["code"] for n in lesion["notices"]], reaches)
            self.assertAlmostEqual(lesion["craniocaudal_mm"]["value"], 30, delta=4)
            self.assert_everywhere(out, "missing-slices")
            segs = [os.path.join(path, file) for path, _, files in os.walk(out) for file in files if file.endswith("seg.dcm")]
            self.assertTrue(segs)
            measured = run_json("measure", self.path(folder), "--mask", segs[0], "--accept", "missing-slices", "--json")["lesions"][0]
            self.assertEqual(any("the lesion reaches a gap" in n["text"] for n in measured["notices"]), reaches)

    def test_what_is_doubtful_stands_on_every_output(self):
        self.study("doubtful", 73, "20200101", RescaleIntercept="0", LossyImageCompression="01", FrameOfReferenceUID=None)
        out = self.path("doubtful-out")
        done = run("run", self.case("doubtful.yaml", ("a", "doubtful")), "-o", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        codes = [n["code"] for n in read_json(os.path.join(out, "case.json"))["timepoints"][0]["notices"]]
        for code in ("not-hu", "lossy", "no-frame-of-reference"):
            self.assertIn(code, codes)
            self.assertIn(code, text_of(os.path.join(out, "report.html")))
        objects = [pydicom.dcmread(os.path.join(path, file)) for path, _, files in os.walk(out) for file in files if file.endswith(".dcm")]
        segs = [o for o in objects if o.Modality == "SEG"]
        self.assertTrue(segs)
        for seg in segs:
            self.assertEqual(seg.LossyImageCompression, "01")
            self.assertTrue(seg.FrameOfReferenceUID)
            self.assertEqual(seg.FrameOfReferenceUID, segs[0].FrameOfReferenceUID)  # one of our own, the same in all

    def test_series_says_what_only_the_pixels_show(self):
        def listed(path, *more):
            done = run("series", path, "--json", *more)
            out = json.loads(done.stdout)
            return out["pixels_read"], out["series"][0]["code"], [n["code"] for n in out["series"][0]["notices"]]

        lifted = self.study("lifted", 71, "20200101", RescaleIntercept="500")  # a whole CT 1524 HU too dense: air reads as bone
        self.assertNotIn("not-hu", listed(lifted)[2])
        self.assertIn("Headers only", run("series", lifted).stdout)
        self.assertEqual((listed(lifted, "--pixels")[0], "not-hu" in listed(lifted, "--pixels")[2]), (True, True))
        self.assertNotIn("not-hu", listed(self.ct, "--pixels")[2])
        damaged = self.study("damaged", 72, "20200101")
        one = os.path.join(damaged, "72-20.dcm")
        data = pydicom.dcmread(one)
        data.file_meta.TransferSyntaxUID = pydicom.uid.RLELossless
        data.PixelData = pydicom.encaps.encapsulate([b"\x02\0\0\0" + b"\x40\0\0\0" * 15 + b"\x81"])  # both planes of bytes break off at once
        data["PixelData"].is_undefined_length = True
        data.save_as(one)
        self.assertEqual(listed(damaged)[1], "ok")
        self.assertEqual(listed(damaged, "--pixels")[1], "truncated-pixels")
        self.assertIn("72-20.dcm", run("series", damaged, "--pixels").stdout)

    def test_malformed_files_are_listed_and_refused(self):
        for folder in ("26_fuzz_malformed", "14_no_meta_wrong_meta_bad_headers"):
            path = real_data(self, "quirks", folder)
            done = run("series", path, "--json", timeout=60)
            self.assertIn(done.returncode, (0, 4), done.stderr)
            out = self.path(folder)
            done = run("run", self.case(f"{folder}.yaml", ("a", path)), "-o", out, timeout=60)
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertFalse(os.path.exists(out))

    def test_an_interrupted_run_leaves_nothing(self):
        self.study("stopped", 81, "20200101")
        case = self.case("stopped.yaml", *[(f"t{i}", "stopped") for i in range(40)], visits=True)
        before = set(os.listdir(self.scratch))
        process = subprocess.Popen([PROGRAM, "run", case, "-o", self.path("stopped-out")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        _, message = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 4, message)
        self.assertIn("[cancelled", message)
        self.assertLess(time.monotonic() - asked, 5)  # of the clock, on any machine; interrupt_test.py holds it to a second of work
        self.assertEqual(set(os.listdir(self.scratch)), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
