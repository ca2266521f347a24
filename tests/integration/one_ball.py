"""A CT of one ball of 30 mm, 64 x 64 x 40 voxels of 1 x 1 x 2 mm, in fat."""
import os

from program import InScratch, run, run_json


class OneBall(InScratch):
    """`ct` is the folder of the CT, `centre` the middle of the ball in LPS mm."""

    options = ()  # more of `phantom`'s

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        done = run("phantom", os.path.join(cls.scratch, "ball"), "--shape", "ball", "--size", "30,30,30", "--grid", "64,64,40", "--spacing", "1,1,2", *cls.options)
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.ct = os.path.join(cls.scratch, "ball", "ct")
        x, y, z = run_json("series", cls.ct, "--json")["series"][0]["origin_lps_mm"]
        cls.centre = (x + 31.5, y + 31.5, z + 39)

    @classmethod
    def ends(cls, half=15.0, shift=(0, 0, 0)):
        """The ends of a line from left to right through the middle, shifted."""
        x, y, z = (c + s for c, s in zip(cls.centre, shift))
        return (x - half, y, z), (x + half, y, z)

    @classmethod
    def line(cls, half=15.0, shift=(0, 0, 0)):
        """The same as an option of `segment`."""
        return "--line=" + ",".join(str(v) for end in cls.ends(half, shift) for v in end)
