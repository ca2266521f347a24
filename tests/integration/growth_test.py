#!/usr/bin/python3
"""What runs for days holds no more memory and no more handles after many cases than after few: the runner of a batch, and the storage node.

RETROMASS_GROWTH_CASES says how many (a sample by default; `make soak` takes 200).
"""
import glob
import os
import subprocess
import sys
import threading
import time
import unittest

import pydicom
from pydicom.uid import generate_uid

from orthanc import alone_on_the_network
from program import InScratch, PROGRAM, needs_memory_as_users_have_it, needs_program, run
from storage_node import Node

CASES = int(os.environ.get("RETROMASS_GROWTH_CASES", "12"))
KB_A_CASE = 5  # a case's row in the runner's table is a few hundred bytes; the rest is for pages the allocator keeps
SLACK_KB = 1024  # such pages again, of which there are some at any time
HANDLES = 2  # two workers or two associations that overlapped in one half and not in the other
STUDY_SLICES = 6


class Watch:
    """Memory (KiB) and open handles of a process, seen every 50 ms from its start to its end."""

    def __init__(self, process):
        self.seen, self.process, self.over = [], process, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.over.wait(0.05):
            try:
                with open(f"/proc/{self.process}/statm", encoding="ascii") as file:
                    kb = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
                self.seen.append((kb, len(os.listdir(f"/proc/{self.process}/fd"))))
            except (OSError, IndexError):
                pass  # it has ended

    def stop(self):
        self.over.set()
        self.thread.join()
        return [(kb, handles) for kb, handles in self.seen if kb > 0]


def growth(seen, cases):
    """What is wrong; empty where nothing grew. The first eighth is warming up; the rest of the first half is held against the second half."""
    early, late = seen[len(seen) // 8:len(seen) // 2], seen[len(seen) // 2:]
    if min(len(early), len(late)) < 5:
        return [f"seen {len(seen)} times: too few"]
    out = []
    kb = [max(kb for kb, _ in part) for part in (early, late)]
    if kb[1] > kb[0] + SLACK_KB + KB_A_CASE * cases / 2:
        out.append(f"memory grew from {kb[0]} to {kb[1]} KiB over {cases // 2} cases")
    handles = [max(handles for _, handles in part) for part in (early, late)]
    if handles[1] > handles[0] + HANDLES:
        out.append(f"handles grew from {handles[0]} to {handles[1]}")
    return out


class Growth(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = run("phantom", os.path.join(cls.scratch, "ball"), "--shape", "ball", "--size", "16,16,16", "--grid", "32,32,16", "--spacing", "1,1,2")
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.images = sorted((pydicom.dcmread(file) for file in glob.glob(os.path.join(cls.scratch, "ball", "ct", "*"))), key=lambda image: float(image.ImagePositionPatient[2]))

    def study(self, folder, n, slices):
        """The ball as a patient and study of its own, and the UID of its middle image."""
        os.makedirs(folder, exist_ok=True)
        study, series, frame = generate_uid(), generate_uid(), generate_uid()
        for i, image in enumerate(self.images[:slices]):
            image.PatientID, image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID = f"ZEBRA-{n}", study, series, frame
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
            image.save_as(os.path.join(folder, f"{n:04d}-{i:02d}.dcm"))
            if i == len(self.images) // 2:
                middle = str(image.SOPInstanceUID)
        return middle if slices == len(self.images) else None

    def test_the_judge_sees_a_leak(self):
        steady = [(9000 + i % 7, 12 + i % 2) for i in range(400)]
        self.assertEqual(growth(steady, 200), [])
        self.assertEqual(len(growth([(kb + i * 8, handles) for i, (kb, handles) in enumerate(steady)], 200)), 1)  # 16 KiB a case
        self.assertEqual(len(growth([(kb, handles + i // 50) for i, (kb, handles) in enumerate(steady)], 200)), 1)  # one in 25 cases
        self.assertEqual(len(growth(steady[:8], 200)), 1)
        leak = subprocess.Popen([sys.executable, "-c", "import time\nkept = []\nfor _ in range(40):\n    kept.append((open('/dev/null'), bytearray(200000)))\n    time.sleep(0.05)"])
        watch = Watch(leak.pid)
        leak.wait()
        self.assertEqual(len(growth(watch.stop(), 40)), 2)

    def test_the_runner_of_a_batch(self):
        needs_memory_as_users_have_it(self)
        rows = ["sop_instance_uid,x1,y1,x2,y2,lesion"]
        for n in range(CASES):
            rows.append(f"{self.study(self.path('archive'), n, len(self.images))},8,16,24,16,T1")
        lines = self.path("lines.csv")
        with open(lines, "w", encoding="ascii") as file:
            file.write("\n".join(rows) + "\n")
        plan = self.path("plan")
        done = run("batch", "plan", self.path("archive"), "-o", plan, "--marks", lines)
        self.assertEqual(done.returncode, 0, done.stderr)
        runner = subprocess.Popen([PROGRAM, "batch", "run", plan, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        watch = Watch(runner.pid)
        self.assertEqual(runner.wait(), 0)
        seen = watch.stop()
        self.assertEqual(growth(seen, CASES), [])
        print(f"growth, runner, {CASES} cases: {seen[len(seen) // 8]} KiB and handles after an eighth, {seen[-2]} at the end")

    def test_the_storage_node(self):
        needs_program(self, "dcmsend")
        for n in range(CASES):
            self.study(self.path(f"send-{n}"), n, STUDY_SLICES)
        with Node(self.path("node"), quiet=1) as node:
            watch = Watch(node.process.pid)
            for n in range(CASES):
                sent = node.client("dcmsend", "+sd", self.path(f"send-{n}"))
                self.assertEqual(sent.returncode, 0, sent.stdout + sent.stderr)
                time.sleep(0.1)
            seen = watch.stop()
            self.assertEqual(len(node.objects()), CASES * STUDY_SLICES)
        self.assertEqual(growth(seen, CASES), [])
        print(f"growth, storage node, {CASES} studies: {seen[len(seen) // 8]} KiB and handles after an eighth, {seen[-2]} at the end")


if __name__ == "__main__":
    alone_on_the_network()
    unittest.main(verbosity=2)
