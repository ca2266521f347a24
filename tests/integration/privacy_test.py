#!/usr/bin/python3
"""A patient is named in the DICOM objects of a case and nowhere else: not in what is printed, in messages, in logs, or in other files."""
import glob
import os
import shutil
import subprocess
import unittest

import pydicom
from pydicom.datadict import dictionary_VR, tag_for_keyword

import deidentify_test
from program import PROGRAM
from two_balls import TwoBalls

# Who it is, and who and where it was made, beside every person's name. What an image is and how it was made may be said: descriptions, scanner, kernel.
PERSONAL = ("PatientID", "IssuerOfPatientID", "PatientAddress", "PatientTelephoneNumbers", "PatientComments", "AdditionalPatientHistory", "MilitaryRank", "Occupation", "AccessionNumber", "AdmissionID",
            "InstitutionAddress", "InsurancePlanIdentification", "PatientReligiousPreference", "RegionOfResidence", "CountryOfResidence", "MedicalAlerts", "Allergies", "StudyID", "EthnicGroup")


class Privacy(TwoBalls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        marks = {}
        for folder in ("first", "second"):
            deidentify_test.plant(os.path.join(cls.scratch, folder), marks, set())
        people = {tag_for_keyword(keyword) for keyword in PERSONAL}
        cls.secrets = {value for tag, value in marks.items() if tag in people or (isinstance(tag, int) and dictionary_VR(tag) == "PN")} | {marks["other"], marks["private"], "19450607", "1945-06-07"}
        cls.planted = cls.secrets - {"1945-06-07"}
        cls.temporary = os.path.join(cls.scratch, "tmp")
        os.makedirs(cls.temporary)

    def said(self, *arguments, exit_code=0):
        """What a command prints, on both streams, with nothing of the patient in it and nothing left where temporary files lie."""
        done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=600, env={**os.environ, "TMPDIR": self.temporary}, cwd=self.scratch)
        self.assertEqual(done.returncode, exit_code, done.stderr)
        self.silent(done.stdout + done.stderr, " ".join(map(str, arguments)))
        self.assertEqual(os.listdir(self.temporary), [])
        return done.stdout + done.stderr

    def silent(self, text, where):
        self.assertEqual([secret for secret in self.secrets if secret in text], [], where)

    def test_the_search_finds_what_is_there(self):
        self.assertGreater(len(self.planted), 30)
        with open(glob.glob(os.path.join(self.scratch, "first", "*"))[0], "rb") as file:
            data = file.read().decode("latin-1")
        self.assertEqual([secret for secret in self.planted if secret not in data], [])

    def test_nothing_that_is_printed_or_written_beside_the_objects_names_the_patient(self):
        ct = os.path.join(self.scratch, "first")
        self.said("series", ct)
        self.said("series", ct, "--json")
        self.said("init", self.scratch, "-o", "drafted.yaml")
        self.said("run", self.case_file, "-o", "result", "--dry-run")
        self.said("run", self.case_file, "-o", "result")
        self.said("run", self.case_file, "-o", "result", "--overwrite")
        self.said("sign", "result", "--reader", "R1", "--role", "radiologist")
        self.said("audit", "result")
        self.said("marks", "result/dicom/before-sr.dcm")
        self.said("marks", "result/dicom/before-sr.dcm", "--json")
        self.said("measure", ct, "--mask", "result/dicom/before-seg.dcm", "--json")
        self.said("segment", ct, "--mask", "result/dicom/before-rtstruct.dcm", "-o", "mask.nii.gz")
        shutil.copytree(ct, self.path("archive", "one"))
        self.said("batch", "plan", "archive", "-o", "plan")
        files = [f for f in glob.glob(os.path.join(self.scratch, "result", "**", "*"), recursive=True) if os.path.isfile(f) and os.sep + "dicom" + os.sep not in f]
        files += glob.glob(os.path.join(self.scratch, "plan", "**", "*.*"), recursive=True) + [os.path.join(self.scratch, "drafted.yaml")]
        self.assertGreater(len(files), 12)
        for path in filter(os.path.isfile, files):
            with open(path, "rb") as file:
                data = file.read()
            self.silent(data.decode("latin-1") + path, path)

    def test_refusals_say_what_is_wrong_and_not_of_whom(self):
        other = self.path("other")
        shutil.copytree(os.path.join(self.scratch, "second"), other)
        for path in glob.glob(os.path.join(other, "*")):
            data = pydicom.dcmread(path)
            data.PatientID = "Qz7777xW"
            data.save_as(path)
        self.secrets.add("Qz7777xW")
        with open(self.case_file, encoding="utf-8") as file:
            text = file.read()
        with open(self.path("two-patients.yaml"), "w", encoding="utf-8") as file:
            file.write(text.replace("ct: second", "ct: other").replace("accept: [different-patient-ids]", ""))
        self.assertIn("different-patient", self.said("run", "two-patients.yaml", "-o", "none", exit_code=4))
        one = sorted(glob.glob(os.path.join(other, "*")))[0]
        data = pydicom.dcmread(one)
        data.PatientID = "Qz7776xW"
        data.save_as(one)
        self.secrets.add("Qz7776xW")
        self.assertIn("two-patients", self.said("series", "other"))
        self.said("measure", "other", "--mask", "none.nii.gz", exit_code=4)
        self.assertIn("network", self.said("pacs", "send", "first", "--config", self.closed_port(), exit_code=4))
        self.said("marks", one, exit_code=4)

    def closed_port(self):
        path = self.path("pacs.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write("profiles:\n  nobody: {host: 127.0.0.1, port: 9, called_ae: NOBODY, connect_s: 2}\n")
        return path


if __name__ == "__main__":
    unittest.main(verbosity=2)
