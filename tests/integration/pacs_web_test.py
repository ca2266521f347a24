#!/usr/bin/python3
"""Peers that lie, break off, fall silent or point elsewhere: refused in words, nothing kept that is not what was asked for."""
import glob
import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest

import pydicom

from program import PROGRAM, InScratch, run

BOUNDARY = "B"
MULTIPART = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'


class Peer(http.server.ThreadingHTTPServer):
    """A DICOMweb peer that answers as it is told: `answers` from the end of a path to (status, content type, body)."""
    daemon_threads = True

    def __init__(self):
        self.answers, self.asked = {}, []
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, query = self.path.partition("?")
        self.server.asked.append(self.path)
        for end, answer in self.server.answers.items():
            if path.endswith(end):
                if callable(answer):
                    return answer(self)
                later = "offset=" in query and "offset=0" not in query
                return self.give(204, answer[1], b"") if later else self.give(*answer)
        return self.give(404, "text/plain", b"no such thing")

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.give(*self.server.answers["POST"])

    def give(self, status, kind, body, headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def one(body):
    return b"--B\r\nContent-Type: application/dicom\r\n\r\n" + body + b"\r\n--B--\r\n"


class Lies(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = run("phantom", os.path.join(cls.scratch, "ball"), "--grid", "16,16,3", "--size", "5,5,2")
        assert done.returncode == 0, done.stderr
        cls.files = sorted(glob.glob(os.path.join(cls.scratch, "ball", "ct", "*")))
        headers = [pydicom.dcmread(f, stop_before_pixels=True) for f in cls.files]
        cls.study, cls.series = headers[0].StudyInstanceUID, headers[0].SeriesInstanceUID
        cls.uids = [str(h.SOPInstanceUID) for h in headers]
        cls.bytes = []
        for name in cls.files:
            with open(name, "rb") as file:
                cls.bytes.append(file.read())

    def setUp(self):
        self.peer = Peer()
        self.folder = self.path(self.id().rsplit(".", 1)[1])
        self.config = self.folder + ".yaml"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"profiles: {{web: {{dicomweb: 'http://127.0.0.1:{self.peer.server_port}/w', connect_s: 3, message_s: 3}}}}\n")
        self.lists([self.series], self.uids)

    def tearDown(self):
        self.peer.shutdown()
        self.peer.server_close()

    def lists(self, series, instances, counted=3):
        def answer(rows):
            return 200, "application/dicom+json", json.dumps(rows).encode()
        self.peer.answers["/series"] = answer([{"0020000E": {"vr": "UI", "Value": [s]}, "00201209": {"vr": "IS", "Value": [counted]}} for s in series])
        self.peer.answers["/instances"] = answer([{"00080018": {"vr": "UI", "Value": [i]}} for i in instances])

    def gives(self, answers):
        for uid, answer in zip(self.uids, answers):
            self.peer.answers["/instances/" + uid] = answer

    def get(self, exit_code, *words):
        done = run("pacs", "get", self.study, "-o", self.folder, "--config", self.config, timeout=60)
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        return sorted(os.path.relpath(f, self.folder) for f in glob.glob(os.path.join(self.folder, "**", "*"), recursive=True) + glob.glob(os.path.join(self.folder, "*", ".*")) if os.path.isfile(f))

    def whole(self, *which):
        return sorted(os.path.join(self.series, self.uids[i] + ".dcm") for i in which)

    def test_an_honest_peer_is_believed_so_that_the_refusals_below_mean_something(self):
        self.gives([(200, MULTIPART, one(b)) for b in self.bytes[:2]] + [(200, "application/dicom", self.bytes[2])])
        self.assertEqual(self.get(0), self.whole(0, 1, 2))
        for uid, expected in zip(self.uids, self.bytes):
            with open(os.path.join(self.folder, self.series, uid + ".dcm"), "rb") as file:
                self.assertEqual(file.read(), expected)

    def test_answers_that_are_cut_of_another_object_or_none_are_not_kept(self):
        self.gives([(200, MULTIPART, one(self.bytes[0])[:-7]), (200, MULTIPART, one(self.bytes[2])), (200, "text/html", b"<html>please log in</html>")])
        self.assertEqual(self.get(3, "ends early", "another object", "no boundary", "3 instances are missing"), [])

    def test_one_good_object_is_kept_beside_bad_ones(self):
        self.gives([(200, MULTIPART, one(self.bytes[0])), (200, MULTIPART, b"--B\r\n\r\n" + self.bytes[1] + b"\r\n" + one(self.bytes[1])), (200, MULTIPART, one(b"DICM" * 99))])
        self.assertEqual(self.get(3, "2 objects where one was asked for", "arrived damaged", "2 instances are missing"), self.whole(0))

    def test_a_connection_that_ends_within_an_object_keeps_nothing_of_it(self):
        def cut(handler):
            handler.send_response(200)
            handler.send_header("Content-Type", "application/dicom")
            handler.send_header("Content-Length", str(len(self.bytes[0])))
            handler.end_headers()
            handler.wfile.write(self.bytes[0][:-100])
            handler.close_connection = True
        self.gives([cut, cut, cut])
        self.assertEqual(self.get(3, "cannot be reached"), [])

    def test_an_identifier_that_would_leave_the_folder_is_refused(self):
        for series, instances in ((["../../escape"], self.uids), ([self.series], ["../../escape"]), ([self.series], ["/etc/passwd"]), ([self.series], [""])):
            self.lists(series, instances)
            self.get(4, "no UID")
        self.assertFalse(os.path.exists(self.path("escape")) or os.path.exists(self.path("..", "escape.dcm")))

    def test_a_peer_that_counts_more_than_it_lists_gave_not_everything(self):
        self.lists([self.series], self.uids, counted=5)
        self.gives([(200, MULTIPART, one(b)) for b in self.bytes])
        self.assertEqual(self.get(3, "counts 2 instances more than it lists", "2 instances are missing"), self.whole(0, 1, 2))

    def test_a_redirection_is_not_followed(self):
        other = Peer()
        self.peer.answers["/series"] = lambda handler: handler.give(302, "text/plain", b"", [("Location", f"http://127.0.0.1:{other.server_port}/w/studies")])
        self.get(4, "points to another address")
        self.assertEqual(other.asked, [])
        other.shutdown()
        other.server_close()

    def test_a_peer_that_falls_silent_is_given_up(self):
        self.gives([lambda handler: time.sleep(20)] * 3)
        start = time.monotonic()
        self.get(3, "cannot be reached")
        self.assertLess(time.monotonic() - start, 15, "message_s is 3")

    def test_ctrl_c_ends_it_soon_and_leaves_nothing_half_written(self):
        self.gives([lambda handler: time.sleep(20)] * 3)
        ours = subprocess.Popen([PROGRAM, "pacs", "get", self.study, "-o", self.folder, "--config", self.config], stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 20
        while not any("/instances/" in path for path in self.peer.asked) and time.monotonic() < deadline:
            time.sleep(0.01)
        start = time.monotonic()
        ours.send_signal(signal.SIGINT)
        _, said = ours.communicate(timeout=30)
        self.assertLess(time.monotonic() - start, 2.9, "message_s is 3: it was not the silence that ended it")
        self.assertEqual(ours.returncode, 4, said)
        self.assertIn("[cancelled", said)
        self.assertEqual([names for _, _, names in os.walk(self.folder) if names], [])

    def test_answers_are_looked_at_again_and_repeated_pages_end(self):
        rows = [{"00100020": {"vr": "LO", "Value": [i]}, "00100010": {"vr": "PN", "Value": [{"Alphabetic": n}]}, "0020000D": {"vr": "UI", "Value": [u]}}
                for i, n, u in (("1", "DOE^JANE", "1.2"), ("2", "ROE^RICHARD", "1.3"))]
        # The same page whatever the offset, and every patient whatever the name.
        self.peer.answers["/studies"] = lambda handler: handler.give(200, "application/dicom+json", json.dumps(rows).encode())
        done = run("pacs", "find", "studies", "--patient-name", "doe^*", "--json", "--config", self.config)
        self.assertEqual([s["study_instance_uid"] for s in json.loads(done.stdout)["studies"]], ["1.2"])
        self.assertIn("00100010=doe?*", self.peer.asked[0])
        self.assertEqual(len(self.peer.asked), 2)

    def test_nothing_is_sent_that_the_peer_does_not_say_it_stored(self):
        stored = {"00081199": {"vr": "SQ", "Value": [{}]}}
        refused = {"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0xA700]}}]}}
        for status, body, exit_code, words in ((200, json.dumps(stored), 0, ""), (200, "{}", 3, "does not say that it stored"), (200, "<html>", 3, "does not say that it stored"),
                                               (202, json.dumps(refused), 3, "out of resources (0xA700)"), (409, json.dumps(refused), 3, "0xA700"), (507, "", 3, "disk is full"), (401, "", 3, "not authorized")):
            self.peer.answers["POST"] = (status, "application/dicom+json", body.encode())
            done = run("pacs", "send", self.files[0], "--allow-synthetic", "--config", self.config)
            self.assertEqual(done.returncode, exit_code, done.stderr)
            self.assertIn(words, done.stderr)

    def test_a_secret_is_shown_to_the_peer_alone(self):
        secret = self.path("secret")
        with open(secret, "w", encoding="ascii") as file:
            file.write("hush-4711\n")
        os.chmod(secret, 0o600)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"profiles: {{web: {{dicomweb: 'http://127.0.0.1:{self.peer.server_port}/w', user: reader, secret: {{file: secret}}}}}}\n")
        seen = []

        def answer(handler):
            seen.append(handler.headers["Authorization"])
            handler.give(401, "text/plain", b"")
        self.peer.answers["/studies"] = answer
        done = run("pacs", "find", "studies", "--config", self.config)
        self.assertEqual(seen, ["Basic cmVhZGVyOmh1c2gtNDcxMQ=="])  # base64 of reader:hush-4711 (RFC 7617)
        self.assertEqual(done.returncode, 4)
        self.assertNotIn("hush", done.stdout + done.stderr)
        os.chmod(secret, 0o644)
        done = run("pacs", "find", "studies", "--config", self.config)
        self.assertIn("chmod 600", done.stderr)
        self.assertEqual(len(seen), 1)


class Silent(InScratch):
    """DIMSE peers that take the connection and then nothing, or nonsense."""

    def answer(self, said):
        """What `find` says of a peer that answers with these bytes and then waits."""
        listener = socket.create_server(("127.0.0.1", 0))
        kept = []

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.append(connection)
                connection.sendall(said)
        threading.Thread(target=serve, daemon=True).start()
        config = self.path("pacs.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"profiles: {{p: {{host: 127.0.0.1, port: {listener.getsockname()[1]}, called_ae: X, connect_s: 2, association_s: 2, message_s: 2}}}}\n")
        start = time.monotonic()
        done = run("pacs", "find", "studies", "--config", config, timeout=60)
        self.assertLess(time.monotonic() - start, 20)
        listener.close()
        for connection in kept:
            connection.close()
        return done

    def test_are_given_up_in_time_and_reported(self):
        # PDUs by PS3.8 9.3: an association accept that promises more than comes, an unknown type, a length of 4 GiB, plain text.
        for said in (b"", b"\x02\x00\x00\x00\x00\xff\x00\x01", b"\x99\x00\x00\x00\x00\x04abcd", b"\x02\x00\xff\xff\xff\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n"):
            with self.subTest(said):
                done = self.answer(said)
                self.assertEqual(done.returncode, 4, done.stderr)
                self.assertIn("[network", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
