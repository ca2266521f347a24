#!/usr/bin/python3
"""Nothing of a patient leaves a de-identified case: distinctive strings are planted in the input, and every byte of the output is searched for them."""
import base64
import datetime
import glob
import os
import re
import shutil
import subprocess
import unittest
import zlib

import pydicom
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from program import needs_program, read_json, run
from two_balls import TwoBalls

TEXT_VRS = {"PN": 64, "LO": 64, "SH": 16, "LT": 200, "ST": 200, "UT": 200, "UC": 200, "AE": 16}
# Type 1 or conditional texts that tell how an image was made, not of whom (PS3.15 table E.1-1 lists none of them).
TECHNICAL = {"ConvolutionKernel", "RescaleType"}
PLANTED_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")


def planted(index):
    """A string no program writes by itself, short enough for every value representation."""
    return f"Qz{index:04d}xW"


def plant(folder, marks, uids):
    """Gives every CT image a value of its own in every text attribute that the data dictionary has for patient, study, series, equipment and image."""
    groups = (0x0008, 0x0010, 0x0012, 0x0018, 0x0020, 0x0028, 0x0032, 0x0038, 0x0040, 0x4000)
    attributes = [tag for tag, (vr, vm, _, retired, keyword) in pydicom.datadict.DicomDictionary.items()
                  if tag >> 16 in groups and vr in TEXT_VRS and not retired and keyword and keyword not in TECHNICAL]
    for path in sorted(glob.glob(os.path.join(folder, "*"))):
        data = pydicom.dcmread(path)
        for tag in attributes:
            value = marks.setdefault(tag, planted(len(marks)))
            data.add_new(tag, dictionary_VR(tag), value)
        data.PatientBirthDate, data.PatientAge, data.PatientSex, data.QualityControlImage = "19450607", "071Y", "F", "NO"
        other = Dataset()
        other.PatientID, other.IssuerOfPatientID = marks.setdefault("other", planted(9001)), marks.setdefault("issuer", planted(9002))
        data.OtherPatientIDsSequence = Sequence([other])
        block = data.private_block(0x0041, marks.setdefault("creator", planted(9003)), create=True)
        block.add_new(1, "LO", marks.setdefault("private", planted(9004)))
        for keyword in PLANTED_UIDS:
            uids.add(str(getattr(data, keyword)))
        data.save_as(path)


class Deidentify(TwoBalls):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.marks, cls.uids = {}, set()
        for folder in ("first", "second"):
            plant(os.path.join(cls.scratch, folder), cls.marks, cls.uids)
            shutil.move(os.path.join(cls.scratch, folder), os.path.join(cls.scratch, "Qz8001xW-" + folder))
        with open(cls.case_file, encoding="utf-8") as file:
            text = file.read()
        for folder in ("first", "second"):
            text = text.replace("ct: " + folder, "ct: Qz8001xW-" + folder)
        text = text.replace("reader: R1", "reader: Qz8002xW").replace("case: P-1", "case: P-1\nprotocol: protocol.yaml")
        with open(os.path.join(cls.scratch, "protocol.yaml"), "w", encoding="ascii") as file:
            file.write("protocol: TRIAL-1\nversion: 1\nreaders: [Qz8002xW, Qz8003xW]\n")
        with open(cls.case_file, "w", encoding="utf-8") as file:
            file.write(text)
        cls.key = os.path.join(cls.scratch, "key")
        cls.plain, cls.hidden = (os.path.join(cls.scratch, name) for name in ("plain", "hidden"))
        for out, more in ((cls.plain, []), (cls.hidden, ["--deidentify", cls.key])):
            done = run("run", cls.case_file, "-o", out, *more)
            if done.returncode:
                raise AssertionError(done.stderr)

    def files(self, folder):
        return [f for f in glob.glob(os.path.join(folder, "**", "*"), recursive=True) if os.path.isfile(f)]

    def objects(self, folder):
        return {os.path.basename(f): pydicom.dcmread(f) for f in sorted(glob.glob(os.path.join(folder, "dicom", "*.dcm")))}

    def leaks(self, folder, wanted):
        """(file, string) of every string found in a file, in its inflated parts, or in its name."""
        out = []
        for path in self.files(folder):
            with open(path, "rb") as file:
                data = file.read()
            if path.endswith(".html"):  # letters that stand for a picture's bytes spell any four of them sooner or later: look at the bytes
                data = re.sub(rb"[A-Za-z0-9+/]{400,}", lambda run: base64.b64decode(run[0][:len(run[0]) // 4 * 4]), data)
            for at in [i for i in range(len(data)) if data.startswith(b"stream\n", i)][:50] if path.endswith((".pdf", "report.dcm")) else []:
                try:
                    data += zlib.decompressobj().decompress(data[at + 7:])
                except zlib.error:
                    pass
            out += [(os.path.relpath(path, folder), s) for s in wanted if s.encode("ascii") in data or s in path[len(folder):]]
        return out

    def test_no_planted_string_is_in_any_byte_of_the_output(self):
        strings = set(self.marks.values()) | {"Qz8001xW", "Qz8002xW", "Qz8003xW", "19450607", "1945-06-07", "071Y"}
        self.assertGreater(len(strings), 150)
        self.assertTrue(self.leaks(self.plain, strings), "the search finds what is there")
        self.assertEqual(self.leaks(self.hidden, strings), [])
        self.assertEqual(self.leaks(self.hidden, self.uids), [])
        self.assertEqual([l for l in self.leaks(self.hidden, {"2020-01-01", "2020-03-01", "20200101", "20200301", "2020-01-10"})], [])

    def test_objects_say_what_was_done_and_name_nobody(self):
        for name, data in self.objects(self.hidden).items():
            self.assertEqual((data.PatientIdentityRemoved, str(data.PatientName), data.PatientID, data.LongitudinalTemporalInformationModified), ("YES", "P-1", "P-1", "MODIFIED"), name)
            self.assertEqual([c.CodeValue for c in data.DeidentificationMethodCodeSequence], ["113100", "113107"])
            for keyword in ("PatientBirthDate", "PatientSex", "ReferringPhysicianName", "StudyID", "AccessionNumber"):
                self.assertFalse(data.get(keyword), (name, keyword))
            self.assertEqual(data.get("BurnedInAnnotation", "NO"), "NO")
        self.assertTrue(read_json(os.path.join(self.hidden, "case.json"))["deidentified"])

    def test_uids_are_mapped_alike_in_all_objects_and_references_stay_valid(self):
        plain, hidden = self.objects(self.plain), self.objects(self.hidden)
        self.assertEqual(sorted(plain), sorted(hidden))
        mapped = {}

        def compare(a, b, where):
            for element in a:
                if element.VR == "SQ" and element.keyword not in ("OtherPatientIDsSequence",) and element.tag in b:
                    for x, y in zip(element.value, b[element.tag].value):
                        compare(x, y, where)
                if element.VR == "UI" and element.tag in b and element.value and b[element.tag].value:
                    self.assertEqual(mapped.setdefault(str(element.value), str(b[element.tag].value)), str(b[element.tag].value), (where, element.keyword))

        for name in plain:
            compare(plain[name], hidden[name], name)
        for uid in self.uids & set(mapped):
            self.assertNotEqual(mapped[uid], uid)
        instances = {str(d.SOPInstanceUID) for d in hidden.values()}
        for time in ("before", "after"):
            report, seg = hidden[time + "-sr.dcm"], hidden[time + "-seg.dcm"]
            evidence = {str(i.ReferencedSOPInstanceUID) for s in report.CurrentRequestedProcedureEvidenceSequence for r in s.ReferencedSeriesSequence for i in r.ReferencedSOPSequence}
            sources = {str(i.ReferencedSOPInstanceUID) for i in seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
            self.assertEqual(evidence, sources | {str(seg.SOPInstanceUID)})
            self.assertLessEqual({str(seg.SOPInstanceUID)}, instances)

    def test_intervals_between_dates_stay_and_sizes_do(self):
        plain, hidden = (read_json(os.path.join(f, "case.json")) for f in (self.plain, self.hidden))
        day = datetime.date.fromisoformat
        dates = lambda case: [day(t["date"]) for t in case["timepoints"]] + [day(t["start"]) for t in case["treatments"]]
        shifts = {(b - a).days for a, b in zip(dates(plain), dates(hidden))}
        self.assertEqual(len(shifts), 1)
        self.assertLess(shifts.pop(), 0)
        for a, b in zip(plain["timepoints"], hidden["timepoints"]):
            self.assertEqual(a["lesions"][0]["long_axis_mm"], b["lesions"][0]["long_axis_mm"])
        self.assertEqual([(r["timepoint"], r["sum_mm"], r["overall"]["category"], r["day"]) for r in plain["response"]["recist"]],
                         [(r["timepoint"], r["sum_mm"], r["overall"]["category"], r["day"]) for r in hidden["response"]["recist"]])

    def test_the_same_key_gives_the_same_case_and_another_key_another(self):
        again, other, kept = (self.path(n) for n in ("again", "other", "kept"))
        self.assertEqual(run("run", self.case_file, "-o", again, "--deidentify", self.key).returncode, 0)
        self.assertEqual({n: d.SOPInstanceUID for n, d in self.objects(again).items()}, {n: d.SOPInstanceUID for n, d in self.objects(self.hidden).items()})
        self.assertEqual(run("run", self.case_file, "-o", again, "--overwrite", "--deidentify", self.key).returncode, 0)  # its protocol's hash is the same, though its readers are not named
        self.assertEqual(run("run", self.case_file, "-o", other, "--deidentify", self.path("key2")).returncode, 0)
        a, b = self.objects(self.hidden)["before-sr.dcm"], self.objects(other)["before-sr.dcm"]
        self.assertNotEqual(a.StudyInstanceUID, b.StudyInstanceUID)
        self.assertNotIn(a.StudyInstanceUID, self.uids)
        self.assertEqual(os.stat(self.key).st_mode & 0o077, 0)
        self.assertEqual(run("run", self.case_file, "-o", kept, "--deidentify", self.key, "--dates", "keep").returncode, 0)
        data = self.objects(kept)["before-sr.dcm"]
        self.assertEqual((data.LongitudinalTemporalInformationModified, [c.CodeValue for c in data.DeidentificationMethodCodeSequence]), ("UNMODIFIED", ["113100", "113106"]))
        self.assertEqual(read_json(os.path.join(kept, "case.json"))["timepoints"][0]["date"], "2020-01-01")

    def test_a_case_with_names_is_not_replaced_by_one_without_nor_the_other_way_round(self):
        for out, more in ((self.plain, ["--deidentify", self.key]), (self.hidden, [])):
            done = run("run", self.case_file, "-o", out, "--overwrite", *more)
            self.assertEqual(done.returncode, 4)
            self.assertIn("output-exists", done.stderr)
        bad = self.path("no-key")
        with open(bad, "w", encoding="ascii") as file:
            file.write("secret\n")
        self.assertEqual(run("run", self.case_file, "-o", self.path("none"), "--deidentify", bad).returncode, 2)

    def test_de_identified_objects_are_valid(self):
        needs_program(self, "dciodvfy")
        for path in glob.glob(os.path.join(self.hidden, "dicom", "*.dcm")):
            said = subprocess.run(["dciodvfy", "-new", path], capture_output=True, text=True).stderr
            self.assertEqual([line for line in said.splitlines() if line.startswith("Error")], [], path)
        for time in ("before", "after"):
            said = subprocess.run(["dcentvfy", *glob.glob(os.path.join(self.hidden, "dicom", time + "-*.dcm"))], capture_output=True, text=True)
            self.assertNotIn("Error", said.stdout + said.stderr)
        self.assertEqual(run("audit", self.hidden).returncode, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
