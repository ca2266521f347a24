#!/usr/bin/python3
"""The storage node among peers of every kind: decent ones lose nothing, others take nothing down."""
import concurrent.futures
import contextlib
import glob
import os
import shutil
import signal
import subprocess
import time
import unittest

import pydicom
from pydicom.uid import generate_uid

from dicom_peer import ABORT, ASSOCIATE_AC, ASSOCIATE_RJ, Peer, associate, element, fragment, pdu, store_command
from orthanc import alone_on_the_network, certificates
from program import InScratch, needs_program, run
from storage_node import Node, data_set

STOPS_WITHIN_S = 2.5  # a second for what runs to clean up, and what a busy machine takes


class Listen(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = run("phantom", os.path.join(cls.scratch, "ball"), "--shape", "ball", "--size", "30,30,30", "--grid", "64,64,24", "--spacing", "1,1,2", "--seed", "7")
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.ct = sorted(glob.glob(os.path.join(cls.scratch, "ball", "ct", "*")))
        cls.image = pydicom.dcmread(cls.ct[0])

    def setUp(self):
        for program in ("storescu", "echoscu", "dcmsend"):
            needs_program(self, program)

    def node(self, *options, **how):
        return Node(self.path(self.id().rsplit(".", 1)[1]), *options, **how)

    def raw(self, study="1.2.3", sop="1.2.3.4", size=64, **other):
        """A small object as implicit little endian bytes, and what to change in it."""
        uids = {"sop_class": "1.2.840.10008.5.1.4.1.1.2", "sop": sop, "study": study, "series": study + ".1", **other}
        pixels = element(0x7FE0, 0x10, bytes(size))
        return (element(8, 0x16, uids["sop_class"].encode()) + element(8, 0x18, uids["sop"].encode()) + element(0x20, 0xD, uids["study"].encode())
                + element(0x20, 0xE, uids["series"].encode()) + pixels)

    def another_study(self, name, count=4):
        """The first images of the phantom as a study of its own."""
        folder = self.path(name)
        os.makedirs(folder)
        study, series = generate_uid(), generate_uid()
        for i, path in enumerate(self.ct[:count]):
            image = pydicom.dcmread(path)
            image.StudyInstanceUID, image.SeriesInstanceUID = study, series
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            image.save_as(os.path.join(folder, f"{i}.dcm"))
        return study, sorted(glob.glob(os.path.join(folder, "*")))

    def answer_to_an_association(self, node):
        with Peer(node.port) as peer:
            return peer.associate()

    def eventually(self, value, wanted, seconds=10):
        until = time.monotonic() + seconds
        while (last := value()) != wanted and time.monotonic() < until:
            time.sleep(0.1)
        return last

    def assert_serves(self, node):
        self.assertEqual(node.client("echoscu").returncode, 0, node.log())

    def test_only_allowed_titles_are_served_and_by_default_none(self):
        with self.node(allow=()) as node:
            self.assertNotEqual(node.client("echoscu").returncode, 0)
            self.assertIn("no calling AE title is allowed", node.log())
        with self.node() as node:
            self.assert_serves(node)
            self.assertNotEqual(node.client("echoscu", calling="STRANGER").returncode, 0)
            with Peer(node.port) as peer:
                self.assertEqual(peer.associate(called="OTHER"), ASSOCIATE_RJ)
            node.wait_for("not allowed")
            node.wait_for("it called 'OTHER'")

    def test_objects_arrive_unchanged_once_and_a_different_one_is_kept_aside(self):
        with self.node() as node:
            self.assertEqual(node.client("dcmsend", *self.ct).returncode, 0, node.log())
            sent = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID: data_set(path) for path in self.ct}
            kept = {os.path.basename(path)[:-4]: data_set(os.path.join(node.spool, "objects", path)) for path in node.objects()}
            self.assertEqual(kept, sent)  # JPEG lossless, as it was
            self.assertEqual(node.client("storescu", "-xs", *self.ct).returncode, 0)
            node.wait_for(f"{len(self.ct)} there already")
            self.assertEqual(len(node.objects()), len(self.ct))
            changed = pydicom.dcmread(self.ct[3])
            changed.SeriesDescription = "changed"
            changed.save_as(self.path("changed.dcm"))
            for _ in range(2):  # the different one is kept once
                node.client("storescu", "-xs", self.path("changed.dcm"))
            node.wait_for("1 conflicting", count=2)
            aside = [path for path in node.objects() if "conflicting" in path]
            self.assertEqual(len(aside), 1)
            self.assertEqual(data_set(os.path.join(node.spool, "objects", aside[0])), data_set(self.path("changed.dcm")))
            self.assertEqual({name: data for name, data in kept.items()}, {name: data_set(glob.glob(os.path.join(node.spool, "objects", "*", "[0-9]*", name + ".dcm"))[0]) for name in kept})

    def test_the_log_holds_no_patient_and_no_uid(self):
        with self.node() as node:
            node.client("dcmsend", *self.ct)
            node.wait_for("complete with")
            for secret in (str(self.image.PatientName), self.image.PatientID, self.image.StudyInstanceUID):
                self.assertNotIn(secret, node.log())

    def test_a_peer_that_hangs_is_cut_off_wherever_it_stops(self):
        whole = associate()
        with self.node("--negotiation", 1, "--idle", 1) as node, contextlib.ExitStack() as stack:
            hanging = [stack.enter_context(Peer(node.port)) for _ in range(5)]
            hanging[1].send(whole[:3])
            hanging[2].send(whole[:-7])
            for peer in hanging[3:]:
                self.assertEqual(peer.associate(), ASSOCIATE_AC)
            hanging[4].send(fragment(store_command("1.2.3.4"), command=True), fragment(self.raw())[:40])
            for i, peer in enumerate(hanging):
                start = time.monotonic()
                while peer.answer()[0] is not None:
                    pass
                self.assertLess(time.monotonic() - start, 10, i)
            self.assert_serves(node)
            self.assertEqual((node.objects(), node.incoming()), ([], []))

    def test_a_drip_of_bytes_ends_with_the_life_of_an_association(self):
        with self.node("--association-time", 2, "--idle", 2) as node, Peer(node.port) as peer:
            self.assertEqual(peer.associate(), ASSOCIATE_AC)
            start = time.monotonic()
            with self.assertRaises(OSError):
                for byte in fragment(self.raw(size=1000)):
                    peer.send(bytes([byte]))
                    time.sleep(0.2)
            self.assertLess(time.monotonic() - start, 8)
            node.wait_for("out of time")
            self.assert_serves(node)

    def test_what_is_dropped_or_damaged_is_neither_kept_nor_acknowledged(self):
        whole = self.raw()
        with self.node("--idle", 3) as node:
            with Peer(node.port) as peer:
                peer.associate()
                peer.send(fragment(store_command("1.2.3.4"), command=True), fragment(whole[:100], last=False))
            for name, data in (("an element longer than the object", whole[:-64] ), ("a length that lies", whole[:-68] + b"\xff\xff\xff\x7f" + bytes(64)), ("noise", bytes(range(256)) * 4), ("nothing", b"")):
                with Peer(node.port) as peer:
                    self.assertEqual(peer.associate(), ASSOCIATE_AC)
                    status = peer.store("1.2.3.4", data)
                    self.assertTrue(status is None or status >= 0xA000, (name, status))
            for name, wrong in (("another object", {"sop": "1.2.3.5"}), ("another class", {"sop_class": "1.2.840.10008.5.1.4.1.1.4"}), ("a way out", {"study": "../../../x"}), ("no study", {"study": ""}),
                                ("dots", {"series": ".."}), ("a long one", {"study": "1." * 40 + "1"})):
                with Peer(node.port) as peer:
                    peer.associate()
                    self.assertGreaterEqual(peer.store("1.2.3.4", self.raw(**wrong)) or 0, 0xA000, name)
            for noise in (b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 64, pdu(1, b""), b"\1\0\xff\xff\xff\xf0" + bytes(1000), pdu(4, bytes(20)), associate() + b"\4\0\xff\xff\xff\xf0" + bytes(100000)):
                with Peer(node.port) as peer, contextlib.suppress(OSError):
                    peer.send(noise)
                    peer.answer()
            self.assert_serves(node)
            self.assertEqual(node.objects(), [])
            with Peer(node.port) as peer:
                peer.associate()
                self.assertEqual([peer.store("1.2.3.4", whole), peer.store("1.2.3.4", whole), peer.store("1.2.3.4", self.raw(size=66))], [0, 0, 0x0111])  # duplicate SOP instance: PS3.7 C
            self.assertEqual(node.objects(), ["1.2.3/1.2.3.1/1.2.3.4.dcm", "1.2.3/conflicting/1.2.3.4-1.dcm"])
            node.wait_for("complete with 1 object")  # what lies in conflict completes nothing
            self.assertEqual(node.incoming(), [])

    def test_a_flood_of_connections_does_not_keep_others_out(self):
        with self.node("--negotiation", 60) as node, contextlib.ExitStack() as stack:
            for _ in range(150):
                stack.enter_context(Peer(node.port))
            start = time.monotonic()
            self.assertEqual(node.client("dcmsend", *self.ct).returncode, 0, node.log())
            self.assertLess(time.monotonic() - start, 30)  # not the 60 s after which the silent ones go by themselves
            self.assertEqual(len(node.objects()), len(self.ct))

    def test_associations_are_bounded_and_the_one_too_many_is_told(self):
        with self.node("--associations", 2) as node, Peer(node.port) as first, Peer(node.port) as second, Peer(node.port) as third:
            self.assertEqual([first.associate(), second.associate()], [ASSOCIATE_AC, ASSOCIATE_AC])
            third.send(associate())
            kind, body = third.answer()
            self.assertEqual((kind, body[1:]), (ASSOCIATE_RJ, bytes([2, 3, 2])))  # transient, presentation, local limit exceeded: PS3.8 9.3.4
            first.send(pdu(ABORT, bytes(4)))
            self.assertEqual(self.eventually(lambda: self.answer_to_an_association(node), ASSOCIATE_AC), ASSOCIATE_AC)

    def test_several_peers_at_once(self):
        studies = [self.another_study(f"peer{i}") for i in range(4)]
        with self.node() as node, concurrent.futures.ThreadPoolExecutor(4) as pool:
            sent = list(pool.map(lambda study: node.client("dcmsend", *study[1]).returncode, studies))
            self.assertEqual(sent, [0] * 4, node.log())
            self.assertEqual({path.split("/")[0] for path in node.objects()}, {study for study, _ in studies})
            node.wait_for("complete with 4 objects", count=4)

    def test_no_room_is_said_to_the_peer_and_outlived(self):
        large = self.raw(size=3_000_000)
        for name, options, keep_free in (("object", ("--largest-object", "2MB"), 0), ("quota", ("--quota", "2MB"), 0), ("disk", (), "1000TB")):
            with Node(self.path("room-" + name), *options, keep_free=keep_free) as node:
                for _ in range(2):  # one association goes on after the refusal
                    with Peer(node.port) as peer:
                        self.assertEqual(peer.associate(), ASSOCIATE_AC)
                        self.assertEqual(peer.store("1.2.3.4", large), 0xA700, name)
                        if name == "object":
                            self.assertEqual(peer.store("1.2.3.4", self.raw()), 0)
                node.wait_for("no room for it")
                self.assertEqual(node.incoming(), [])
                self.assertEqual(len(node.objects()), 1 if name == "object" else 0)

    def test_a_full_disk_is_said_to_the_peer_and_outlived(self):
        disk = self.path("disk")
        os.makedirs(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True, check=False).returncode:
            self.skipTest("a small disk cannot be mounted here; quota and bounds are tested without")
        try:
            with self.node(keep_free=0, spool=os.path.join(disk, "spool")) as node:
                statuses = []
                with Peer(node.port) as peer:
                    peer.associate()
                    statuses = [peer.store(f"1.2.3.{i}", self.raw(sop=f"1.2.3.{i}", size=1_500_000)) for i in range(1, 6)]
                    self.assertEqual(statuses, [0, 0, 0xA700, 0xA700, 0xA700])
                    os.remove(os.path.join(node.spool, "objects", "1.2.3", "1.2.3.1", "1.2.3.1.dcm"))
                    self.assertEqual(peer.store("1.2.3.9", self.raw(sop="1.2.3.9", size=1_500_000)), 0)
                self.assertEqual(len(node.objects()), 2)
                self.assert_serves(node)
        finally:
            subprocess.run(["umount", "-l", disk], check=False)

    def test_a_node_told_to_stop_is_gone_at_once_and_leaves_nothing_half_written(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.node() as node, Peer(node.port) as peer:
                peer.associate()
                self.assertEqual(peer.store("1.2.3.4", self.raw()), 0)
                peer.send(fragment(store_command("1.2.3.5"), command=True), fragment(self.raw(sop="1.2.3.5")[:90], last=False))
                time.sleep(0.3)
                code, took = node.stop(how)
                self.assertEqual(code, 0, node.log())
                self.assertLess(took, STOPS_WITHIN_S)
                self.assertEqual((node.objects(), node.incoming()), (["1.2.3/1.2.3.1/1.2.3.4.dcm"], []))

    def test_a_killed_node_keeps_what_it_acknowledged_and_takes_it_up_again(self):
        with self.node(quiet=60) as node:
            self.assertEqual(node.client("dcmsend", *self.ct).returncode, 0)
            with Peer(node.port) as peer:
                peer.associate()
                peer.send(fragment(store_command("1.2.3.5"), command=True), fragment(self.raw(sop="1.2.3.5")[:90], last=False))
                time.sleep(0.3)
                node.process.kill()
                node.process.wait()
                while peer.answer()[0] is not None:  # its processes went with it
                    pass
        with self.node() as node:
            node.wait_for("1 studies received before are taken up")
            node.wait_for(f"complete with {len(self.ct)} objects")
            for _ in range(100):  # the log is written before the last folder goes
                if not node.incoming():
                    break
                time.sleep(0.1)
            self.assertEqual(node.incoming(), [])

    def test_over_tls_only_peers_with_a_trusted_certificate_are_served(self):
        needs_program(self, "openssl")
        (of, _), (other, _) = certificates(self.path("tls")), certificates(self.path("other-tls"))
        ours, client, others = of["server"], of["client"], other["client"]
        tls = ("--tls-key", ours["key"], "--tls-certificate", ours["certificate"], "--tls-trust", ours["ca"])
        with self.node(*tls) as node:
            with_ours = ("+tls", client["key"], client["certificate"], "+cf", client["ca"])
            self.assertEqual(node.client("storescu", *with_ours, "-xs", *self.ct).returncode, 0, node.log())
            self.assertEqual(len(node.objects()), len(self.ct))
            self.assertNotEqual(node.client("echoscu").returncode, 0)  # not encrypted
            self.assertNotEqual(node.client("echoscu", "+tls", others["key"], others["certificate"], "-ic").returncode, 0)
            node.wait_for("its certificate is not trusted", count=2)
        done = run("pacs", "listen", "--spool", self.path("tls-spool"), "-o", self.path("tls-out"), "--port", 1, "--tls-key", others["key"], "--tls-certificate", ours["certificate"])
        self.assertEqual(done.returncode, 4)
        self.assertIn("does not belong to", done.stderr)

    def test_two_nodes_do_not_share_a_spool(self):
        with self.node() as node:
            other = run("pacs", "listen", "--spool", node.spool, "-o", node.out, "--port", 1)
            self.assertEqual(other.returncode, 4)
            self.assertIn("in use by another node", other.stderr)
            busy = run("pacs", "listen", "--spool", self.path("other-spool"), "-o", node.out, "--port", node.port)
            self.assertEqual(busy.returncode, 4)
            self.assertIn("cannot listen", busy.stderr)


if __name__ == "__main__":
    alone_on_the_network()
    unittest.main(verbosity=2)
