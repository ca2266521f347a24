"""What a machine does to a batch: power cuts, full and read-only disks, files that vanish, too little memory, damaged results."""
import glob
import hashlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time
import unittest

import numpy
import pydicom

from balls_archive import Archive
from batch_workers import Held, hold
from program import InScratch, PROGRAM, content, needs_memory_as_users_have_it, read_json, run, run_json


def contents(folder):
    """Every file below it, by name."""
    return {os.path.relpath(os.path.join(where, name), folder): content(os.path.join(where, name)) for where, _, names in os.walk(folder) for name in names}


def states(plan):
    return {c["case"]: c for c in run_json("batch", "status", plan, "--json")["cases"]}


def flip(path, at):
    """Another byte in its place, the size the same."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


class Faults(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = Archive(cls.scratch, (40, 24, 32))

    def plan(self, folder):
        return self.plan_of(self.made.folder, folder)

    def plan_of(self, archive, folder):
        done = run("batch", "plan", archive, "-o", folder, "--marks", self.made.lines)
        self.assertEqual(done.returncode, 0, done.stderr)
        return folder

    def disk(self, name, size):
        """A small disk of its own."""
        folder = self.path(name)
        os.makedirs(folder)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", folder], check=True)
        return folder

    def test_a_finished_name_stands_for_files_that_are_on_the_disk(self):
        plan = self.plan(self.path("power"))
        ledger = self.path("ledger")
        done = subprocess.run([PROGRAM, "batch", "run", plan, "--only", "P-00001"], capture_output=True, text=True, timeout=300,
                              env={**os.environ, "LD_PRELOAD": os.environ["RETROMASS_DISK_LEDGER_LIBRARY"], "RETROMASS_DISK_LEDGER": ledger, "ASAN_OPTIONS": "verify_asan_link_order=0"})
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(ledger, encoding="utf-8") as file:
            events = [line.rstrip("\n").split("\t") for line in file]
        result, state = os.path.join(plan, "results", "P-00001"), os.path.join(plan, "state", "P-00001.json")
        for final in (result, state):
            at = next(i for i, event in enumerate(events) if event[0] == "rename" and event[2] == final)
            temporary = events[at][1]
            synced = {event[1] for event in events[:at] if event[0] == "fsync"}
            if final == state:
                self.assertIn(temporary, synced)
            else:
                wanted = {temporary}
                for folder, folders, files in os.walk(result):
                    wanted |= {os.path.join(folder, name).replace(result, temporary) for name in folders + files}
                self.assertGreater(len(wanted), 20)
                self.assertEqual(wanted - synced, set())
            self.assertIn(["fsync", os.path.dirname(final)], events[at:], "the new name itself")

    def test_a_runner_killed_when_the_result_was_there_loses_nothing(self):
        plan = self.plan(self.path("late"))
        only = ("batch", "run", plan, "--only", "P-00002")
        self.assertEqual(run(*only).returncode, 0)
        result, state_file = os.path.join(plan, "results", "P-00002"), os.path.join(plan, "state", "P-00002.json")
        made = os.stat(result).st_ino
        log = [line for line in content(os.path.join(result, "events.jsonl")).decode().splitlines() if '"event":"case-written"' in line]
        ended = read_json(state_file)

        def killed(before):
            with open(state_file, "w", encoding="utf-8") as file:
                json.dump({"schema": ended["schema"], "case": "P-00002", "state": "begun", "attempts": 1, "key": ended["key"], "before": before}, file)
            worker = content(os.path.join(plan, "state", "P-00002.lock")).split()[-1].decode()
            left = os.path.join(plan, "results", "P-00002.partial-" + worker)
            os.makedirs(left, exist_ok=True)
            said = states(plan)["P-00002"]["state"]
            self.assertEqual(run(*only).returncode, 0)
            self.assertFalse(os.path.exists(left))
            self.assertEqual((read_json(state_file)["state"], states(plan)["P-00002"]["state"]), ("done", "done"))
            return said, os.stat(result).st_ino == made

        self.assertEqual(killed(""), ("done", True), "nothing was there before: the run came to its end")
        # What is there is of an earlier run: this one never came to its end.
        self.assertEqual(killed(hashlib.sha256(log[-1].encode()).hexdigest()), ("outdated", False))

    def test_what_lies_beside_a_result_that_somebody_works_on_is_left_alone(self):
        plan = self.plan(self.path("by-hand"))
        only = ("batch", "run", plan, "--only", "P-00002")
        self.assertEqual(run(*only).returncode, 0)
        result = os.path.join(plan, "results", "P-00002")
        with open(os.path.join(plan, "cases", "P-00002.yaml"), "a", encoding="utf-8") as file:
            file.write("# looked at\n")
        worker = content(os.path.join(plan, "state", "P-00002.lock")).split()[-1].decode()
        left = result + ".partial-" + worker  # a process of the same number, in another container
        os.makedirs(left)
        with open(result + ".lock", "w", encoding="utf-8") as file:
            json.dump({"host": socket.gethostname(), "pid": os.getpid(), "work": "run", "user": "somebody", "reader": "", "since": "2026-01-01T00:00:00Z"}, file)
        self.assertEqual(run(*only).returncode, 3)
        self.assertEqual((states(plan)["P-00002"]["state"], states(plan)["P-00002"]["code"]), ("failed", "io"))
        self.assertTrue(os.path.isdir(left) and os.path.exists(result + ".lock"))
        os.remove(result + ".lock")
        self.assertEqual(run("batch", "resume", plan, "--jobs", 2).returncode, 0)
        self.assertEqual(states(plan)["P-00002"]["state"], "done")

    def test_a_worker_killed_between_its_two_renames_has_made_nothing(self):
        plan = self.plan(self.path("between"))
        only = ("batch", "run", plan, "--only", "P-00002")
        self.assertEqual(run(*only).returncode, 0)
        result, case_file = os.path.join(plan, "results", "P-00002"), os.path.join(plan, "cases", "P-00002.yaml")
        before = content(os.path.join(result, "events.jsonl"))
        with open(case_file, "a", encoding="utf-8") as file:
            file.write("# looked at\n")
        self.assertEqual(states(plan)["P-00002"]["state"], "outdated")
        done = subprocess.run([PROGRAM, *only], capture_output=True, text=True, timeout=300,
                              env={**os.environ, "LD_PRELOAD": os.environ["RETROMASS_DISK_LEDGER_LIBRARY"], "RETROMASS_DISK_KILL": "P-00002.replaced-", "ASAN_OPTIONS": "verify_asan_link_order=0"})
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertEqual(content(os.path.join(result, "events.jsonl")), before, "the old result is put back")
        self.assertEqual(states(plan)["P-00002"]["state"], "failed")  # and is not taken for one of the new input
        self.assertEqual(run("batch", "resume", plan, "--jobs", 2).returncode, 0)
        self.assertEqual(states(plan)["P-00002"]["state"], "done")
        self.assertNotEqual(content(os.path.join(result, "events.jsonl")), before)

    def test_a_plan_killed_again_and_again_becomes_the_plan_of_an_undisturbed_run(self):
        undisturbed, plan = self.plan(self.path("undisturbed")), self.path("disturbed")

        def files_of(folder):
            places = [folder, os.path.join(folder, "cases")]
            return {os.path.relpath(file, folder): content(file) for place in places for file in glob.glob(os.path.join(place, "*")) if os.path.isfile(file)}

        whole = files_of(undisturbed)
        self.assertEqual(len(whole), 1 + 3 * 3)  # the plan; a case's file, its list of images and its lines
        there = 0
        for last in ("plan.json", "P-00001.files-", "P-00001.yaml", "P-00002.lines-1", "P-00003.files-", "P-00003.yaml"):
            done = subprocess.run([PROGRAM, "batch", "plan", self.made.folder, "-o", plan, "--marks", self.made.lines], capture_output=True, text=True, timeout=300,
                                  env={**os.environ, "LD_PRELOAD": os.environ["RETROMASS_DISK_LEDGER_LIBRARY"], "RETROMASS_DISK_KILL": last, "ASAN_OPTIONS": "verify_asan_link_order=0"})
            self.assertEqual(done.returncode, -signal.SIGKILL, last + done.stdout + done.stderr)
            part = files_of(plan)
            self.assertGreater(len(part), there, last)
            there = len(part)
            self.assertEqual({name: text for name, text in part.items() if name != "plan.json" and text != whole[name]}, {}, last)  # no half file has its name
            self.assertEqual(states(plan), {}, last)  # and no half plan is taken for the whole
        self.plan(plan)
        self.assertEqual(files_of(plan), whole)

    def test_a_plan_killed_before_its_list_and_a_new_delivery_mix_up_no_patients(self):
        archive = self.path("deliveries")
        os.makedirs(archive)
        for name in os.listdir(self.made.folder):
            if name.endswith(("-0.dcm", "-1.dcm")):
                os.link(os.path.join(self.made.folder, name), os.path.join(archive, name))
        plan = self.path("mixed")
        os.makedirs(plan)
        open(os.path.join(plan, "plan.json.unfinished-4194999"), "w", encoding="ascii").close()  # killed while it wrote its first list; no process has such a number
        killed = subprocess.run([PROGRAM, "batch", "plan", archive, "-o", plan, "--marks", self.made.lines], capture_output=True, text=True, timeout=300,
                                env={**os.environ, "LD_PRELOAD": os.environ["RETROMASS_DISK_LEDGER_LIBRARY"], "RETROMASS_DISK_KILL": "P-00001.yaml", "ASAN_OPTIONS": "verify_asan_link_order=0"})
        self.assertEqual(killed.returncode, -signal.SIGKILL, killed.stdout + killed.stderr)
        open(os.path.join(plan, "cases", "P-00001.yaml.unfinished-4194999"), "w", encoding="ascii").close()
        open(os.path.join(plan, "cases", f"P-00001.yaml.unfinished-{os.getpid()}"), "w", encoding="ascii").close()
        for name in os.listdir(self.made.folder):  # a patient that comes before the others
            if name.endswith("-2.dcm"):
                image = pydicom.dcmread(os.path.join(self.made.folder, name))
                image.StudyInstanceUID = "1." + image.StudyInstanceUID[2:]
                image.save_as(os.path.join(archive, name))
        for name in os.listdir(os.path.join(plan, "cases")):
            if ".unfinished-" in name:
                os.utime(os.path.join(plan, "cases", name), (0, 0))
        os.utime(os.path.join(plan, "plan.json.unfinished-4194999"), (0, 0))
        self.plan_of(archive, plan)
        for planned in read_json(os.path.join(plan, "plan.json"))["cases"]:
            with open(os.path.join(plan, "cases", planned["id"] + ".yaml"), encoding="utf-8") as file:
                (listed,) = re.findall('files: "(.*)"', file.read())
            with open(os.path.join(plan, "cases", listed), encoding="utf-8") as file:
                studies = {str(pydicom.dcmread(os.path.join(plan, "cases", line.strip()), stop_before_pixels=True).StudyInstanceUID) for line in file}
            self.assertEqual(studies, set(planned["studies"]), planned["id"])
        left = [name for folder in (plan, os.path.join(plan, "cases")) for name in os.listdir(folder) if ".unfinished-" in name]
        self.assertEqual(left, [f"P-00001.yaml.unfinished-{os.getpid()}"])

    def test_a_full_disk_is_a_failure_with_its_reason_and_resume_goes_on(self):
        # Case folders of 7 MB, for each of which 50 MB have to be free: two find them, the third does not.
        disk = self.disk("full", "58m")
        plan = self.plan(os.path.join(disk, "plan"))
        done = run("batch", "run", plan)
        self.assertIn(done.returncode, (3, 4), done.stdout + done.stderr)
        after = states(plan)
        self.assertEqual([c["code"] for c in after.values() if c["state"] == "failed"][:1], ["disk-space"], after)
        self.assertEqual([name for name in os.listdir(os.path.join(plan, "results")) if "." in name], [])
        whole = [case for case, c in after.items() if c["state"] == "done"]
        self.assertGreaterEqual(len(whole), 1)
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        again = run("batch", "resume", plan)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual({c["state"] for c in states(plan).values()}, {"done"})

    def test_a_read_only_disk_is_said_and_costs_nothing(self):
        disk = self.disk("read-only", "100m")
        plan = self.plan(os.path.join(disk, "plan"))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = run("batch", "run", plan)
        self.assertEqual(done.returncode, 4)
        self.assertIn("Read-only file system", done.stderr)
        self.assertEqual({c["state"] for c in states(plan).values()}, {"pending"})  # what can be read still is
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        self.assertIn("3 done, 0 refused, 0 failed", run("batch", "run", plan).stdout)

    def test_a_case_depends_on_its_own_files_even_in_one_flat_folder(self):
        plan = self.plan(self.path("own"))
        self.assertEqual(run("batch", "run", plan, "--jobs", 2).returncode, 0)
        first = read_json(os.path.join(plan, "plan.json"))["cases"][0]
        own = sorted(file for file in glob.glob(os.path.join(self.made.folder, "*.dcm")) if pydicom.dcmread(file, stop_before_pixels=True).StudyInstanceUID == first["studies"][0])
        self.assertEqual(len(own), 48)
        gone = own[20]
        os.rename(gone, self.path("kept.dcm"))
        try:
            self.assertEqual({case: c["state"] for case, c in states(plan).items()}, {"P-00001": "outdated", "P-00002": "done", "P-00003": "done"})
            done = run("batch", "run", plan)
            self.assertEqual(done.returncode, 3)
            after = states(plan)
            self.assertEqual((after["P-00001"]["state"], after["P-00001"]["code"]), ("failed", "io"))
            self.assertIn(os.path.basename(gone), after["P-00001"]["reason"])
        finally:
            os.rename(self.path("kept.dcm"), gone)
        self.assertEqual(run("batch", "resume", plan).returncode, 0)
        # What somebody puts beside them is none of theirs; planned again it is a case of its own, and they stay done.
        image = pydicom.dcmread(own[0])
        image.StudyInstanceUID, image.SeriesInstanceUID, image.SOPInstanceUID, image.PatientID = "1.2.3", "1.2.3.4", "1.2.3.4.5", "ZEBRA-9"
        image.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
        image.save_as(os.path.join(self.made.folder, "new.dcm"))
        try:
            self.assertEqual({c["state"] for c in states(plan).values()}, {"done"})
            self.plan(plan)
            self.assertEqual({case: c["state"] for case, c in states(plan).items() if case < "P-00004"}, {"P-00001": "done", "P-00002": "done", "P-00003": "done"})
        finally:
            os.remove(os.path.join(self.made.folder, "new.dcm"))

    def test_a_damaged_result_is_put_aside_and_made_again(self):
        plan = self.plan(self.path("damaged"))
        self.assertEqual(run("batch", "run", plan, "--jobs", 2).returncode, 0)
        result = os.path.join(plan, "results", "P-00002", "case.json")
        os.truncate(result, os.path.getsize(result) // 2)
        with open(os.path.join(plan, "state", "P-00003.json"), "w", encoding="ascii") as file:
            file.write('{"state": "done", "attempts": "many"')
        after = states(plan)
        self.assertEqual([after[case]["state"] for case in sorted(after)], ["done", "pending", "pending"])
        self.assertIn("damaged", after["P-00002"]["reason"])
        done = run("batch", "run", plan)
        self.assertIn("2 done, 0 refused, 0 failed, 0 left", done.stdout)
        self.assertEqual(os.listdir(os.path.join(plan, "damaged")), ["P-00002-1"])
        self.assertEqual(read_json(result)["case"], "P-00002")

    def test_whichever_file_of_a_result_is_cut_emptied_or_removed_the_case_is_made_again(self):
        plan = self.plan(self.path("cut"))
        self.assertEqual(run("batch", "run", plan, "--only", "P-00001").returncode, 0)
        result = os.path.join(plan, "results", "P-00001")
        whole = {os.path.relpath(os.path.join(folder, name), result): content(os.path.join(folder, name)) for folder, _, names in os.walk(result) for name in names}
        one_of = lambda kind: next(name for name in sorted(whole) if name.endswith(kind))
        damages = [("case.json", len(whole["case.json"]) - 1), ("measurements.csv", 0), ("response.csv", None), (one_of(".nii.gz"), 100), (one_of("-seg.dcm"), 0), (one_of("-sr.dcm"), None),
                   ("report.html", len(whole["report.html"]) // 2), ("report.pdf", 0), ("provenance.json", 10), ("events.jsonl", 50)]
        for name, left in damages:
            with self.subTest(name, left=left):
                file = os.path.join(result, name)
                if left is None:
                    os.remove(file)
                else:
                    os.truncate(file, left)
                now = states(plan)["P-00001"]
                self.assertEqual((now["state"], now["reason"].split(":")[0]), ("pending", "its result is damaged"))
                self.assertIn(name, now["reason"])
                done = run("batch", "resume", plan, "--only", "P-00001")
                self.assertIn("1 done, 0 refused, 0 failed, 0 left", done.stdout)
                self.assertRegex(done.stdout, r"note: P-00001: its result is damaged: .*; it lies in damaged/P-00001-\d+ now, with its log")
                self.assertEqual(states(plan)["P-00001"]["state"], "done")
                self.assertEqual(sorted(whole), sorted(os.path.relpath(os.path.join(folder, n), result) for folder, _, names in os.walk(result) for n in names))
        self.assertEqual(len(os.listdir(os.path.join(plan, "damaged"))), len(damages))

    def test_a_byte_that_another_one_replaced_is_found_when_every_byte_is_read(self):
        plan = self.plan(self.path("flipped"))
        only = ("--only", "P-00001", "--only", "P-00002")
        self.assertEqual(run("batch", "run", plan, *only).returncode, 0)
        mask = sorted(glob.glob(os.path.join(plan, "results", "P-00001", "masks", "*")))[0]
        flip(mask, 1000)
        state = lambda *verify: {c["case"]: c["state"] for c in run_json("batch", "status", plan, "--json", *only, *verify)["cases"]}
        self.assertEqual(state(), {"P-00001": "done", "P-00002": "done"})  # same size
        self.assertEqual(state("--verify"), {"P-00001": "pending", "P-00002": "done"})
        self.assertIn("1 done, 0 refused, 0 failed, 0 left", run("batch", "run", plan, "--verify", *only).stdout)
        self.assertEqual(state("--verify"), {"P-00001": "done", "P-00002": "done"})

        # An input of which neither size nor time tells that it is another one.
        image = self.image_of(plan, "P-00002")
        times = os.stat(image)
        try:
            flip(image, os.path.getsize(image) - 1)
            os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))
            self.assertEqual(state(), {"P-00001": "done", "P-00002": "done"})
            self.assertEqual(state("--verify"), {"P-00001": "done", "P-00002": "outdated"})
        finally:
            flip(image, os.path.getsize(image) - 1)
            os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))

    def test_files_that_were_only_touched_cost_no_run_and_no_decision(self):
        plan = self.plan(self.path("touched"))
        self.assertEqual(run("batch", "run", plan, "--only", "P-00001").returncode, 0)
        result = os.path.join(plan, "results", "P-00001", "case.json")
        made = os.stat(result).st_mtime_ns
        page = self.path("touched.html")
        run("batch", "review", plan, "-o", page, "--share", 100)
        shown = json.loads(content(page).decode().split('id="decisions">')[1].split("</script>")[0])
        (one,) = [c for c in shown["cases"] if c["case"] == "P-00001"]
        one.update(opened=True, decision="reject")
        os.utime(self.image_of(plan, "P-00001"))  # between page and decision, too
        decisions = self.path("touched.json")
        with open(decisions, "w", encoding="ascii") as file:
            json.dump({**shown, "reader": "R1"}, file)
        self.assertIn("1 rejected", run("batch", "resume", plan, "--decisions", decisions).stdout)
        os.utime(self.image_of(plan, "P-00001"))
        self.assertEqual(states(plan)["P-00001"]["state"], "outdated")
        self.assertIn("0 done", run("batch", "run", plan, "--only", "P-00001").stdout)
        self.assertEqual(states(plan)["P-00001"]["state"], "rejected")
        self.assertEqual(os.stat(result).st_mtime_ns, made)

    def image_of(self, plan, case):
        (listed,) = glob.glob(os.path.join(plan, "cases", case + ".files-*.txt"))
        with open(listed, encoding="utf-8") as file:
            return os.path.join(os.path.dirname(listed), file.readline().strip())

    def test_each_worker_may_take_what_the_plan_says_of_its_case_and_no_more(self):
        needs_memory_as_users_have_it(self)
        plan = self.plan(self.path("limits"))
        planned = read_json(os.path.join(plan, "plan.json"))
        cases = {c["id"]: c for c in planned["cases"][:2]}
        cases["P-00002"]["memory_gb"] += 1.25  # another estimate than its neighbour's: no one figure suits both
        self.assertEqual(planned["run_arguments"], ["--threads", "1"])
        planned["run_arguments"][1] = "3"
        with open(os.path.join(plan, "plan.json"), "w", encoding="utf-8") as file:
            json.dump(planned, file)
        hold(plan, cases)
        with Held(plan, cases, "--jobs", 2, "--memory", 64) as batch:
            self.assertTrue(batch.until(lambda: len(batch.at_work()) == 2), "never seen at work")
            for case, pid in batch.at_work().items():
                with open(f"/proc/{pid}/limits", encoding="ascii") as file:
                    soft, hard = next(line for line in file if line.startswith("Max address space")).split()[3:5]
                self.assertGreater(cases[case]["memory_gb"], 0)
                # As run.cpp has it: half as much again as the headers promise, 1 GB for libraries and what is no voxel, and 0.08 GB for each further thread.
                self.assertAlmostEqual(int(soft.replace("unlimited", "0")) / 1e9, 1.5 * cases[case]["memory_gb"] + 1 + 2 * 0.08, places=6, msg=case)
                self.assertEqual(soft, hard)

    def wide_patient(self, folder, pixels):
        """One more patient: a ball of 40 mm in the middle of a wide field, of whose pixels few are looked at. Answers the table with the line on it."""
        os.makedirs(folder)
        y, x = numpy.mgrid[-pixels // 2:pixels // 2, -pixels // 2:pixels // 2] * 0.8
        noise = numpy.random.default_rng(1).integers(-10, 11, x.shape)
        for n, name in enumerate(sorted(name for name in os.listdir(self.made.folder) if name.endswith("-0.dcm"))):
            image = pydicom.dcmread(os.path.join(self.made.folder, name))
            z = 2 * n - 47
            hu = numpy.where(x * x + y * y + z * z < 20 * 20, 60, -100) + noise
            image.PixelData = (hu - int(image.RescaleIntercept)).astype("<i2").tobytes()
            image.Rows = image.Columns = pixels
            image.PixelSpacing = [0.8, 0.8]
            image.PatientID = "ZEBRA-9"
            for element in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID"):
                setattr(image, element, image[element].value[:60] + ".9")
            image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
            image.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
            image.is_little_endian, image.is_implicit_VR = True, False
            image.save_as(os.path.join(folder, name))
            if n == 23:
                marked = image.SOPInstanceUID
        with open(folder + ".csv", "w", encoding="ascii") as file:  # 25 pixels to both sides of the middle one's centre
            file.write("sop_instance_uid,x1,y1,x2,y2,lesion\n" + f"{marked},{pixels / 2 - 24.5},{pixels / 2 + 0.5},{pixels / 2 + 25.5},{pixels / 2 + 0.5},T1\n")
        return folder + ".csv"

    def test_a_case_that_needs_more_than_was_planned_ends_at_a_limit_of_its_own_and_its_neighbour_does_not_notice(self):
        needs_memory_as_users_have_it(self)
        wide = self.path("wide")
        lines = self.wide_patient(wide, 2048)  # 0.4 GB of pixels, and as much again of probabilities: more than the 1 GB that is granted beside them
        plan = self.path("planned")
        planning = ("batch", "plan", self.made.folder, wide, "--marks", self.made.lines, lines, "-o", plan)
        self.assertEqual(run(*planning).returncode, 0)
        planned = read_json(os.path.join(plan, "plan.json"))
        *others, large = sorted(planned["cases"], key=lambda c: c["memory_gb"])
        small = others[0]["id"]
        large["memory_gb"] = others[0]["memory_gb"]  # as if its headers had promised no more than those of its neighbour
        with open(os.path.join(plan, "plan.json"), "w", encoding="utf-8") as file:
            json.dump(planned, file)
        os.environ["SOURCE_DATE_EPOCH"] = "1577836800"  # the declared timestamps
        self.addCleanup(os.environ.pop, "SOURCE_DATE_EPOCH")
        done = run("batch", "run", plan, "--jobs", 2, "--only", small, "--only", large["id"])
        after = states(plan)
        self.assertEqual((after[large["id"]]["state"], after[large["id"]]["code"], after[small]["state"]), ("failed", "memory", "done"), (after, done.stderr))
        self.assertRegex(after[large["id"]]["reason"], r"not enough memory.*\(its limit: 1\.0 GB of address space, for 0\.01 GB planned\)")
        self.assertEqual((done.returncode, done.stdout.splitlines()[0]), (3, "1 done, 0 refused, 1 failed, 0 left"))
        with open(glob.glob(os.path.join(plan, "logs", "batch-*.jsonl"))[0], encoding="utf-8") as file:
            events = [event["event"] for event in map(json.loads, file) if "case" in event]
        self.assertEqual(events, ["case-started"] * 2 + ["case-ended"] * 2, "they were not at work at the same time")
        alone = self.plan(self.path("alone"))
        self.assertEqual(run("batch", "run", alone, "--only", small).returncode, 0)
        self.assertEqual(*(contents(os.path.join(p, "results", small)) for p in (plan, alone)))
        # The headers are asked again when it is planned again, and the case is as good as any other.
        self.assertEqual(run(*planning).returncode, 0)
        self.assertIn("1 done", run("batch", "resume", plan, "--only", large["id"]).stdout)

    def test_a_case_that_needs_more_memory_than_it_may_have_costs_only_itself(self):
        needs_memory_as_users_have_it(self)
        big = self.path("big")
        lines = self.wide_patient(big, 768)  # 57 MB of pixels
        plan = self.path("memory")
        self.assertEqual(run("batch", "plan", self.made.folder, big, "-o", plan, "--marks", self.made.lines, lines).returncode, 0)
        large = max(read_json(os.path.join(plan, "plan.json"))["cases"], key=lambda c: c["memory_gb"])
        case = large["id"]
        # A limit halfway between what a small case and the large one take of address space; the large one holds 57 MB of HU and twice that of probabilities, of which 100 MB is well over half.
        small = peak_of(plan, next(c for c, s in states(plan).items() if c != case and s["state"] == "pending"))
        large = peak_of(plan, case)
        self.assertGreater(large - small, 100_000_000)
        limit = (small + large) // 2
        done = subprocess.run([PROGRAM, "batch", "run", plan], env=dict(os.environ, **ONE_ARENA), capture_output=True, text=True, timeout=300, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        after = states(plan)
        self.assertEqual((after[case]["state"], after[case]["code"]), ("failed", "memory"), (after, done.stdout, done.stderr))
        self.assertEqual([c["state"] for name, c in after.items() if name != case], ["done"] * 3)
        self.assertIn("1 done", run("batch", "resume", plan).stdout)


# glibc maps 64 MB of address space for each thread that happens to allocate while another does: chance, that a test has no use for.
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}


def peak_of(plan, case):
    """The most address space that one case takes, from the kernel: /proc/PID/status is read until it ends."""
    process = subprocess.Popen([PROGRAM, "run", os.path.join(plan, "cases", case + ".yaml"), "-o", f"{plan}-peak-{case}", "--threads", "1"], stdout=subprocess.DEVNULL, env=dict(os.environ, **ONE_ARENA))
    peak = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                peak = max([peak] + [int(line.split()[1]) * 1024 for line in status if line.startswith("VmPeak")])
        except OSError:
            break
        time.sleep(0.01)
    process.wait()
    return peak


if __name__ == "__main__":
    unittest.main()
