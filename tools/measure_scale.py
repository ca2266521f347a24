#!/usr/bin/env python3
"""measure_scale.py PROGRAM [COUNT...]: what a batch of so many small synthetic cases costs, step by step (docs/scale.md).

Prints a row a step: cases, step, seconds of the clock, of the processor (with all its processes), per case. One ball of 32 x 32 x 16 voxels, copied under new UIDs and patients
into one flat folder, which is the harder archive.
"""
import os
import resource
import subprocess
import sys
import tempfile
import time

import pydicom

COUNTS = (10, 100, 1000)


def phantom(program, folder):
    subprocess.run([program, "phantom", folder, "--shape", "ball", "--size", "16,16,16", "--grid", "32,32,16", "--spacing", "1,1,2"], check=True, stdout=subprocess.DEVNULL)
    images = [pydicom.dcmread(os.path.join(folder, "ct", name)) for name in sorted(os.listdir(os.path.join(folder, "ct")))]
    images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
    return images


def archive(images, folder, lines, count):
    os.makedirs(folder)
    rows = ["sop_instance_uid,x1,y1,x2,y2,lesion"]
    for n in range(count):
        for i, image in enumerate(images):
            image.PatientID = f"P{n}"
            image.StudyInstanceUID, image.SeriesInstanceUID = f"2.25.{n + 1}.1", f"2.25.{n + 1}.2"
            image.FrameOfReferenceUID = f"2.25.{n + 1}.3"
            image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = f"2.25.{n + 1}.4.{i}"
            image.save_as(os.path.join(folder, f"{n:06d}-{i:03d}.dcm"))
        rows.append(f"2.25.{n + 1}.4.{len(images) // 2},8,16,24,16,T1")
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


def main(program, counts):
    print("| cases | step | clock s | processor s | processor ms a case |\n|---|---|---|---|---|")
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="retromass-scale-") as scratch:
            place = lambda name: os.path.join(scratch, name)
            archive(phantom(program, place("phantom")), place("archive"), place("lines.csv"), count)
            step("plan", count, program, "batch", "plan", place("archive"), "-o", place("plan"), "--marks", place("lines.csv"))
            step("run --jobs 2", count, program, "batch", "run", place("plan"), "--jobs", "2")
            step("run again", count, program, "batch", "run", place("plan"), "--jobs", "2")
            step("status", count, program, "batch", "status", place("plan"))
            step("collect", count, program, "batch", "collect", place("plan"))
            step("review", count, program, "batch", "review", place("plan"), "-o", place("review.html"))


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), [int(count) for count in sys.argv[2:]] or COUNTS)
