#!/usr/bin/env python3
"""measure_scale.py PROGRAM [COUNT...] [--sizes] [--cloned COUNT]: what a batch costs (docs/scale.md).

First by the size of a case (--sizes: that alone): a ball in CTs of four sizes, one worker: processor time and memory of a case as the runner wrote them down, cases an hour and core, and the disk that its
result takes. Then by their number, step by step: seconds of the clock, of the processor (with all its processes), per case, and the most memory of one process; one ball of 32 x 32 x 16 voxels, copied
under new UIDs and patients into one flat folder, which is the harder archive. Of 100 cases also with one worker.

--cloned COUNT: what planning, states and tables of that many cost, without running them: one is run, its result and state are given to all others of the plan, each under its own name and with the key of
its own inputs, so that `batch status` itself finds every one done. What no step reads of a result is linked, not copied.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import pydicom

FILE_CLOCK_S = 6437664000  # libstdc++ counts the times of files from 2174-01-01 on
COUNTS = (10, 100, 1000)
# Name: columns and rows, slices, pixel and slice distance in mm, the ball's diameter in mm, how many cases.
SIZES = {"smallest": (32, 16, 1.0, 2.0, 16, 10), "small": (256, 80, 1.0, 2.5, 50, 6), "usual": (512, 150, 0.8, 2.5, 100, 4), "largest": (512, 300, 0.9, 2.0, 300, 2)}


def phantom(program, folder, size):
    columns, slices, pixel, thickness, ball, _ = SIZES[size]
    subprocess.run([program, "phantom", folder, "--shape", "ball", "--size", f"{ball},{ball},{ball}", "--grid", f"{columns},{columns},{slices}", "--spacing", f"{pixel},{pixel},{thickness}"],
                   check=True, stdout=subprocess.DEVNULL)
    images = [pydicom.dcmread(os.path.join(folder, "ct", name)) for name in sorted(os.listdir(os.path.join(folder, "ct")))]
    images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    return images


def archive(images, folder, lines, count, size):
    columns, _, pixel, _, ball, _ = SIZES[size]
    middle, half = columns / 2, ball / 2 / pixel
    os.makedirs(folder)
    rows = ["sop_instance_uid,x1,y1,x2,y2,lesion"]
    for n in range(count):
        for i, image in enumerate(images):
            image.PatientID = f"P{n}"
            image.StudyInstanceUID, image.SeriesInstanceUID = f"2.25.{n + 1}.1", f"2.25.{n + 1}.2"
            image.FrameOfReferenceUID = f"2.25.{n + 1}.3"
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"2.25.{n + 1}.4.{i}"
            image.save_as(os.path.join(folder, f"{n:06d}-{i:03d}.dcm"))
        rows.append(f"2.25.{n + 1}.4.{len(images) // 2},{middle - half},{middle},{middle + half},{middle},T1")
    with open(lines, "w", encoding="ascii") as file:
        file.write("\n".join(rows) + "\n")


def bytes_of(folder):
    """What the files of a folder take on the disk."""
    return sum(os.lstat(os.path.join(where, name)).st_blocks * 512 for where, _, names in os.walk(folder) for name in names)


# Starts a command and says what it and the processes it waited for used. A process counts the memory of the one it was forked from as its own: this one is small.
METER = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], "w") as file:
    file.write(f"{used.ru_utime + used.ru_stime} {used.ru_maxrss * 1024}")
sys.exit(os.waitstatus_to_exitcode(status))
"""


def step(name, count, *command):
    with tempfile.NamedTemporaryFile("r") as used:
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-S", "-c", METER, used.name, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        wall = time.monotonic() - start
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        cpu, most = map(float, used.read().split())
    print(f"| {count} | {name} | {wall:.2f} | {cpu:.2f} | {1000 * cpu / count:.1f} | {most / 1e6:.0f} MB |", flush=True)


STEPS = "| cases | step | clock s | processor s | processor ms a case | most memory |\n|---|---|---|---|---|---|"


def by_size(program):
    print("| case | CT | lesion | processor s a case | cases an hour and core | most memory of one | disk of its result | of its CT |\n|---|---|---|---|---|---|---|---|")
    for size, (columns, slices, _, _, ball, count) in SIZES.items():
        with tempfile.TemporaryDirectory(prefix="retromass-scale-") as scratch:
            place = lambda name: os.path.join(scratch, name)
            archive(phantom(program, place("phantom"), size), place("archive"), place("lines.csv"), count, size)
            for command in (("plan", place("archive"), "-o", place("plan"), "--marks", place("lines.csv")), ("run", place("plan"), "--jobs", "1")):
                subprocess.run([program, "batch", *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            told = subprocess.run([program, "batch", "status", place("plan"), "--json"], check=True, capture_output=True, text=True)
            cases = json.loads(told.stdout)["cases"]
            if [c["state"] for c in cases] != ["done"] * count:
                raise SystemExit(f"{size}: {told.stdout}")
            cpu = sum(c["cpu_s"] for c in cases) / count
            result, ct = (bytes_of(place(part)) / count / 1e6 for part in ("plan/results", "archive"))
            print(f"| {size} | {columns} x {columns} x {slices} | {ball} mm | {cpu:.2f} | {3600 / cpu:.0f} | {max(c['peak_gb'] for c in cases):.2f} GB | {result:.1f} MB | {ct:.1f} MB |", flush=True)
    print()


def listed(file, base):
    about = os.stat(file)
    return f"{os.path.relpath(file, base)}\t{about.st_size}\t{about.st_mtime_ns - FILE_CLOCK_S * 10**9}\n"


def key_of(version, plan, case):
    """What a result of a drafted case is valid for, as pipeline/batch/state.cpp computes it."""
    folder = os.path.join(plan["folder"], "cases")
    with open(os.path.join(plan["folder"], case["case_file"]), encoding="utf-8") as file:
        text = file.read()
    named = lambda key: text.split(key + ': "')[1].split('"')[0]
    arguments = list(plan["run_arguments"])
    if "--threads" in arguments:
        at = arguments.index("--threads")
        del arguments[at:at + 2]  # their number changes no result
    out = f"retromass {version}\n{text}\n" + "".join(argument + "\n" for argument in arguments)
    with open(os.path.join(folder, named("files")), encoding="utf-8") as file:
        images = [os.path.normpath(os.path.join(folder, line)) for line in file.read().splitlines()]
    for image in images + [os.path.join(folder, named("marks"))]:
        out += listed(image, folder)
    return hashlib.sha256(out.encode()).hexdigest()


def give_result(model, folder, old, new):
    """The model's case folder under another name: what is read of a result is its own, the rest linked."""
    for where, _, names in os.walk(model):
        to = os.path.join(folder, os.path.relpath(where, model))
        os.makedirs(to, exist_ok=True)
        for name in names:
            if where == model and name.endswith((".csv", ".json", ".jsonl")):
                with open(os.path.join(where, name), encoding="utf-8") as file, open(os.path.join(to, name), "w", encoding="utf-8") as out:
                    out.write(file.read().replace(old, new))
            else:
                os.link(os.path.join(where, name), os.path.join(to, name))
    provenance = os.path.join(folder, "provenance.json")
    with open(provenance, encoding="utf-8") as file:
        written = json.load(file)
    for output in written["outputs"]:
        if output["file"].endswith((".csv", ".json", ".jsonl")):
            with open(os.path.join(folder, output["file"]), "rb") as file:
                output["sha256"] = hashlib.sha256(file.read()).hexdigest()
    with open(provenance, "w", encoding="utf-8") as file:
        json.dump(written, file, indent=1)


def cloned(program, count):
    """A plan of which one case was run and all have a result; the steps after the runs."""
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    print(STEPS)
    with tempfile.TemporaryDirectory(prefix="retromass-scale-") as scratch:
        place = lambda name: os.path.join(scratch, name)
        archive(phantom(program, place("phantom"), "smallest"), place("archive"), place("lines.csv"), count, "smallest")
        step("plan", count, program, "batch", "plan", place("archive"), "-o", place("plan"), "--marks", place("lines.csv"))
        with open(place("plan/plan.json"), encoding="utf-8") as file:
            plan = json.load(file) | {"folder": place("plan")}
        first = plan["cases"][0]
        subprocess.run([program, "batch", "run", place("plan"), "--only", first["id"]], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        result = lambda case: place(f"plan/results/{case['id']}")
        note = lambda case: place(f"plan/state/{case['id']}.json")
        with open(note(first), encoding="utf-8") as file:
            state = json.load(file)
        if key_of(version, plan, first) != state["key"]:
            raise SystemExit("the key of a case is made in another way now: see key_of in pipeline/batch/state.cpp")
        for case in plan["cases"][1:]:
            give_result(result(first), result(case), first["id"], case["id"])
            with open(note(case), "w", encoding="utf-8") as file:
                json.dump(state | {"case": case["id"], "key": key_of(version, plan, case)}, file, indent=2)
            shutil.copyfile(place(f"plan/state/{first['id']}.lock"), place(f"plan/state/{case['id']}.lock"))
            shutil.copyfile(place(f"plan/logs/{first['id']}.log"), place(f"plan/logs/{case['id']}.log"))
        step("status", count, program, "batch", "status", place("plan"))
        step("run again", count, program, "batch", "run", place("plan"))
        step("collect", count, program, "batch", "collect", place("plan"))
        step("review", count, program, "batch", "review", place("plan"), "-o", place("review.html"))
        step("status, one more time", count, program, "batch", "status", place("plan"))
        told = subprocess.run([program, "batch", "status", place("plan"), "--json"], check=True, capture_output=True, text=True)
        if {c["state"] for c in json.loads(told.stdout)["cases"]} != {"done"}:
            raise SystemExit("not every case counts as done")
        named = {"plan.json": "plan/plan.json", "cases.csv": "plan/cohort/cases.csv", "measurements.csv": "plan/cohort/measurements.csv", "results.sqlite": "plan/cohort/results.sqlite",
                 "cohort.html": "plan/cohort/cohort.html", "review.html": "review.html"}
        print("\n" + ", ".join(f"{name} {os.path.getsize(place(where)) / 1e6:.1f} MB" for name, where in named.items()))
        print(", ".join(f"{part}/ {bytes_of(place('plan/' + part)) / count / 1e3:.1f} kB a case" for part in ("cases", "state", "logs")))


def main(program, counts):
    by_size(program)
    print(STEPS)
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="retromass-scale-") as scratch:
            place = lambda name: os.path.join(scratch, name)
            archive(phantom(program, place("phantom"), "smallest"), place("archive"), place("lines.csv"), count, "smallest")
            if count == 100:
                step("plan", count, program, "batch", "plan", place("archive"), "-o", place("alone"), "--marks", place("lines.csv"))
                step("run --jobs 1", count, program, "batch", "run", place("alone"), "--jobs", "1")
            step("plan", count, program, "batch", "plan", place("archive"), "-o", place("plan"), "--marks", place("lines.csv"))
            step("run --jobs 2", count, program, "batch", "run", place("plan"), "--jobs", "2")
            step("run again", count, program, "batch", "run", place("plan"), "--jobs", "2")
            step("status", count, program, "batch", "status", place("plan"))
            step("collect", count, program, "batch", "collect", place("plan"))
            step("review", count, program, "batch", "review", place("plan"), "-o", place("review.html"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", type=os.path.abspath)
    parser.add_argument("counts", type=int, nargs="*", default=COUNTS)
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("--cloned", type=int)
    asked = parser.parse_args()
    if asked.cloned:
        cloned(asked.program, asked.cloned)
    elif asked.sizes:
        by_size(asked.program)
    else:
        main(asked.program, asked.counts)
