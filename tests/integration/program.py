"""Runs the program as a stranger would: by its command line, judged by its files, exit codes and messages."""
import filecmp
import json
import os
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["RETROMASS_PROGRAM"]
SLOWER = int(os.environ.get("RETROMASS_SLOWER", "1"))  # than a release build: sanitizers and coverage (tests/CMakeLists.txt)


def run(*arguments, timeout=600, folder=None):
    """Completed process of `retromass ARGUMENTS`, started in `folder`; never a shell."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout * SLOWER, cwd=folder)


def run_json(*arguments):
    done = run(*arguments)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def files_of(folder):
    return sorted(os.path.relpath(os.path.join(place, name), folder) for place, _, files in os.walk(folder) for name in files)


def assert_same_files(test, folder, other):
    """The same files below both, byte for byte. Answers how many."""
    names = files_of(folder)
    test.assertEqual(files_of(other), names)
    _, different, broken = filecmp.cmpfiles(folder, other, names, shallow=False)
    test.assertEqual((different, broken), ([], []))
    return len(names)


def needs_memory_as_users_have_it(test):
    """Skips under a sanitizer (`make asan`): it keeps what was given back, and no limit can be set on what it maps."""
    if os.environ.get("RETROMASS_SANITIZED"):
        test.skipTest("built with a sanitizer")


def _record(test, outcome):
    """Counts the test among those that saw real data (tests/support/real_data.h)."""
    ledger = os.environ.get("RETROMASS_DATA_LEDGER")
    if ledger:
        with open(ledger, "a", encoding="ascii") as file:
            file.write(f"{outcome} integration.{test.id()}\n")


def absent(test, why):
    """Skips the test loudly, and fails it where RETROMASS_REQUIRE_DATA is set."""
    if os.environ.get("RETROMASS_REQUIRE_DATA") == "1":
        test.fail(f"required, but absent: {why}")
    test.skipTest(f"absent: {why}")


def real_data(test, *parts):
    """A path below RETROMASS_DATA: skips the test loudly where it is absent, fails it where it is required."""
    path = os.path.join(os.environ["RETROMASS_DATA"], *parts)
    if not os.path.exists(path):
        _record(test, "skipped")
        absent(test, f"real data {path}")
    _record(test, "run")
    return path


def needs_program(test, name):
    """A judge that the test machine has to have: without it the test is skipped, and failed where RETROMASS_REQUIRE_DATA is set."""
    if not shutil.which(name):
        absent(test, f"the program {name}: nothing was judged by it")


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
