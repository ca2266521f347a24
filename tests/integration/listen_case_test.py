#!/usr/bin/python3
"""From a study that is sent to a finished case: templates, prompts, serial studies, crashes, and where results go."""
import contextlib
import glob
import json
import os
import shutil
import signal
import time
import unittest
import urllib.request

import pydicom
from pydicom.uid import generate_uid

from marks_test import LONG, SHORT, ohif_report
from orthanc import Orthanc, alone_on_the_network, needs_orthanc
from program import InScratch, needs_program, read_json, run
from storage_node import Node, data_set, free_port

SIZE, SPACING, SLICE = 96, 1.0, 2.0
BALL = 30.0


class CaseNode(InScratch):
    """A node with templates, and a ball whose truth is known."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = run("phantom", os.path.join(cls.scratch, "ball"), "--shape", "ball", "--size", f"{BALL},{BALL},{BALL}", "--grid", f"{SIZE},{SIZE},32", "--spacing", f"{SPACING},{SPACING},{SLICE}", "--seed", "7")
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.truth = read_json(os.path.join(cls.scratch, "ball", "truth.json"))
        cls.ct = sorted(glob.glob(os.path.join(cls.scratch, "ball", "ct", "*")))
        slices = sorted((pydicom.dcmread(path, stop_before_pixels=True) for path in cls.ct), key=lambda image: float(image.ImagePositionPatient[2]))
        cls.middle = slices[len(slices) // 2]

    def setUp(self):
        for program in ("storescu", "dcmsend"):
            needs_program(self, program)
        self.folder = self.path(self.id().rsplit(".", 1)[1])
        os.makedirs(os.path.join(self.folder, "templates"))

    def template(self, text, name="ball.yaml"):
        with open(os.path.join(self.folder, "templates", name), "w", encoding="ascii") as file:
            file.write(text)

    def standing(self, match="{StudyDescription: SYN*}", more=""):
        """The ball lies in the middle of the grid, always: its axis is the prompt of every study."""
        x, y, z = (float(v) for v in self.middle.ImagePositionPatient)
        line = [[x + SIZE / 2 * SPACING - BALL / 2, y + SIZE / 2 * SPACING, z], [x + SIZE / 2 * SPACING + BALL / 2, y + SIZE / 2 * SPACING, z]]
        self.template(f"match: {match}\nlesions: [{{id: T1, role: target, site: retroperitoneum, timepoints: {{\"*\": {{line: {line}}}}}}}]\n{more}")

    def rules(self, version, days):
        """A protocol's version, at a place of its own that every version is written to."""
        protocol = os.path.join(self.folder, "protocol.yaml")
        with open(protocol, "w", encoding="ascii") as file:
            file.write(f"protocol: TRIAL-1\nversion: {version}\nresponse: {{policies: {{sd_min_days: {days}}}}}\n")
        return protocol

    def node(self, *options, **how):
        return Node(self.folder, "--templates", os.path.join(self.folder, "templates"), *options, **how)

    def study(self, name, date, **changes):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        study, series, frame = generate_uid(), generate_uid(), generate_uid()
        for i, path in enumerate(self.ct):
            image = pydicom.dcmread(path)
            image.StudyDate = image.SeriesDate = image.AcquisitionDate = image.ContentDate = date
            image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = study, series, frame
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            for key, value in changes.items():
                setattr(image, key, value)
            image.save_as(os.path.join(folder, f"{i}.dcm"))
        return sorted(glob.glob(os.path.join(folder, "*")))

    def report(self, name, tracking="T1", uid="1.2.3.4.1", image=None, half=BALL / 2 / SPACING):
        """A reader's long and short axis in the middle of the ball, as a viewer writes them."""
        middle = SIZE / 2
        report = ohif_report(image or self.middle, [(uid, [(LONG, BALL, (middle - half, middle, middle + half, middle)), (SHORT, BALL, (middle, middle - half, middle, middle + half))])])
        report.ContentSequence[0].ContentSequence[0].ContentSequence[0].TextValue = tracking
        return self.written(name, report)

    def written(self, name, data):
        path = os.path.join(self.folder, name)
        data.save_as(path, write_like_original=False)
        return path

    def send(self, node, *files):
        self.assertEqual(node.client("dcmsend", *files).returncode, 0, node.log())

    def cases(self, node):
        return sorted(glob.glob(os.path.join(node.out, "P-*", "*")))

    def results(self, node):
        return sorted(path for path in glob.glob(os.path.join(node.out, "P-*", "*", "results", "*")) if os.path.basename(path).isdigit())

    def assert_true(self, result, timepoint=0):
        """The figures against the closed form: the edge of a mask lies within a voxel of the ball's, at either end of an axis and all round."""
        lesion = read_json(os.path.join(result, "case.json"))["timepoints"][timepoint]["lesions"][0]
        self.assertEqual(lesion["status"], "measured")
        self.assertAlmostEqual(lesion["long_axis_mm"]["value"], self.truth["long_axis_mm"], delta=2 * SPACING)
        self.assertAlmostEqual(lesion["short_axis_mm"]["value"], self.truth["short_axis_mm"], delta=2 * SPACING)
        self.assertAlmostEqual(lesion["craniocaudal_mm"]["value"], self.truth["craniocaudal_mm"], delta=2 * SLICE)
        self.assertAlmostEqual(lesion["volume_ml"]["value"], self.truth["volume_ml"], delta=3 * SPACING / (BALL / 2) * self.truth["volume_ml"])

    def profile(self, name, port, title):
        path = os.path.join(self.folder, "pacs.yaml")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"profiles:\n  {name}: {{host: 127.0.0.1, port: {port}, called_ae: {title}}}\n")
        return path

    @contextlib.contextmanager
    def at_a_pacs(self):
        """A PACS and a node that know each other: the node counts there what it waits for, and sends its results back."""
        port = free_port()
        us = {"AET": "RETROMASS", "Host": "127.0.0.1", "Port": port, "AllowEcho": True, "AllowStore": True, "AllowFind": True, "AllowMove": False, "AllowGet": True}
        os.environ["PATH"] += ":/usr/sbin"
        with contextlib.ExitStack() as stack:
            pacs = Orthanc(os.path.join(self.folder, "orthanc"), modalities={"node": us}).start()
            stack.callback(pacs.stop)
            to = ("--config", self.profile("pacs", pacs.dicom, pacs.name), "--find", "pacs", "--to", "pacs", "--send", "all", "--allow-synthetic")
            with self.node(*to, port=port, allow=(pacs.name,)) as node:
                yield pacs, node

    @staticmethod
    def push(pacs, instances):
        """Has the PACS store to the node, as its users would."""
        request = urllib.request.Request(f"http://127.0.0.1:{pacs.http}/modalities/node/store", json.dumps(instances).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            answer.read()


class ListenCase(CaseNode):
    def test_a_phantom_sent_in_comes_out_measured(self):
        self.standing()
        with self.node("--once") as node:
            self.send(node, *self.ct)
            self.assertEqual(node.process.wait(120), 0, node.log())
            self.assertIn(": measured: P-", node.log())
            self.assert_true(self.results(node)[0])
            for secret in (self.middle.PatientID, str(self.middle.PatientName), self.middle.StudyInstanceUID):
                self.assertNotIn(secret, node.log() + "".join(self.cases(node)))

    def test_without_a_prompt_there_is_no_number_and_a_readers_mark_brings_it(self):
        self.template("match: {Modality: CT, CallingAE: DCM*}\nlesions: [{id: T1, site: retroperitoneum}]\n")
        with self.node() as node:
            self.send(node, *self.ct)
            node.wait_for("needs a prompt, not measured")
            self.assertIn("T1 at 2020-01-01", node.log())
            self.assertEqual(self.results(node), [])
            self.send(node, self.report("other.dcm", tracking="something else", uid="1.2.3.4.2"))  # a mark of another name is not taken for it
            node.wait_for("needs a prompt, not measured", count=2)
            self.assertEqual(self.results(node), [])
            with open(os.path.join(self.cases(node)[0], "case.yaml"), encoding="utf-8") as file:
                self.assertIn("not taken", file.read())
            self.send(node, self.report("t1.dcm"))
            node.wait_for(": measured: P-", seconds=120)
            self.assert_true(self.results(node)[0])
            self.assertEqual(node.stop()[0], 3)  # two times it ended without a result

    def test_a_study_no_template_matches_is_kept_and_said(self):
        self.standing(match="{StudyDescription: \"*chest*\"}")
        with self.node("--once") as node:
            self.send(node, *self.ct)
            self.assertEqual(node.process.wait(60), 3)
            self.assertIn("kept, not measured: no template matches", node.log())
            self.assertEqual((len(node.objects()), self.cases(node)), (len(self.ct), []))

    def test_serial_studies_become_time_points_by_date_however_they_come(self):
        self.standing()
        with self.node() as node:
            for count, (name, date) in enumerate((("b", "20200301"), ("c", "20200601"), ("a", "20200101")), 1):
                self.send(node, *self.study(name, date))
                node.wait_for(": measured: P-", seconds=120, count=count)
            other = self.study("x", "20200401", PatientID="ANOTHER")
            self.send(node, *other)
            node.wait_for(": measured: P-", seconds=120, count=4)
            self.assertEqual(len(self.cases(node)), 2)
            three = [result for result in self.results(node) if result.endswith("0003")]
            self.assertEqual([t["id"] for t in read_json(os.path.join(three[0], "case.json"))["timepoints"]], ["2020-01-01", "2020-03-01", "2020-06-01"])
            for timepoint in range(3):
                self.assert_true(three[0], timepoint)
            self.assertEqual(node.stop()[0], 0)
            handled = node.log().count("complete with")
        with self.node() as again:  # nothing is done twice
            time.sleep(3)
            self.assertNotIn("complete with", again.log())
            self.assertEqual(handled, 4)

    def test_a_case_is_not_continued_under_other_rules_of_its_protocols_version(self):
        protocol = self.rules(1, 49)
        self.standing(more=f"protocol: {protocol}\n")
        with self.node() as node:
            self.send(node, *self.study("a", "20200101"))
            node.wait_for(": measured: P-", seconds=120)
            first, = self.results(node)
            made_under = read_json(os.path.join(first, "case.json"))["response"]["protocol"]
            self.rules(1, 42)  # changed, and not said
            self.send(node, *self.study("b", "20200301"))
            node.wait_for("failed: protocol TRIAL-1 version 1 stands for 2 sets of rules", seconds=120)
            for said in (made_under[-64:] + " in " + first, os.path.join(self.cases(node)[0], "case.yaml"), "A change needs a higher version", "[output-exists]"):
                self.assertIn(said, node.log())
            self.assertEqual(self.results(node), [first])
            self.rules(2, 42)
            self.send(node, *self.study("c", "20200601"))
            node.wait_for(": measured: P-", seconds=120, count=2)
            self.assertRegex(read_json(os.path.join(self.results(node)[1], "case.json"))["response"]["protocol"], "^TRIAL-1 version 2, ")

    def test_a_case_goes_on_as_its_newest_result_is_locked(self):
        def case_text(changed=None):
            with open(os.path.join(self.cases(node)[0], "case.yaml"), encoding="utf-8") as file:
                text = file.read()
            if changed is not None:
                with open(os.path.join(self.cases(node)[0], "case.yaml"), "w", encoding="utf-8") as file:
                    file.write(changed(text))
            return text

        protocol = self.rules(2, 49)
        self.standing(more=f"protocol: {protocol}\n")
        with self.node() as node:
            self.send(node, *self.study("a", "20200101"))
            node.wait_for(": measured: P-", seconds=120)
            first, = self.results(node)
            lock = f"failed: {first} was made under protocol TRIAL-1 version 2, SHA-256 "
            self.rules(1, 42)  # lowered: another version, so that no hash of version 2 stands against it
            before = case_text()
            self.send(node, *self.study("b", "20200301"))
            node.wait_for("version 1 is older", seconds=120)
            self.assertIn(lock, node.log())
            self.assertEqual(case_text(), before, "the case is not composed under rules that are refused")
            self.assertEqual(sorted(os.listdir(self.cases(node)[0])), ["case-0001.yaml", "case.yaml", "ct", "results", "run.log"])
            self.rules(2, 49)
            case_text(lambda text: "".join(line for line in text.splitlines(True) if not line.startswith("protocol:")))
            self.send(node, *self.study("c", "20200401"))
            node.wait_for("; name a protocol (--protocol)", seconds=120)
            self.assertEqual((node.log().count(lock), self.results(node)), (2, [first]))
            case_text(lambda text: text + f"protocol: {protocol}\n")
            # Two results of version 2 that differ, as an earlier program left them: version 2 stays refused, and a higher one goes on.
            made_under = read_json(os.path.join(first, "case.json"))["response"]["protocol"][-64:]
            second = os.path.join(os.path.dirname(first), "0002")
            shutil.copytree(first, second)
            with open(os.path.join(second, "case.json"), encoding="utf-8") as file:
                text = file.read()
            with open(os.path.join(second, "case.json"), "w", encoding="utf-8") as file:
                file.write(text.replace(made_under, "0" * 64))
            self.send(node, *self.study("d", "20200501"))
            node.wait_for("failed: protocol TRIAL-1 version 2 stands for 2 sets of rules", seconds=120)
            self.assertIn("0" * 64 + " in " + second, node.log())
            self.rules(3, 42)
            self.send(node, *self.study("e", "20200601"))
            node.wait_for(": measured: P-", seconds=120, count=2)
            self.assertRegex(read_json(os.path.join(self.results(node)[2], "case.json"))["response"]["protocol"], "^TRIAL-1 version 3, ")

    def test_a_failing_case_leaves_the_node_standing(self):
        self.standing(more="diameter_from: nowhere\n")
        with self.node() as node:
            self.send(node, *self.ct)
            node.wait_for("run ended with 4")
            self.standing()
            self.send(node, *self.study("later", "20200301"))
            node.wait_for("failed", count=2)  # the case file still says so; a template is read at the start
            self.assertEqual(node.client("echoscu").returncode, 0)
            self.assertEqual(node.stop()[0], 3)

    def test_a_case_that_takes_too_long_is_ended(self):
        self.standing()
        with self.node("--run-time", 1, "--threads", 1) as node:
            self.send(node, *(path for i in range(4) for path in self.study(f"s{i}", f"2020010{i + 1}")))
            node.wait_for("failed: ended by signal 9", seconds=60)
            self.assertEqual(node.client("echoscu").returncode, 0)

    def test_stopped_or_killed_in_the_middle_of_a_case_nothing_is_half_written_and_it_is_run_again(self):
        self.standing()
        with self.node() as node:
            self.send(node, *self.ct)
            node.wait_for("complete with")
            self.assertEqual(node.stop()[0], 0)
            self.assert_nothing_half_written(node)
        if not self.results(node):  # an idle machine may have finished the case before the signal came
            with self.node() as node:
                node.wait_for("complete with")
                time.sleep(0.3)
                os.kill(node.process.pid, signal.SIGKILL)
                node.process.wait()
            self.assert_nothing_half_written(node)
        if not self.results(node):
            with self.node() as node:
                node.wait_for(": measured: P-", seconds=120)
            self.assert_true(self.results(node)[-1])

    def assert_nothing_half_written(self, node):
        """What bears a result's name is whole: it has the file that is written last."""
        for result in self.results(node):
            self.assertTrue(os.path.exists(os.path.join(result, "provenance.json")), result)

    def sent_and_made(self, node, received):
        """The data sets of the first result, and of what a peer's files hold, by their SOP Instance UIDs."""
        made = glob.glob(os.path.join(self.results(node)[0], "dicom", "**", "*.dcm"), recursive=True)
        return [{pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID: data_set(path) for path in files} for files in (made, received)]

    def test_results_go_to_the_destination_that_is_named_and_by_default_only_when_a_reader_accepted_them(self):
        self.standing()
        with Node(self.path("destination"), allow=("RETROMASS",)) as ward:
            to = ("--config", self.profile("ward", ward.port, "RETROMASS"), "--to", "ward", "--allow-synthetic")
            with self.node(*to) as node:
                self.send(node, *self.ct)
                node.wait_for(": measured: P-", seconds=120)
                self.assertEqual(ward.objects(), [])
                result = self.results(node)[0]
                with open(os.path.join(result, "events.jsonl"), "a", encoding="ascii") as file:
                    file.write(json.dumps({"event": "review", "timepoint": "2020-01-01", "lesion": "T1", "state": "accepted", "reader": "R1"}) + "\n")
                node.wait_for("was accepted by a reader: sent to ward", seconds=60)
                made, received = self.sent_and_made(node, [os.path.join(ward.spool, "objects", path) for path in ward.objects()])
                self.assertGreater(len(made), 2)
                self.assertEqual(received, made)
                self.assertTrue(os.path.exists(result + ".sent"))

    def test_a_result_nobody_takes_is_kept_and_said_and_a_generated_patient_stays_here(self):
        self.standing()
        for options, why in (((), "not sent"), (("--allow-synthetic",), "not sent")):
            folder = os.path.join(self.folder, str(len(options)))
            with Node(self.path("refusing" + str(len(options))), allow=()) as ward:
                with self.node("--once", "--config", self.profile("ward", ward.port, "RETROMASS"), "--to", "ward", "--send", "all", *options, spool=folder + "-spool", out=folder + "-out") as node:
                    self.send(node, *self.ct)
                    self.assertEqual(node.process.wait(120), 3, node.log())
                    self.assertIn(why, node.log())
                    self.assert_true(self.results(node)[0])
                    self.assertEqual((ward.objects(), glob.glob(os.path.join(node.out, "*", "*", "results", "*.sent"))), ([], []))

    def test_from_a_pacs_and_back_to_it(self):
        needs_orthanc(self)
        self.standing()
        with self.at_a_pacs() as (pacs, node):
            uids = [pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in self.ct]
            pushed = run("pacs", "send", *self.ct, "--config", self.path(self.folder, "pacs.yaml"), "--allow-synthetic")
            self.assertEqual(pushed.returncode, 0, pushed.stderr)
            instances = {pacs.rest(f"/instances/{one}/tags?simplify")["SOPInstanceUID"]: one for one in pacs.rest("/instances")}
            some = [instances[uid] for uid in uids]
            self.push(pacs, some[:20])
            node.wait_for("waits: 20 of 32 objects came", seconds=30)  # quiet, but the PACS counts more
            self.assertEqual(self.results(node), [])
            self.push(pacs, some[20:])
            node.wait_for("; sent to pacs", seconds=120)
            self.assert_true(self.results(node)[0])
            back = {}
            for one in pacs.rest("/instances"):
                if pacs.rest(f"/instances/{one}/tags?simplify")["SOPInstanceUID"] in uids:
                    continue
                path = os.path.join(self.folder, one + ".dcm")
                with open(path, "wb") as file:
                    file.write(urllib.request.urlopen(f"http://127.0.0.1:{pacs.http}/instances/{one}/file", timeout=20).read())
                back[one] = path
            made, received = self.sent_and_made(node, back.values())
            self.assertEqual(received, made)

    def test_templates_are_checked_before_anything_is_received(self):
        for text, word in (("lesions: []", "match"), ("match: {StudyDescripton: x}", "no DICOM keyword"), ("match: {}", "every study")):
            self.template(text)
            done = run("pacs", "listen", "--spool", os.path.join(self.folder, "spool"), "-o", os.path.join(self.folder, "out"), "--port", 1, "--templates", os.path.join(self.folder, "templates"))
            self.assertEqual(done.returncode, 4)
            self.assertIn(word, done.stderr)


if __name__ == "__main__":
    alone_on_the_network()
    unittest.main(verbosity=2)
