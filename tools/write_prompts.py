#!/usr/bin/python3
"""write_prompts.py JUDGE CASES OUT: the prompts of the judge (sts_eval.py), one file a case, kind and seed, for tools/train_fusion.cpp.

OUT/0/CASE_KIND.txt is the very prompt the judge draws; OUT/1 and OUT/2 are two more readers. A line of a file is the name of an
option (point, line, extent, box, contour) and its points in LPS mm. Needs what the judge needs: numpy, scipy, nibabel.
"""
import hashlib
import importlib.util
import json
import os
import sys

import numpy as np

KINDS = ("click", "random-click", "line", "line2", "line2z", "box", "contour")
JITTER_MM = 1.5


def main(judge_file, cases, out):
    spec = importlib.util.spec_from_file_location("judge", judge_file)
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    for case in sorted(os.listdir(cases)):
        expert = os.path.join(cases, case, "gtv.nii.gz")
        if not os.path.exists(expert):
            continue
        mask, affine = judge.load(expert)
        for kind in KINDS:
            for seed in range(3):
                text = case + kind + (str(seed) if seed else "")
                random = np.random.default_rng(int(hashlib.sha256(text.encode()).hexdigest()[:8], 16))
                arguments = judge.prompts(mask > 0, affine, kind, JITTER_MM, random)
                os.makedirs(os.path.join(out, str(seed)), exist_ok=True)
                with open(os.path.join(out, str(seed), f"{case}_{kind}.txt"), "w", encoding="ascii") as file:
                    for option, value in zip(arguments[::2], arguments[1::2]):
                        if option == "--contour":
                            with open(value, encoding="utf-8") as contour:
                                numbers = [x for p in json.load(contour)["points"] for x in p]
                            os.unlink(value)
                        else:
                            numbers = [float(x) for x in value.split(",")]
                        file.write(option[2:] + " " + " ".join(f"{x:.3f}" for x in numbers) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
