#!/usr/bin/env python3
"""measure_scale.py PROGRAM [COUNT...]: what a batch costs (docs/scale.md).

First by the size of a case: a ball in CTs of four sizes, one worker: processor time and memory of a case as the runner wrote them down, cases an hour and core. Then by their number, step by step:
seconds of the clock, of the processor (with all its processes), per case; one ball of 32 x 32 x 16 voxels, copied under new UIDs and patients into one flat folder, which is the harder
archive. Of 100 cases also with one worker.
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import pydicom

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


def step(name, count, *command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"| {count} | {name} | {wall:.2f} | {cpu:.2f} | {1000 * cpu / count:.1f} |", flush=True)


def by_size(program):
    print("| case | CT | lesion | processor s a case | cases an hour and core | most memory of one |\n|---|---|---|---|---|---|")
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
            print(f"| {size} | {columns} x {columns} x {slices} | {ball} mm | {cpu:.2f} | {3600 / cpu:.0f} | {max(c['peak_gb'] for c in cases):.2f} GB |", flush=True)
    print()


def main(program, counts):
    by_size(program)
    print("| cases | step | clock s | processor s | processor ms a case |\n|---|---|---|---|---|")
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
    main(os.path.abspath(sys.argv[1]), [int(count) for count in sys.argv[2:]] or COUNTS)
