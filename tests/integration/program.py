"""Runs the program as a stranger would: by its command line, judged by its files, exit codes and messages."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["RETROMASS_PROGRAM"]


def run(*arguments, timeout=600):
    """Completed process of `retromass ARGUMENTS`; never a shell."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout)


def run_json(*arguments):
    done = run(*arguments)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class InScratch(unittest.TestCase):
    """A test class with a folder of its own, removed at the end."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.mkdtemp(prefix="retromass-test-")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.scratch, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.scratch, *parts)
