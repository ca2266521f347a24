"""The test runner and the merger of benchmarks do what the README says of them."""
import json
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class RunTests(unittest.TestCase):
    def run_with(self, *commands):
        with tempfile.TemporaryDirectory() as folder:
            lines = [f'add_test(t{i} "/bin/sh" "-c" "{command}")' for i, command in enumerate(commands)]
            (Path(folder) / "CTestTestfile.cmake").write_text("\n".join(lines) + "\n")
            return subprocess.run([ROOT / "tools" / "run_tests.sh", folder], capture_output=True, text=True)

    def test_the_last_line_counts_each_real_data_test_once(self):
        run = "echo run Sts.A >> $RETROMASS_DATA_LEDGER"
        ran = self.run_with(run, run, "echo run Sts.B >> $RETROMASS_DATA_LEDGER", "echo skipped Lung.C >> $RETROMASS_DATA_LEDGER")
        self.assertEqual(ran.returncode, 0, ran.stdout)
        self.assertEqual(ran.stdout.splitlines()[-1], "real-data tests: 2 run, 1 skipped")
        self.assertIn("100% tests passed", ran.stdout)

    def test_without_real_data_tests_it_says_none(self):
        self.assertEqual(self.run_with("true").stdout.splitlines()[-1], "real-data tests: 0 run, 0 skipped")

    def test_a_failure_is_its_exit_status_and_the_last_line_stays(self):
        ran = self.run_with("true", "echo the reason; false")
        self.assertNotEqual(ran.returncode, 0)
        self.assertIn("the reason", ran.stdout)
        self.assertTrue(ran.stdout.splitlines()[-1].startswith("real-data tests:"))


class MergeBench(unittest.TestCase):
    def merge(self, *programs):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for i, text in enumerate(programs):
                path = Path(folder) / f"bench_{i}"
                path.write_text("#!/bin/sh\n" + text + "\n")
                path.chmod(0o755)
                paths.append(path)
            out = Path(folder) / "bench.json"
            ran = subprocess.run([ROOT / "tools" / "merge_bench.py", out, *paths], capture_output=True, text=True)
            return ran, json.loads(out.read_text()) if out.exists() else None

    def test_rows_of_all_programs_are_merged_with_the_ratio_of_ours_to_the_peers(self):
        ran, rows = self.merge("""echo '{"question": "a", "ours_s": 1.0, "peer": "p", "peer_s": 4.0, "limit_s": 2}'""",
                               """echo '{"question": "b", "ours_s": 1.0}'""")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual([row["question"] for row in rows], ["a", "b"])
        self.assertEqual(rows[0]["ratio"], 0.25)
        self.assertIsNone(rows[1]["ratio"])
        self.assertEqual(set(rows[1]), {"question", "ours_s", "peer", "peer_s", "ratio", "limit_s"})

    def test_a_broken_limit_fails(self):
        ran, _ = self.merge("""echo '{"question": "a", "ours_s": 3.0, "limit_s": 2}'""")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("OVER", ran.stdout)

    def test_a_program_that_fails_or_says_nothing_fails(self):
        self.assertEqual(self.merge("exit 3")[0].returncode, 1)
        self.assertEqual(self.merge("true")[0].returncode, 1)

    def test_no_program_at_all_fails(self):
        ran = subprocess.run([ROOT / "tools" / "merge_bench.py", "out.json", "build/bench/bin/bench_*"], capture_output=True)
        self.assertEqual(ran.returncode, 1)


class PackageList(unittest.TestCase):
    def test_each_package_stands_once_and_every_group_has_its_reason(self):
        lines = (ROOT / "cmake" / "packages.txt").read_text().splitlines()
        packages = [line for line in lines if line and not line.startswith("#")]
        self.assertEqual(len(packages), len(set(packages)))
        for before, line in zip([""] + lines, lines):
            if line and not line.startswith("#") and not before:
                self.fail(f"{line} begins a group without a reason")


if __name__ == "__main__":
    unittest.main()
