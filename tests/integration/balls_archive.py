"""An archive of mixed patients: one ball of known size each, in one flat folder, and a table of the lines that readers drew."""
import glob
import os

import pydicom

from program import run


class Archive:
    """`folder` holds the images, `lines` is the table; the patients of `unmarked` have no line."""

    def __init__(self, scratch, sizes, unmarked=()):
        self.folder = os.path.join(scratch, "archive")
        self.lines = os.path.join(scratch, "lines.csv")
        self.size_of_study = {}
        rows = ["sop_instance_uid,x1,y1,x2,y2,lesion"]
        os.makedirs(self.folder, exist_ok=True)
        for n, size in enumerate(sizes):
            phantom = os.path.join(scratch, f"phantom-{n}")
            done = run("phantom", phantom, "--shape", "ball", "--size", f"{size},{size},{size}", "--grid", "96,96,48", "--spacing", "0.8,0.8,2", "--seed", n)
            if done.returncode:
                raise AssertionError(done.stderr)
            images = []
            for i, file in enumerate(sorted(glob.glob(os.path.join(phantom, "ct", "*.dcm")))):
                image = pydicom.dcmread(file)
                image.PatientID = f"ZEBRA-{n}"
                image.PatientName = "Zebra^Quagga"
                image.save_as(os.path.join(self.folder, f"{i:03d}-{n}.dcm"))
                images.append(image)
            images.sort(key=lambda image: float(image.ImagePositionPatient[2]))
            middle = images[len(images) // 2]
            self.size_of_study[str(middle.StudyInstanceUID)] = size
            if n not in unmarked:
                # Pixels from the outer corner: the ball's centre is that of the grid, 48 pixels from it.
                half = size / 2 / 0.8
                rows.append(f"{middle.SOPInstanceUID},{48 - half},48,{48 + half},48,T1")
        rows.append("1.2.3.4.5,1,1,20,20,T1")  # an image that nobody has
        with open(self.lines, "w", encoding="ascii") as file:
            file.write("\n".join(rows) + "\n")
        with open(os.path.join(self.folder, "notes.txt"), "w", encoding="ascii") as file:
            file.write("not an image\n")
