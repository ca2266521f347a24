#!/usr/bin/python3
"""Ctrl-C: a long listing and a long run stop within a second and leave nothing behind; on a terminal they show how far they are."""
import os
import pty
import re
import signal
import subprocess
import tempfile
import time
import unittest

import pydicom
from program import PROGRAM, SLOWER, InScratch, run

LONG_ENOUGH_S = 1.5
TICKS = os.sysconf("SC_CLK_TCK")


class Interrupt(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = run("phantom", os.path.join(cls.scratch, "ball"), "--shape", "ball", "--size", "60,60,3", "--grid", "512,512,3", "--spacing", "0.7,0.7,1")
        if done.returncode:
            raise AssertionError(done.stderr)
        folder = os.path.join(cls.scratch, "ball", "ct")
        cls.images = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]

    def took(self, arguments):
        start = time.monotonic()
        done = run(*arguments, "--threads", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        return time.monotonic() - start

    def assert_stops(self, arguments, whole_s):
        """Interrupted early, in the middle and later, the program is gone within a second of its one thread's time:
        on an idle machine a second of the clock, on a busy one still a second of work."""
        before = set(os.listdir(self.scratch))
        interrupted = 0
        for part in (0.15, 0.3, 0.5):
            with tempfile.TemporaryFile("w+") as errors:
                process = subprocess.Popen([PROGRAM, *arguments, "--threads", "1"], stdout=subprocess.DEVNULL, stderr=errors)
                time.sleep(part * whole_s)
                with open(f"/proc/{process.pid}/stat", encoding="ascii", errors="replace") as stat:
                    fields = stat.read().rsplit(")", 1)[1].split()
                used = (int(fields[11]) + int(fields[12])) / TICKS
                os.kill(process.pid, signal.SIGINT)  # not send_signal, which would reap it if it is done
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                errors.seek(0)
                message = errors.read()
            self.assertEqual(set(os.listdir(self.scratch)) - before, set())
            if fields[0] == "Z" or process.returncode == 0:
                continue  # faster this time: it was done before
            interrupted += 1
            self.assertEqual(process.returncode, 4, message)
            self.assertIn("[cancelled", message)
            self.assertLess(usage.ru_utime + usage.ru_stime - used, SLOWER, f"interrupted at {part:.0%} of {whole_s:.1f} s")
        self.assertGreater(interrupted, 0, "never interrupted in time")

    def test_a_long_listing_stops_within_a_second(self):
        folder = self.path("many")
        os.makedirs(folder)
        for i, name in enumerate(self.images):
            os.link(name, os.path.join(folder, f"ct{i}"))  # so that a listing that came to its end ends with 0
        image = pydicom.dcmread(self.images[0])
        image.Modality, image.SOPClassUID = "MR", "1.2.840.10008.5.1.4.1.1.4"  # set aside by its header: the time goes into reading those
        count = 0
        whole_s = 0
        while whole_s < LONG_ENOUGH_S and count < 200_000:
            other = self.path(f"other{count}.dcm")  # a file has at most 65,000 links
            image.save_as(other)
            for _ in range(25_000):
                os.link(other, os.path.join(folder, f"image{count}"))
                count += 1
            whole_s = self.took(("series", folder))
        self.assert_stops(("series", folder), whole_s)

    def test_a_long_run_stops_within_a_second(self):
        folder = self.path("long")
        os.makedirs(folder)
        image = pydicom.dcmread(self.images[1])
        x, y, z = image.ImagePositionPatient
        for k in range(200):
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"1.2.9.{k + 1}"
            image.ImagePositionPatient = [x, y, z + k]
            image.save_as(os.path.join(folder, f"{k}.dcm"))
        case = self.path("long.yaml")
        with open(case, "w", encoding="utf-8") as file:
            file.write(f"case: P-1\ntimepoints: [{{id: a, ct: long}}]\nlesions: [{{id: T1, timepoints: {{a: {{line: [[{x + 160}, {y + 179}, {z + 100}], [{x + 198}, {y + 179}, {z + 100}]]}}}}}}]\n")
        whole_s = self.took(("run", case, "-o", self.path("whole")))
        self.assert_stops(("run", case, "-o", self.path("stopped")), whole_s)
        self.assert_shows_progress(("run", case, "-o", self.path("shown")))

    def assert_shows_progress(self, arguments):
        terminal, screen = pty.openpty()
        process = subprocess.Popen([PROGRAM, *arguments, "--threads", "1"], stdout=subprocess.DEVNULL, stderr=screen)
        os.close(screen)
        shown = b""
        while not re.search(rb"[a-z] \d+ %", shown):
            try:
                shown += os.read(terminal, 4096)
            except OSError:  # the program is gone, and with it the screen
                break
        process.send_signal(signal.SIGINT)
        process.wait()
        os.close(terminal)
        self.assertRegex(shown, rb"[a-z] \d+ %")


if __name__ == "__main__":
    unittest.main(verbosity=2)
