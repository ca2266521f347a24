#!/usr/bin/python3
"""Later scans made from outlined sarcomas: the category is that of the expert's mask before and after, from a line at both. All of them: `make pairs`."""
import os
import re
import subprocess
import sys
import unittest

from program import PROGRAM, real_data

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "evaluate_pairs.py")


class LaterScans(unittest.TestCase):
    def test_the_category_is_that_of_the_outlined_lesion(self):
        done = subprocess.run([sys.executable, SCRIPT, "--retromass", PROGRAM, "--make-pair", os.environ["RETROMASS_MAKE_PAIR"], "--cases", real_data(self, "sts"),
                               "--every", "7", "--factors", "3,0.2", "--modes", "line"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rows = {(who, factor): (int(right), int(wrong), int(not_said)) for who, factor, right, wrong, not_said in
                re.findall(r"^\| ([a-zA-Z ]+) \| x ([0-9.]+) \| (\d+) \| (\d+) \| (\d+) \|", done.stdout, re.MULTILINE)}
        for factor in ("3", "0.2"):
            right, wrong, not_said = rows["a line", factor]
            self.assertEqual(wrong, 0, done.stdout)
            self.assertGreater(right, not_said, done.stdout)  # who never says anything is never wrong
            self.assertEqual(rows["always SD", factor][0], 0, done.stdout)  # and who says SD always never right here


if __name__ == "__main__":
    unittest.main()
