#!/usr/bin/python3
"""What a signature is, and what it takes to break one: signed reports, the audit log, and changes after signing."""
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import pydicom

from program import PROGRAM, content, needs_program, read_json, run
from two_balls import TwoBalls


def sha256(path):
    return hashlib.sha256(content(path)).hexdigest()


class Sign(TwoBalls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.run_case()

    def signed(self, name, *more):
        out = self.copy_of_result(name)
        done = run("sign", out, "--reader", "Doe^Jane", "--role", "radiologist", *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def events(self, folder, kind):
        with open(os.path.join(folder, "events.jsonl"), encoding="utf-8") as file:
            return [e for e in map(json.loads, file) if e["event"] == kind]

    def signature(self, folder, name):
        return next(t for t in read_json(os.path.join(folder, "case.json"))["timepoints"] if t["id"] == name)["signature"]

    def assert_bands(self, folder, state):
        page = content(os.path.join(folder, "report.html")).decode("utf-8")
        band = state + " - RESEARCH USE ONLY - SYNTHETIC"
        self.assertEqual((page.count(">" + band + "</div>"), page.count(" - " + band + "</title>")), (2, 1), page[:1000])

    def assert_audit(self, folder, *faults):
        done = run("audit", folder)
        self.assertEqual(done.returncode, 4 if faults else 0, done.stdout + done.stderr)
        for fault in faults:
            self.assertIn(fault, done.stdout)

    def test_a_signed_report_is_a_new_verified_instance_that_names_the_one_it_replaces(self):
        out = self.signed("signed")
        for name in ("before", "after"):
            old, new = pydicom.dcmread(os.path.join(self.result, "dicom", name + "-sr.dcm")), pydicom.dcmread(os.path.join(out, "dicom", name + "-sr.dcm"))
            self.assertEqual((old.CompletionFlag, old.VerificationFlag), ("PARTIAL", "UNVERIFIED"))
            self.assertEqual((new.CompletionFlag, new.PreliminaryFlag, new.VerificationFlag), ("COMPLETE", "FINAL", "VERIFIED"))
            observer = new.VerifyingObserverSequence[0]
            self.assertEqual(observer.VerifyingObserverName, "Doe^Jane")
            self.assertRegex(observer.VerificationDateTime, r"^20\d{12}\+0000$")
            named = new.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
            self.assertEqual((named.SeriesInstanceUID, named.ReferencedSOPSequence[0].ReferencedSOPInstanceUID), (old.SeriesInstanceUID, old.SOPInstanceUID))
            self.assertNotEqual((new.SOPInstanceUID, new.SeriesInstanceUID), (old.SOPInstanceUID, old.SeriesInstanceUID))
            self.assertTrue(new.SeriesDescription.endswith("signed"))
            self.assertEqual(new.ContentSequence, old.ContentSequence)  # what was signed is what was there
            self.assertNotIn("unreviewed", str(new))
            signature = self.signature(out, name)
            self.assertEqual((signature["reader"], signature["role"]), ("Doe^Jane", "radiologist"))
            self.assertEqual(signature["sha256"], sha256(os.path.join(out, signature["report"])))
            self.assertEqual(content(os.path.join(out, signature["replaces"]["file"])), content(os.path.join(self.result, "dicom", name + "-sr.dcm")))
            self.assertEqual(signature["replaces"]["sha256"], sha256(os.path.join(self.result, "dicom", name + "-sr.dcm")))
        self.assertEqual([(e["timepoint"], e["reader"], e["role"]) for e in self.events(out, "signed")], [(n, "Doe^Jane", "radiologist") for n in ("before", "after")])
        self.assertIn("Doe^Jane", content(os.path.join(out, "report.html")).decode("utf-8"))
        self.assert_bands(out, "REVIEWED BY 1 READER, " + self.signature(out, "after")["time"][:10])
        self.assert_audit(out)

    def test_signed_reports_are_valid_with_their_ct(self):
        needs_program(self, "dciodvfy")
        out = self.signed("valid", "--timepoint", "after")
        report = os.path.join(out, "dicom", "after-sr.dcm")
        self.assertNotIn("Error", subprocess.run(["dciodvfy", "-new", report], capture_output=True, text=True).stderr)
        said = subprocess.run(["dcentvfy", *glob.glob(self.path("second", "*")), *glob.glob(os.path.join(out, "dicom", "after-*.dcm"))], capture_output=True, text=True)
        self.assertNotIn("Error", said.stdout + said.stderr)
        self.assertIsNone(self.signature(out, "before"))
        self.assert_bands(out, "UNREVIEWED, 1 OF 2 OPEN")
        self.assertEqual(pydicom.dcmread(os.path.join(out, "dicom", "before-sr.dcm")).VerificationFlag, "UNVERIFIED")

    def test_names_keep_their_letters(self):
        out = self.copy_of_result("names")
        self.assertEqual(run("sign", out, "--reader", "M\u00fcller^J\u00f6rg", "--role", "radiologist").returncode, 0)
        self.assertEqual(str(pydicom.dcmread(os.path.join(out, "dicom", "after-sr.dcm")).VerifyingObserverSequence[0].VerifyingObserverName), "M\u00fcller^J\u00f6rg")
        self.assertEqual(run("sign", self.copy_of_result("control"), "--reader", "bell\x07", "--role", "radiologist").returncode, 2)

    def test_what_is_signed_is_not_signed_twice(self):
        out = self.signed("twice", "--timepoint", "before")
        again = run("sign", out, "--reader", "Roe^Richard", "--role", "radiologist", "--timepoint", "before")
        self.assertEqual(again.returncode, 2)
        self.assertIn("Doe^Jane", again.stderr)
        self.assertEqual(run("sign", out, "--reader", "Roe^Richard", "--role", "radiologist", "--timepoint", "elsewhere").returncode, 2)
        self.assertEqual(run("sign", out, "--reader", "Roe^Richard", "--role", "radiologist").returncode, 0)  # the other one
        self.assertEqual((self.signature(out, "before")["reader"], self.signature(out, "after")["reader"]), ("Doe^Jane", "Roe^Richard"))
        self.assert_audit(out)

    def test_running_again_keeps_a_signature_where_nothing_changed_and_takes_it_where_something_did(self):
        out = self.signed("again")
        reports = {n: content(os.path.join(out, "dicom", n + "-sr.dcm")) for n in ("before", "after")}
        self.assertEqual(run("run", self.case_file, "-o", out, "--overwrite").returncode, 0)
        for name in reports:
            self.assertEqual(content(os.path.join(out, "dicom", name + "-sr.dcm")), reports[name])
            self.assertEqual(self.signature(out, name)["reader"], "Doe^Jane")
        self.assert_bands(out, "REVIEWED BY 1 READER, " + self.signature(out, "after")["time"][:10])
        self.assert_audit(out)

        changed = self.path("changed.yaml")
        with open(changed, "w", encoding="utf-8") as file:
            file.write(content(self.case_file).decode("utf-8").replace("site: retroperitoneum", "site: liver"))
        done = run("run", changed, "-o", out, "--overwrite")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("no longer holds", done.stdout)
        kept = [content(f) for f in glob.glob(os.path.join(out, "dicom", "superseded", "*.dcm"))]
        for name in reports:
            new = pydicom.dcmread(os.path.join(out, "dicom", name + "-sr.dcm"))
            self.assertEqual(new.VerificationFlag, "UNVERIFIED")
            self.assertIsNone(self.signature(out, name))
            self.assertIn(reports[name], kept)
            named = new.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
            self.assertIn(named.encode("ascii"), reports[name])
        self.assertEqual([e["timepoint"] for e in self.events(out, "signature-void")], ["before", "after"])
        self.assertIn("No longer signed", content(os.path.join(out, "report.html")).decode("utf-8"))
        self.assert_bands(out, "UNREVIEWED")
        self.assert_audit(out)

        silent = run("sign", out, "--reader", "Doe^Jane", "--role", "radiologist")
        self.assertEqual(silent.returncode, 2)
        self.assertIn("--reason", silent.stderr)
        self.assertEqual(run("sign", out, "--reader", "Doe^Jane", "--role", "radiologist", "--reason", "site corrected").returncode, 0)
        self.assertEqual(self.signature(out, "after")["reason"], "site corrected")
        self.assert_audit(out)

    def test_an_audit_names_what_was_changed_taken_out_or_added(self):
        self.assert_audit(self.result)
        signed = self.signed("intact")

        def tampered(name, change):
            out = self.path(name)
            shutil.copytree(signed, out)
            change(out)
            return out

        def edit_log(change):
            def apply(folder):
                path = os.path.join(folder, "events.jsonl")
                lines = content(path).decode("utf-8").splitlines(keepends=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write("".join(change(lines)))
            return apply

        def append(name):
            def apply(folder):
                with open(os.path.join(folder, name), "ab") as file:
                    file.write(b" ")
            return apply

        self.assert_audit(tampered("a", edit_log(lambda l: [l[0].replace("P-1", "P-2"), *l[1:]])), "events.jsonl, line 2 names another line")
        self.assert_audit(tampered("b", edit_log(lambda l: l[:2] + l[3:])), "names another line before it")
        self.assert_audit(tampered("c", edit_log(lambda l: l[:-1])), "was cut or rewritten")
        self.assert_audit(tampered("d", append("measurements.csv")), "measurements.csv is not what was written")
        self.assert_audit(tampered("e", append("dicom/after-sr.dcm")), "time point after: the report is not the one that was signed")
        self.assert_audit(tampered("f", lambda folder: os.remove(os.path.join(folder, "dicom", "before-seg.dcm"))), "dicom/before-seg.dcm is missing")
        self.assert_audit(tampered("g", append("dicom/more.dcm")), "dicom/more.dcm was added")
        changed = tampered("h", append("measurements.csv"))
        self.assertEqual(run("sign", changed, "--reader", "Roe^Richard", "--role", "radiologist").returncode, 4)

    def files(self, folder):
        return {os.path.relpath(path, folder): content(path) for path in glob.glob(os.path.join(folder, "**", "*"), recursive=True) if os.path.isfile(path)}

    def test_what_somebody_has_open_is_neither_signed_nor_replaced(self):
        out = self.copy_of_result("open")
        before = self.files(out)
        sign = ("sign", out, "--reader", "Doe^Jane", "--role", "radiologist")
        for host in (None, "elsewhere"):  # alive here; of another host nobody knows
            lock = self.lock(out, os.getpid() if host is None else 1, host)
            for command in (sign, ("run", self.case_file, "-o", out, "--overwrite")):
                self.assert_in_use(run(*command), lock, host)
            self.assertTrue(os.path.exists(lock))
        self.assertEqual(self.files(out), before)
        self.assertEqual([name for name in os.listdir(self.scratch) if name.startswith("open.p")], [])

    def test_a_run_has_its_result_alone_and_what_it_leaves_when_it_is_killed_is_taken_over(self):
        out = self.copy_of_result("replaced")
        lock = out + ".lock"
        with subprocess.Popen([PROGRAM, "run", self.case_file, "-o", out, "--overwrite"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
            def has_it():
                try:
                    return os.path.getsize(lock) > 0
                except OSError:
                    return False

            while not has_it() and first.poll() is None:
                time.sleep(0.002)
            self.assertTrue(has_it(), "it ran without")
            os.kill(first.pid, signal.SIGSTOP)
            held = read_json(lock)
            self.assertEqual((held["pid"], held["work"]), (first.pid, "run"))
            refused = run("sign", out, "--reader", "Doe^Jane", "--role", "radiologist")
            self.assertEqual(refused.returncode, 4, refused.stderr)
            self.assertIn("for `run`", refused.stderr)
            first.kill()
        self.assertTrue(os.path.exists(lock))
        done = run("sign", out, "--reader", "Doe^Jane", "--role", "radiologist")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse(os.path.exists(lock))

    def test_a_mask_is_not_written_into_a_result(self):
        out = self.copy_of_result("edited")
        with open(self.path("smooth.edits"), "w", encoding="utf-8") as file:
            file.write("retromass-edits 1\nsmooth 1.5\n")
        edit = ("edit", out, "--timepoint", "after", "--lesion", "T1", "--ops", self.path("smooth.edits"), "-o")
        (mask,) = glob.glob(os.path.join(out, "masks", "after-*"))
        for into in (mask, os.path.join(out, "edited.nii.gz"), "edited.nii.gz"):
            done = run(*edit, into, folder=out)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("elsewhere", done.stderr)
        self.assert_audit(out)
        self.assertEqual(run(*edit, self.path("smooth.nii.gz")).returncode, 0)

    def test_a_review_that_goes_on_with_the_chain_leaves_only_the_page_behind(self):
        out = self.copy_of_result("review")
        self.append(out, {})
        self.assert_audit(out, "report.html shows another state of review", ": 1 faults")
        self.assertEqual(run("sign", out, "--reader", "Doe^Jane", "--role", "radiologist").returncode, 0)
        self.assert_audit(out)

    def append(self, out, more):
        path = os.path.join(out, "events.jsonl")
        last = content(path).splitlines()[-1]
        event = {"time": "2026-01-01T00:00:00Z", "event": "review", "timepoint": "after", "lesion": "T1", "state": "accepted", "reader": "R1", **more, "previous": hashlib.sha256(last).hexdigest()}
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")

    def test_a_blinded_reading_comes_after_its_readers_signature_of_what_was_before(self):
        out = self.copy_of_result("unseen")
        self.append(out, {"timepoint": "before", "blinded": True})
        self.assertNotIn("blinded", run("audit", out).stdout)
        self.append(out, {"blinded": True})
        self.assert_audit(out, "a blinded reading of after before before was signed by its reader")
        out = self.signed("of-another", "--timepoint", "before")  # by Doe^Jane
        self.append(out, {"blinded": True})
        self.assert_audit(out, "a blinded reading of after")
        out = self.copy_of_result("own")
        self.assertEqual(run("sign", out, "--reader", "R1", "--role", "radiologist", "--timepoint", "before").returncode, 0)
        self.append(out, {"blinded": True})
        self.assertNotIn("blinded", run("audit", out).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
