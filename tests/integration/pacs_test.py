#!/usr/bin/python3
"""find, get and send against a real Orthanc: what comes back is what was sent, and nothing that went wrong exits with 0."""
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import pydicom

from dicom_peer import ASSOCIATE_AC, Peer
from orthanc import Front, Orthanc, TlsFront, alone_on_the_network, certificates, needs_orthanc
from program import PROGRAM, InScratch, needs_program, run
from storage_node import data_set

# The peer knows two of our titles; to the second it gives nothing, but it sends there.
US = {"AET": "RETROMASS", "Host": "127.0.0.1", "Port": 11117, "AllowEcho": True, "AllowStore": True, "AllowFind": True, "AllowMove": True, "AllowGet": True}
MOVER = {**US, "AET": "RETROMOVE", "AllowGet": False}
PEER = "    host: 127.0.0.1\n    port: {port}\n    called_ae: ORTHANC\n    connect_s: 3\n    association_s: 5\n    message_s: 10\n"


def pixels(path):
    """The encapsulated or native bytes of the pixels, as they lie in the file, and how they are encoded."""
    data = pydicom.dcmread(path)
    return data.file_meta.TransferSyntaxUID, bytes(data.PixelData)


def same_pixels(test, ours, theirs):
    test.assertEqual(sorted(ours), sorted(theirs))
    for uid, path in ours.items():
        test.assertEqual(pixels(path), pixels(theirs[uid]), uid)


def listens(port):
    """Whether somebody listens on the port, without knocking there."""
    with open("/proc/net/tcp", encoding="ascii") as table, open("/proc/net/tcp6", encoding="ascii") as six:
        return any(f":{port:04X} " in line and line.split()[3] == "0A" for line in [*table, *six])


def by_uid(files):
    return {pydicom.dcmread(f, stop_before_pixels=True).SOPInstanceUID: f for f in files}


def dicom_below(folder):
    return by_uid(glob.glob(os.path.join(folder, "*", "*.dcm")))


def leftovers(folder):
    return [name for _, _, names in os.walk(folder) for name in names if not name.endswith(".dcm")]


class WithPacs(InScratch):
    """A phantom in lossless JPEG and one uncompressed, and a peer that knows us."""
    tls = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pacs = None
        for name, extra in (("jpeg", ()), ("plain", ("--uncompressed", "--seed", "2"))):
            done = run("phantom", os.path.join(cls.scratch, name), "--shape", "ball", "--size", "20,20,20", "--grid", "48,48,20", "--spacing", "1,1,2", *extra)
            assert done.returncode == 0, done.stderr
        cls.sent = {name: by_uid(glob.glob(os.path.join(cls.scratch, name, "ct", "*"))) for name in ("jpeg", "plain")}
        cls.uids = {}
        for name, files in cls.sent.items():
            header = pydicom.dcmread(next(iter(files.values())), stop_before_pixels=True)
            cls.uids[name] = (header.StudyInstanceUID, header.SeriesInstanceUID)
        cls.config = os.path.join(cls.scratch, "pacs.yaml")
        with open(cls.config, "w", encoding="utf-8") as file:
            file.write("profiles:\n" + cls.profiles())
        os.environ["PATH"] += ":/usr/sbin"

    @classmethod
    def profiles(cls):
        peer = PEER.format(port=14242)
        mover = peer + "    calling_ae: RETROMOVE\n"
        return ("  get:\n" + peer + "  move:\n" + mover + "    move_port: 11117\n  only_get:\n" + mover + "  dropping:\n" + PEER.format(port=14299) +
                "  other_port:\n" + mover + "    move_port: 11118\n  hasty:\n" + peer.replace("message_s: 10", "message_s: 2") + "  hasty_move:\n" + mover.replace("message_s: 10", "message_s: 2") + "    move_port: 11117\n  stranger:\n" + peer + "    calling_ae: STRANGER\n" +
                "  wrong_title:\n" + peer.replace("ORTHANC", "NOBODY") + "  closed:\n" + PEER.format(port=9) +
                "  web: {dicomweb: 'http://127.0.0.1:18042/dicom-web', connect_s: 3, message_s: 10}\n  wrong_web: {dicomweb: 'http://127.0.0.1:18042/nothing'}\n")

    def setUp(self):
        needs_orthanc(self)
        if type(self).pacs is None:
            type(self).pacs = self.made().start()

    def made(self):
        encrypted = {"UseDicomTls": True} if self.tls else {}
        return Orthanc(self.path("pacs"), modalities={"us": {**US, **encrypted}, "mover": {**MOVER, **encrypted}}, tls=self.tls)

    @classmethod
    def tearDownClass(cls):
        if cls.pacs:
            cls.pacs.stop()
        super().tearDownClass()

    def pacs_command(self, action, *arguments, profile="get", exit_code=0, code=None):
        done = run("pacs", action, *arguments, "--profile", profile, "--config", self.config)
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        if code:
            self.assertIn(f"[{code}", done.stderr)
        return done

    def with_phantoms(self):
        """Both phantoms are at the peer."""
        if len(self.pacs.rest("/instances")) < 40:
            self.send_phantoms()

    def send_phantoms(self, profile="get"):
        for name in self.sent:
            self.pacs_command("send", self.path(name, "ct"), "--allow-synthetic", profile=profile)

    def there_and_back(self, way):
        """Found, fetched, measured, sent and fetched again, all the same way: the objects and their numbers are those of the case."""
        study = self.uids["jpeg"][0]
        self.assertIn(study, [found["study_instance_uid"] for found in json.loads(self.pacs_command("find", "studies", "--json", profile=way).stdout)["studies"]])
        ct, result, back = (self.path(way + kind) for kind in ("-ct", "-result", "-back"))
        self.pacs_command("get", study, "--series", self.uids["jpeg"][1], "-o", ct, profile=way)
        series = json.loads(run("series", ct, "--json").stdout)["series"][0]
        x, y, z = (origin + spacing * (count - 1) / 2 for origin, spacing, count in zip(series["origin_lps_mm"], series["spacing_mm"], series["dimensions"]))
        with open(self.path(way + ".yaml"), "w", encoding="utf-8") as file:  # a case of its own: objects of its own
            file.write(f"case: P-{way}\ntimepoints: [{{id: a, ct: {ct}, new_lesions: none, reader: R1}}]\n"
                       f"lesions: [{{id: T1, timepoints: {{a: {{line: [[{x - 10}, {y}, {z}], [{x + 10}, {y}, {z}]]}}}}}}]\n")
        done = run("run", self.path(way + ".yaml"), "-o", result)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.pacs_command("send", result, exit_code=4, code="synthetic-patient", profile=way)
        ours = by_uid(glob.glob(os.path.join(result, "dicom", "*.dcm")))
        self.pacs_command("send", result, "--allow-synthetic", profile=way)
        self.get("jpeg", back, profile=way)
        theirs = dicom_below(back)
        self.assertGreaterEqual(set(theirs), set(ours))
        self.assertGreaterEqual({pydicom.dcmread(theirs[uid]).Modality for uid in ours}, {"SEG", "SR", "RTSTRUCT", "OT", "DOC"})
        for uid, path in ours.items():
            self.assertEqual(pydicom.dcmread(path), pydicom.dcmread(theirs[uid]), path)
        with open(os.path.join(result, "case.json"), encoding="utf-8") as file:
            recorded = json.load(file)["timepoints"][0]["lesions"][0]
        seg, sr = (next(uid for uid, path in ours.items() if path.endswith(kind)) for kind in ("a-seg.dcm", "a-sr.dcm"))
        measured = json.loads(run("measure", os.path.join(back, self.uids["jpeg"][1]), "--mask", theirs[seg], "--json").stdout)["lesions"][0]
        said = {v["name"]: v["value"] for mark in json.loads(run("marks", theirs[sr], "--json").stdout)["files"][0]["marks"] for v in mark["values"] if not v["qualifier"]}
        for key, name in (("long_axis_mm", "Long axis"), ("short_axis_mm", "Short axis"), ("volume_ml", "Volume")):
            self.assertEqual((measured[key]["value"], said[name]), (recorded[key]["value"], recorded[key]["value"]), key)

    def get(self, name, folder, profile="get", **expected):
        return self.pacs_command("get", self.uids[name][0], "-o", folder, profile=profile, **expected)


class Exchange(WithPacs):
    """Over DIMSE and DICOMweb alike."""

    def test_a_synthetic_patient_stays_at_home_unless_allowed(self):
        before = self.pacs.rest("/instances")
        done = self.pacs_command("send", self.path("jpeg", "ct"), exit_code=4, code="synthetic-patient")
        self.assertIn("20 of 20", done.stderr)
        self.assertEqual(self.pacs.rest("/instances"), before)

    def test_what_is_sent_is_there_and_what_is_fetched_is_what_was_sent(self):
        for way in ("get", "web", "move"):
            with self.subTest(way):
                if way != "move":
                    self.pacs.wipe()
                    self.pacs.start()
                    self.send_phantoms(way)
                self.assertEqual(len(self.pacs.rest("/instances")), 40)
                for name, files in self.sent.items():
                    folder = self.path(way, name)
                    self.get(name, folder, profile=way)
                    same_pixels(self, files, dicom_below(folder))
                    self.assertEqual(leftovers(folder), [])

    def test_get_again_fetches_nothing_and_a_lost_file_alone(self):
        self.with_phantoms()
        folder = self.path("again")
        self.get("jpeg", folder)
        for way in ("get", "web"):
            done = self.pacs_command("get", self.uids["jpeg"][0], "-o", folder, "--json", profile=way)
            self.assertEqual({k: json.loads(done.stdout)[k] for k in ("listed", "already", "received", "missing")}, {"listed": 20, "already": 20, "received": 0, "missing": []})
            lost = sorted(dicom_below(folder).values())[7]
            os.remove(lost)
            done = json.loads(self.pacs_command("get", self.uids["jpeg"][0], "--series", self.uids["jpeg"][1], "-o", folder, "--json", profile=way).stdout)
            self.assertEqual((done["already"], done["received"]), (19, 1))
            self.assertTrue(os.path.exists(lost))

    def test_find_lists_patients_studies_and_series_by_filter(self):
        self.pacs.wipe()
        self.pacs.start()
        self.send_phantoms()
        for way in ("get", "web"):
            with self.subTest(way):
                def found(level, *filters, way=way):
                    return json.loads(self.pacs_command("find", level, *filters, "--json", profile=way).stdout)[level]
                self.assertEqual([p["patient_name"] for p in found("patients", "--patient-name", "SYNTH*")], ["SYNTHETIC^RETROMASS"])
                self.assertEqual(found("patients", "--patient-name", "DOE*"), [])
                self.assertEqual({s["study_instance_uid"] for s in found("studies")}, {u[0] for u in self.uids.values()})
                self.assertEqual({s["study_date"] for s in found("studies", "--from", "2020-01-01", "--to", "2020-01-01")}, {"2020-01-01"})
                for nothing in (("--from", "2020-01-02"), ("--to", "2019-12-31"), ("--modality", "MR"), ("--patient-id", "nobody"), ("--accession", "1"), ("--description", "ABDOMEN*")):
                    self.assertEqual(found("studies", *nothing), [], nothing)
                series = found("series", "--study", self.uids["plain"][0])
                self.assertEqual([(s["series_instance_uid"], s["modality"], s["instances"]) for s in series], [(self.uids["plain"][1], "CT", 20)])
                self.assertEqual(len(found("series", "--description", "SYNTHETIC b?ll")), 2)
                self.assertEqual(found("series", "--modality", "SEG"), [])
        self.pacs_command("find", "patients", "--modality", "CT", exit_code=2, code="usage")
        table = self.pacs_command("find", "series").stdout
        self.assertEqual(len(table.strip().splitlines()), 3)

    def test_what_is_not_there_is_no_success(self):
        self.with_phantoms()
        for way in ("get", "web"):
            folder = self.path("never", way)
            self.pacs_command("get", "1.2.3.4", "-o", folder, profile=way, exit_code=4, code="not-at-peer")
            self.pacs_command("get", self.uids["jpeg"][0], "--series", "1.2.3.4", "-o", folder, profile=way, exit_code=4, code="not-at-peer")
            self.assertFalse(os.path.exists(folder))
        # C-GET is refused, and there is no port for C-MOVE.
        done = self.get("plain", self.path("never"), profile="only_get", exit_code=3, code="pacs-incomplete")
        self.assertEqual(done.stderr.count("  missing "), 20)
        self.pacs_command("get", "../../etc", "-o", self.path("never"), exit_code=2, code="usage")

    def test_whoever_is_not_known_is_told_so(self):
        self.pacs_command("find", "studies", profile="wrong_title", exit_code=4, code="peer-refused")
        self.pacs_command("find", "studies", profile="stranger", exit_code=4)
        self.pacs_command("find", "studies", profile="closed", exit_code=4, code="network")
        self.pacs_command("find", "studies", profile="wrong_web", exit_code=4, code="peer-refused")
        done = self.pacs_command("send", self.path("jpeg", "ct"), "--allow-synthetic", profile="closed", exit_code=4, code="network")
        self.assertNotIn("SYNTHETIC^", done.stderr)
        self.pacs_command("send", self.path("jpeg", "ct"), "--allow-synthetic", profile="stranger", exit_code=4)

    def test_a_peer_killed_in_the_middle_is_an_error_that_leaves_only_whole_files_and_resumes(self):
        name = self.path("many")
        done = run("phantom", name, "--shape", "ball", "--size", "40,40,40", "--grid", "128,128,60", "--uncompressed")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.pacs_command("send", os.path.join(name, "ct"), "--allow-synthetic")
        sent = by_uid(glob.glob(os.path.join(name, "ct", "*")))
        study = pydicom.dcmread(next(iter(sent.values())), stop_before_pixels=True).StudyInstanceUID
        for way in ("get", "web"):
            with self.subTest(way):
                folder = self.path("cut", way)
                ours = subprocess.Popen([PROGRAM, "pacs", "get", study, "-o", folder, "--profile", way, "--config", self.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                deadline = time.monotonic() + 30
                while len(glob.glob(os.path.join(folder, "*", "*.dcm"))) < 5 and time.monotonic() < deadline:
                    time.sleep(0.002)
                self.pacs.stop(signal.SIGKILL)
                _, said = ours.communicate(timeout=30)
                have = dicom_below(folder)
                self.assertLess(len(have), len(sent), "the peer was killed too late to prove anything")
                self.assertEqual(ours.returncode, 3, said)
                self.assertIn("[pacs-incomplete", said)
                self.assertIn("missing " + next(uid for uid in sorted(sent) if uid not in have), said)
                self.assertEqual(leftovers(folder), [])
                same_pixels(self, {uid: sent[uid] for uid in have}, have)
                self.pacs.start()
                done = json.loads(self.pacs_command("get", study, "-o", folder, "--json", profile=way).stdout)
                self.assertEqual((done["already"], done["received"]), (len(have), len(sent) - len(have)))
                same_pixels(self, sent, dicom_below(folder))

    def test_an_object_nobody_asked_for_is_refused_and_takes_no_other_along(self):
        self.with_phantoms()
        folder, (uid, path) = self.path("extra"), next(iter(self.sent["plain"].items()))
        with socket.create_server(("127.0.0.1", 11117)):  # here the peer waits for an answer, so that another may speak in its name
            ours = subprocess.Popen([PROGRAM, "pacs", "get", self.uids["plain"][0], "-o", folder, "--profile", "other_port", "--config", self.config], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            deadline = time.monotonic() + 20
            while not listens(11118) and time.monotonic() < deadline:
                time.sleep(0.01)
            with Peer(11118) as peer:
                self.assertEqual(peer.associate(calling="ORTHANC", called="RETROMOVE", syntax="1.2.840.10008.1.2.1"), ASSOCIATE_AC)
                self.assertEqual(peer.store("1.2.3.4", data_set(path)), 0xC000)
                self.assertEqual(peer.store(uid, data_set(path)), 0)
        _, said = ours.communicate(timeout=60)
        self.assertEqual((ours.returncode, leftovers(folder)), (3, []), said)
        self.assertIn("not asked for", said)
        same_pixels(self, {uid: path}, dicom_below(folder))

    def test_a_full_disk_is_reported_and_leaves_only_whole_files(self):
        self.with_phantoms()
        # Over DIMSE the toolkit waits for the rest of the object that did not fit: message_s.
        # Of several sizes of disk one ends within an object, one with the last bytes of it.
        for way, size in (("hasty", "100k"), ("hasty", "64k"), ("hasty_move", "64k"), ("web", "64k")):
            with self.subTest((way, size)):
                disk = self.path("disk", way + size)
                os.makedirs(disk)
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", disk], check=True)
                try:
                    done = self.get("plain", os.path.join(disk, "in"), profile=way, exit_code=3, code="pacs-incomplete")
                    self.assertRegex(done.stderr, "full|No space")
                    have = dicom_below(os.path.join(disk, "in"))
                    self.assertTrue(0 < len(have) < 20, len(have))
                    self.assertEqual(leftovers(disk), [])
                    same_pixels(self, {uid: self.sent["plain"][uid] for uid in have}, have)
                finally:
                    subprocess.run(["umount", disk], check=True)

    def test_a_dropped_association_is_opened_again_a_bounded_number_of_times(self):
        each = os.path.getsize(next(iter(self.sent["plain"].values())))
        front = Front(14299, 14242, cuts=[5 * each, 7 * each])
        try:
            done = json.loads(self.pacs_command("send", self.path("plain", "ct"), "--allow-synthetic", "--json", profile="dropping").stdout)
            self.assertEqual((done["sent"], done["failed"], front.cuts), (20, [], []))
            front.cuts = [5 * each] * 9
            said = self.pacs_command("send", self.path("plain", "ct"), "--allow-synthetic", "--json", profile="dropping", exit_code=3, code="pacs-incomplete").stdout
            done = json.loads(said)
            self.assertEqual(done["sent"] + len(done["failed"]), 20)
            self.assertEqual(len(front.cuts), 6, "three associations in all")
            self.assertTrue(all("broke off" in one["why"] for one in done["failed"]), done["failed"][:1])
        finally:
            front.stop()

    def test_a_peer_that_takes_one_encoding_gets_the_same_pixels_in_it_or_none(self):
        needs_program(self, "storescp")
        folder = self.path("implicit")
        os.makedirs(folder)
        peer = subprocess.Popen(["storescp", "+xi", "-od", folder, "-aet", "ORTHANC", "14299"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 20
            while run("pacs", "send", self.path("plain", "ct"), "--allow-synthetic", "--profile", "dropping", "--config", self.config).returncode and time.monotonic() < deadline:
                time.sleep(0.1)
            theirs = by_uid(glob.glob(os.path.join(folder, "*")))
            self.assertEqual(sorted(theirs), sorted(self.sent["plain"]))
            for uid, path in theirs.items():
                self.assertEqual(pixels(path), ("1.2.840.10008.1.2", pixels(self.sent["plain"][uid])[1]))
            done = self.pacs_command("send", self.path("jpeg", "ct"), "--allow-synthetic", profile="dropping", exit_code=4, code="peer-refused")
            self.assertIn("encodings", done.stderr)
            done = self.pacs_command("send", self.path("jpeg", "ct"), self.path("plain", "ct"), "--allow-synthetic", profile="dropping", exit_code=3, code="pacs-incomplete")
            self.assertEqual(done.stderr.count("in the encoding of the file (JPEG"), 20)
        finally:
            peer.terminate()
            peer.wait(20)

    def test_each_object_that_is_not_taken_is_named_with_its_reason(self):
        # Orthanc keeps what it has (OverwriteInstances false); what it cannot take at all is a class it does not know.
        strange = pydicom.dcmread(next(iter(self.sent["plain"].values())))
        strange.SOPClassUID = strange.file_meta.MediaStorageSOPClassUID = "1.2.3.4.5"
        strange.SOPInstanceUID = strange.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5.6"
        folder = self.path("mixed")
        os.makedirs(folder)
        strange.save_as(os.path.join(folder, "a.dcm"))
        known = pydicom.dcmread(next(iter(self.sent["plain"].values())))
        known.save_as(os.path.join(folder, "b.dcm"))
        with open(os.path.join(folder, "notes.txt"), "w", encoding="ascii") as file:
            file.write("no DICOM")
        done = self.pacs_command("send", folder, "--allow-synthetic", "--json", exit_code=3, code="pacs-incomplete")
        said = json.loads(done.stdout)
        self.assertEqual(said["sent"], 1)
        self.assertEqual([os.path.basename(f["file"]) for f in said["failed"]], ["a.dcm"])
        self.assertIn("1.2.3.4.5", said["failed"][0]["why"])
        self.assertEqual([os.path.basename(f) for f in said["set_aside"]], ["notes.txt"])


class Results(WithPacs):
    """What a case gives: segmentation, report, contours, pictures and PDF."""

    def test_of_a_fetched_study_go_to_the_peer_and_come_back_as_they_were(self):
        self.send_phantoms()
        for way in ("get", "move", "web"):
            with self.subTest(way):
                self.there_and_back(way)


class Tls(WithPacs):
    """The same over TLS; both sides show certificates over DIMSE."""

    @classmethod
    def setUpClass(cls):
        cls.keys = tempfile.mkdtemp(prefix="retromass-test-")
        cls.made_for, cls.stranger = certificates(cls.keys)
        cls.tls = cls.made_for["server"]
        cls.front = None
        super().setUpClass()

    def setUp(self):
        super().setUp()
        if type(self).front is None:
            type(self).front = TlsFront(18443, 18042, self.tls["certificate"], self.tls["key"])

    @classmethod
    def tearDownClass(cls):
        super().tearDownClass()
        if cls.front:
            cls.front.stop()
        shutil.rmtree(cls.keys, ignore_errors=True)

    @classmethod
    def profiles(cls):
        peer = PEER.format(port=14242)
        client = cls.made_for["client"]
        ours = f"key: {client['key']}, certificate: {client['certificate']}"
        web = "dicomweb: 'https://127.0.0.1:18443/dicom-web', connect_s: 3"
        return (f"  get:\n{peer}    tls: {{ca: {cls.keys}/ca.pem, {ours}}}\n  move:\n{peer}    calling_ae: RETROMOVE\n    move_port: 11117\n    tls: {{ca: {cls.keys}/ca.pem, {ours}}}\n"
                f"  other_ca:\n{peer}    tls: {{ca: {cls.stranger}, {ours}}}\n  unnamed:\n{peer.replace('127.0.0.1', 'localhost')}    tls: {{ca: {cls.keys}/ca.pem, {ours}}}\n"
                f"  no_key:\n{peer}    tls: {{ca: {cls.keys}/ca.pem}}\n  clear:\n{peer}  any:\n{peer}    tls: {{verify: false, {ours}}}\n"
                f"  web: {{{web}, tls: {{ca: {cls.keys}/ca.pem}}}}\n  web_other_ca: {{{web}, tls: {{ca: {cls.stranger}}}}}\n  web_system: {{{web}}}\n"
                f"  web_unnamed: {{{web.replace('127.0.0.1', 'localhost')}, tls: {{ca: {cls.keys}/ca.pem}}}}\n")

    def test_objects_travel_both_ways(self):
        self.send_phantoms("get")
        for way in ("get", "move", "web"):
            self.get("jpeg", self.path(way), profile=way)
            same_pixels(self, self.sent["jpeg"], dicom_below(self.path(way)))
        self.pacs_command("send", self.path("jpeg", "ct"), "--allow-synthetic", profile="web")

    def test_results_of_a_fetched_study_travel_both_ways(self):
        self.send_phantoms("get")
        for way in ("get", "web"):
            with self.subTest(way):
                self.there_and_back(way)

    def test_a_certificate_that_is_not_believed_ends_it(self):
        for way in ("other_ca", "unnamed", "no_key", "clear", "web_other_ca", "web_system", "web_unnamed"):
            with self.subTest(way):
                done = self.pacs_command("find", "studies", profile=way, exit_code=4, code="network")
                self.assertRegex(done.stderr, "certificate|TLS")
        self.assertIn("anyone may answer", self.pacs_command("find", "studies", profile="any").stderr)


if __name__ == "__main__":
    alone_on_the_network()
    unittest.main(verbosity=2)
