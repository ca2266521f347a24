"""A trial's protocol as a stranger meets it: named in every file that is written, its limits held to, and its results locked to it."""
import csv
import glob
import hashlib
import os
import re
import shutil
import subprocess
import unittest
import zlib

import pydicom

from program import content, files_of, needs_program, read_json, run
from trial_cases import lesion, run_case, size
from two_balls import TwoBalls

RULES = "protocol: TRIAL-1\nversion: {version}\nreaders: [R1]\nresponse: {{policies: {{sd_min_days: {days}}}}}\n"
# Masks and pictures have no place for it: provenance.json lists their SHA-256 beside the protocol's.
WITHOUT = (".nii.gz", ".png")


def inflated(path):
    """The bytes of a file, and what its PDF streams hold."""
    data = content(path)
    if not path.endswith((".pdf", "report.dcm")):
        return data
    return data + b"".join(zlib.decompressobj().decompress(data[m.end():]) for m in re.finditer(rb"/FlateDecode.{0,99}?stream\r?\n", data, re.S))


def table(*path):
    with open(os.path.join(*path), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def comments_of(report):
    """Every text of a structured report."""
    out = []
    waiting = [pydicom.dcmread(report)]
    while waiting:
        item = waiting.pop()
        out += [item.TextValue] if "TextValue" in item else []
        waiting += item.get("ContentSequence", [])
    return out


class Protocol(TwoBalls):
    def protocol(self, version, days, more="", name="protocol.yaml"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(RULES.format(version=version, days=days) + more)
        return self.path(name)

    def run_under(self, out, *protocol, **more):
        done = run("run", self.case_file, "-o", self.path(out), "--protocol", self.protocol(*protocol, **more))
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.path(out), read_json(self.path(out, "case.json"))["response"]["protocol"]

    def test_every_output_names_it_and_other_rules_under_its_version_are_refused(self):
        out, name = self.run_under("out", 1, 49)
        self.assertRegex(name, "^TRIAL-1 version 1, SHA-256 [0-9a-f]{64}$")
        self.assertEqual(read_json(os.path.join(out, "provenance.json"))["settings"]["protocol"], name)
        for file in ("measurements.csv", "response.csv", "waterfall.csv", "spider.csv"):
            self.assertEqual({row["protocol"] for row in table(out, file)}, {name}, file)
        # The hash can be made again from the rules that stand in the result.
        settings = {s["name"]: s["value"] for s in read_json(os.path.join(out, "case.json"))["settings"]}
        text = f"protocol=TRIAL-1; version=1; {settings['protocol rules']}"
        self.assertTrue(name.endswith(hashlib.sha256(text.encode("ascii")).hexdigest()))

        refused = run("run", self.case_file, "-o", out, "--overwrite", "--protocol", self.protocol(1, 42))
        self.assertEqual(refused.returncode, 4)
        self.assertIn("sd_min_days was 49, is 42", refused.stderr)
        self.assertEqual(run("run", self.case_file, "-o", out, "--overwrite").returncode, 4)
        self.assertEqual(read_json(os.path.join(out, "case.json"))["response"]["protocol"], name)
        done = run("run", self.case_file, "-o", out, "--overwrite", "--protocol", self.protocol(2, 42))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_file_that_is_written_leaves_it_out(self):
        out, name = self.run_under("every", 1, 49)
        signed = run("sign", out, "--reader", "R1", "--role", "radiologist", "--timepoint", "after")
        self.assertEqual(signed.returncode, 0, signed.stderr)
        sha256 = name[-64:].encode("ascii")
        listed = {entry["file"] for entry in read_json(os.path.join(out, "provenance.json"))["outputs"]}
        held, exempt = [], []
        for file in files_of(out):
            if file.endswith(WITHOUT):
                self.assertIn(file, listed)
                exempt.append(file)
                continue
            self.assertIn(sha256, inflated(os.path.join(out, file)), file)
            held.append(file)
        # SEG, probability, SR, structure set and three pictures of each time point, the report, and the unsigned SR that was superseded.
        self.assertEqual(sum(file.endswith(".dcm") for file in held), 2 * 7 + 2, held)
        self.assertIn("report.pdf", held)
        self.assertIn("events.jsonl", held)
        self.assertTrue(exempt)

    def test_dicom_objects_name_it_where_the_standard_has_a_place_and_stay_valid(self):
        out, name = self.run_under("objects", 1, 49)
        files = glob.glob(os.path.join(out, "dicom", "*.dcm"))
        for file in files:
            data = pydicom.dcmread(file, stop_before_pixels=True)
            equipment, = data.ContributingEquipmentSequence
            self.assertEqual((equipment.PurposeOfReferenceCodeSequence[0].CodeValue, equipment.PurposeOfReferenceCodeSequence[0].CodingSchemeDesignator), ("109102", "DCM"))
            self.assertEqual(equipment.ContributionDescription, "Made under protocol " + name)
            self.assertEqual(equipment.Manufacturer, "Retromass")
            self.assertNotIn("ClinicalTrialProtocolID", data, "the patient's module is the CT's")
        for timepoint in ("before", "after"):
            self.assertIn("Protocol " + name, comments_of(os.path.join(out, "dicom", timepoint + "-sr.dcm")))
        needs_program(self, "dciodvfy")
        for file in files:
            said = subprocess.run(["dciodvfy", "-new", file], capture_output=True, text=True).stderr
            self.assertEqual([line for line in said.splitlines() if line.startswith("Error")], [], file)

    def test_without_one_nothing_names_one(self):
        out = self.path("free")
        self.assertEqual(run("run", self.case_file, "-o", out).returncode, 0)
        for file in ("measurements.csv", "response.csv", "waterfall.csv", "spider.csv"):
            self.assertEqual({row["protocol"] for row in table(out, file)}, {""}, file)
        for file in glob.glob(os.path.join(out, "dicom", "*.dcm")):
            self.assertNotIn("ContributingEquipmentSequence", pydicom.dcmread(file, stop_before_pixels=True), file)
        self.assertNotIn(b"protocol", content(os.path.join(out, "events.jsonl")))

    def test_what_a_study_is_not_as_asked_stands_beside_its_time_point(self):
        # The phantom's slices are 2 mm; the studies lie 9 days before and 51 days after the first dose, and no header states a phase.
        limits = ("acquisition: {slice_thickness_max_mm: 1.5, slice_spacing_max_mm: 5, phases: [portal-venous]}\n"
                  "visits: [{name: BASELINE, from_day: -28, to_day: 0}, {name: WEEK 8, from_day: 53, to_day: 60}]\n")
        out, _ = self.run_under("limits", 1, 49, limits)
        thick = "slice thickness 2.00 mm, protocol TRIAL-1 asks for at most 1.50 mm"
        phase = "contrast phase is not stated, protocol TRIAL-1 asks for portal-venous"
        late = "day 51 of treatment lies in no visit window of protocol TRIAL-1"
        said = {t["id"]: [n["text"] for n in t["notices"] if n["code"] == "outside-protocol"] for t in read_json(os.path.join(out, "case.json"))["timepoints"]}
        self.assertEqual(said, {"before": [thick, phase], "after": [thick, phase, late]})
        self.assertTrue(all("outside-protocol" in row["notices"].split() for row in table(out, "measurements.csv")))
        self.assertTrue(all("outside-protocol" in row["notices"].split() for row in table(out, "response.csv") if row["role"] == "primary"))
        self.assertIn("outside-protocol: " + late, comments_of(os.path.join(out, "dicom", "after-sr.dcm")))
        with open(os.path.join(out, "report.html"), encoding="utf-8") as page:
            self.assertIn(late, page.read())
        kept, _ = self.run_under("kept", 1, 49, "acquisition: {slice_thickness_max_mm: 2, slice_spacing_max_mm: 2}\n")
        self.assertNotIn(b"outside-protocol", content(os.path.join(kept, "case.json")))

    def test_its_rule_says_which_series_of_a_study_is_measured_and_another_one_named_by_the_reader_is_said(self):
        # A study of two series: the phantom's, and the same with a sharp kernel, called portal venous; by itself the program measures the first.
        folder = self.path("both")
        shutil.copytree(self.path("first"), folder)
        sharp = pydicom.uid.generate_uid()
        for i, file in enumerate(sorted(glob.glob(os.path.join(folder, "*")))):
            image = pydicom.dcmread(file)
            plain = str(image.SeriesInstanceUID)
            image.SeriesInstanceUID, image.SeriesNumber, image.SeriesDescription, image.ConvolutionKernel = sharp, 77, "portal venous", "B70f"
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
            image.save_as(os.path.join(folder, f"sharp-{i}.dcm"))
        with open(self.case_file, encoding="utf-8") as file:
            text = file.read().replace("ct: first", "ct: both")
        rule = self.protocol(1, 49, "series: [portal-venous, thinnest]\n", name="rule.yaml")

        def measured(name, text, *options):
            with open(self.path(name + ".yaml"), "w", encoding="utf-8") as file:
                file.write(text)
            done = run("run", self.path(name + ".yaml"), "-o", self.path(name), *options)
            self.assertEqual(done.returncode, 0, done.stderr)
            before = read_json(self.path(name, "case.json"))["timepoints"][0]
            return before["ct"]["series_instance_uid"], [n["text"] for n in before["notices"] if n["code"] == "outside-protocol"]

        self.assertEqual(measured("by-itself", text), (plain, []))
        self.assertEqual(measured("by-rule", text, "--protocol", rule), (sharp, []))
        uid, said = measured("by-reader", text.replace("ct: both", "ct: both, series: " + plain), "--protocol", rule)
        self.assertEqual(uid, plain)
        self.assertEqual(len(said), 1)
        self.assertIn("by the protocol's rule (portal-venous, thinnest) series 77 would be measured", said[0])
        qc = run("qc", rule, folder, "--start", "2020-01-10")
        self.assertIn("series rule series 77: portal-venous, 2.00 mm (chosen of 2 by portal-venous, thinnest)", qc.stdout)

    def test_init_drafts_a_case_under_it_and_proposes_targets_by_its_rules(self):
        # Two lines on one slice of the phantom, whose slices are 2 mm: 30 mm and 9.6 mm, which a protocol that records whole mm makes 10.
        archive = self.path("archive")
        shutil.copytree(self.path("first"), os.path.join(archive, "ct"))
        image = pydicom.dcmread(sorted(glob.glob(os.path.join(archive, "ct", "*")))[24], stop_before_pixels=True)
        with open(os.path.join(archive, "lines.csv"), "w", encoding="ascii") as file:
            file.write("sop_instance_uid,x1,y1,x2,y2,lesion\n" + "".join(f"{image.SOPInstanceUID},30,{row},{30 + pixels},{row},{name}\n" for name, row, pixels in (("large", 47, 37.5), ("small", 60, 12))))
        sharp = os.path.join(archive, "sharp")
        shutil.copytree(os.path.join(archive, "ct"), sharp)
        for i, file in enumerate(sorted(glob.glob(os.path.join(sharp, "*")))):
            copy = pydicom.dcmread(file)
            copy.SeriesInstanceUID, copy.SeriesNumber, copy.ConvolutionKernel = "1.2.3.77", 77, "B70f"
            copy.SOPInstanceUID = copy.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.77.{i}"
            copy.save_as(file)
        os.makedirs(self.path("cases"))

        def drafted(name, *protocol):
            case = self.path("cases", name + ".yaml")
            done = run("init", archive, "-o", case, *(("--protocol", *protocol) if protocol else ()))
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(case, encoding="utf-8") as file:
                return case, file.read()

        _, free = drafted("free")
        self.assertNotIn("protocol", free)
        self.assertIn(f'series: "{image.SeriesInstanceUID}"', free)
        self.assertIn(": T1\n  # T2 rather non-target: 9.6 mm, below measurability (10 mm)", free)

        rules = ("recorded_precision_mm: 1\nseries: [sharp]\nacquisition: {slice_thickness_max_mm: 1.5}\nvisits: [{name: BASELINE, from_day: -28, to_day: 0}]\n")
        case, text = drafted("under", self.protocol(1, 49, rules, name="drafting.yaml"))
        self.assertIn('protocol: "../drafting.yaml"', text)
        self.assertIn('series: "1.2.3.77"', text)
        self.assertIn("proposed targets", text)
        self.assertIn(": T1, T2\n", text)
        self.assertIn("# outside protocol: slice thickness 2.00 mm, protocol TRIAL-1 asks for at most 1.50 mm\n", text)
        self.assertIn("with reader: R1;", text)
        self.assertIn("# treatments: [", text)
        done = run("run", case, "-o", self.path("drafted"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(read_json(self.path("drafted", "case.json"))["response"]["protocol"], "^TRIAL-1 version 1, SHA-256 ")

        with open(self.path("by-reader.yaml"), "w", encoding="ascii") as file:
            file.write("protocol: TRIAL-1\nversion: 1\nresponse: {policies: {target_choice: reader}}\n")
        _, by_reader = drafted("by-reader", self.path("by-reader.yaml"))
        self.assertNotIn("proposed targets", by_reader)
        self.assertRegex(by_reader, r"# measurable at .*: T1\n  # which of them are targets the reader chooses alone")

    def test_init_refuses_a_protocol_that_cannot_be_read_in_the_words_of_run(self):
        with open(self.path("wrong.yaml"), "w", encoding="ascii") as file:
            file.write("protocol: TRIAL-1\nversion: 1\nreponse: {}\n")
        for file in ("wrong.yaml", "nowhere.yaml"):
            init = run("init", self.path("first"), "-o", self.path("refused.yaml"), "--protocol", self.path(file))
            by_run = run("run", self.case_file, "-o", self.path("refused"), "--protocol", self.path(file))
            self.assertNotEqual(init.returncode, 0)
            self.assertEqual((init.returncode, init.stderr), (by_run.returncode, by_run.stderr))
            self.assertFalse(os.path.exists(self.path("refused.yaml")))

    def test_one_version_with_two_sets_of_rules_is_refused_wherever_cases_come_together(self):
        first, other = self.path("reader-1"), self.path("reader-2")
        run_case(other, "P-1", [lesion("T1", "liver", size(20), size(18), size(16))])
        run_case(first, "P-2", [lesion("T1", "liver", size(30), size(28), size(26))])
        with open(os.path.join(first, "protocol.yaml"), "a", encoding="utf-8") as file:  # changed, and not said
            file.write("response: {policies: {sd_min_days: 49}}\n")
        shutil.copy(os.path.join(other, "P-1.yaml"), first)
        done = run("run", os.path.join(first, "P-1.yaml"), "-o", os.path.join(first, "P-1"))
        self.assertEqual(done.returncode, 0, done.stderr)
        hashes = [read_json(os.path.join(first, case, "case.json"))["response"]["protocol"][-64:] for case in ("P-1", "P-2")]
        self.assertNotEqual(*hashes)
        for command in (["sdtm", first, "-o", self.path("sdtm")], ["compare", first, other]):
            refused = run(*command)
            self.assertEqual(refused.returncode, 4, refused.stdout)
            self.assertIn("protocol TRIAL-1 version 1 stands for 2 sets of rules", refused.stderr)
            for sha256, case in zip(hashes, ("P-1", "P-2")):
                self.assertIn(sha256, refused.stderr)
                self.assertIn(os.path.join(first, case), refused.stderr)
        self.assertFalse(os.path.exists(self.path("sdtm")))

    def test_a_table_names_the_protocol_of_its_rows_and_is_assessed_under_no_other_of_that_version(self):
        protocol = self.protocol(1, 49, "acquisition: {slice_thickness_max_mm: 5}\n", name="table.yaml")
        rows = self.path("table.csv")

        def write(name=""):
            with open(rows, "w", encoding="utf-8") as file:
                file.write("case,timepoint,date,lesion,role,long_axis_mm,new_lesions,slice_mm,protocol\n"
                           f'P-1,base,2020-01-01,T1,target,50,none,5,"{name}"\nP-1,next,2020-03-01,T1,target,30,none,7.5,"{name}"\n')

        write()
        tables = [self.path(name + ".csv") for name in ("response", "waterfall", "spider")]
        done = run("assess", rows, "--protocol", protocol, "--json", "--response", tables[0], "--waterfall", tables[1], "--spider", tables[2])
        self.assertEqual(done.returncode, 0, done.stderr)
        name = re.search("TRIAL-1 version 1, SHA-256 [0-9a-f]{64}", done.stdout).group()
        for file in tables:
            self.assertEqual({row["protocol"] for row in table(file)}, {name}, file)
        self.assertIn("slice thickness 7.50 mm, protocol TRIAL-1 asks for at most 5.00 mm", done.stdout)
        self.assertNotIn("slice thickness 5.00 mm", done.stdout)
        write(name)
        self.assertEqual(run("assess", rows, "--protocol", protocol).returncode, 0)
        other = name[:-64] + "0" * 64
        write(other)
        refused = run("assess", rows, "--protocol", protocol)
        self.assertEqual(refused.returncode, 4)
        for said in (name[-64:], "0" * 64, "table.csv line 2", "higher version"):
            self.assertIn(said, refused.stderr)


if __name__ == "__main__":
    unittest.main()
