"""Workers, runners and cluster nodes killed at random moments: afterwards every case is done once, the same, and nothing is left behind.

RETROMASS_SOAK_KILLS and RETROMASS_SOAK_NODES say how often (a sample by default; `make soak` does all), RETROMASS_SOAK_SEED at which moments.
"""
import collections
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from balls_archive import Archive
from program import InScratch, PROGRAM, assert_same_files, run, run_json
from slurm_cluster import NODES, begin_cluster, in_a_network_of_its_own, wait_for

KILLS = int(os.environ.get("RETROMASS_SOAK_KILLS", "5"))
NODE_KILLS = int(os.environ.get("RETROMASS_SOAK_NODES", "1"))
SEED = int(os.environ.get("RETROMASS_SOAK_SEED", "1"))
SIZES = (24, 30, 36, 28)


def states(plan):
    return {c["case"]: c for c in run_json("batch", "status", plan, "--json")["cases"]}


def children_of(process):
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def kill(process):
    """Whether there was something to kill."""
    try:
        os.kill(process, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


class Soak(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.environ["SOURCE_DATE_EPOCH"] = "1577836800"  # the declared timestamps
        os.environ["TMPDIR"] = os.path.join(cls.scratch, "temporary")
        os.mkdir(os.environ["TMPDIR"])
        made = Archive(cls.scratch, SIZES)
        cls.planned = os.path.join(cls.scratch, "planned")
        done = run("batch", "plan", made.folder, "-o", cls.planned, "--marks", made.lines)
        if done.returncode:
            raise AssertionError(done.stderr)
        cls.undisturbed = cls.copy(cls.planned, "undisturbed")
        start = time.monotonic()
        run("batch", "run", cls.undisturbed, "--jobs", 2)
        cls.takes_s = time.monotonic() - start

    @classmethod
    def copy(cls, plan, name):
        folder = os.path.join(cls.scratch, name)
        return shutil.copytree(plan, folder)

    def once_and_the_same(self, plan, seen):
        after = states(plan)
        self.assertEqual(collections.Counter(c["state"] for c in after.values()), {"done": len(SIZES)}, after)
        # Done once: a result that was there at any time is the one that is there now.
        for case, what in seen.items():
            self.assertEqual(self.result_of(plan, case), what, case + " was done twice")
        for part in ("results", "cases", "logs"):
            self.assertEqual(sorted(os.listdir(os.path.join(plan, part))), sorted(os.listdir(os.path.join(self.undisturbed, part))), part)
        self.assertEqual(sorted(os.listdir(os.path.join(plan, "state"))), sorted(os.listdir(os.path.join(self.undisturbed, "state"))))
        self.assertGreater(assert_same_files(self, os.path.join(self.undisturbed, "results"), os.path.join(plan, "results")), 20 * len(SIZES))
        self.assertEqual(os.listdir(os.environ["TMPDIR"]), [])

    @staticmethod
    def result_of(plan, case):
        status = os.stat(os.path.join(plan, "results", case, "case.json"))
        return status.st_ino, status.st_mtime_ns

    def note_done(self, plan, seen):
        for case, c in states(plan).items():
            if c["state"] == "done":
                seen.setdefault(case, self.result_of(plan, case))

    def test_workers_and_runners_killed_at_any_moment(self):
        chance = random.Random(SEED)
        killed = collections.Counter()
        plans = 0
        while sum(killed.values()) < KILLS:
            plan = self.copy(self.planned, f"plan-{plans}")
            plans += 1
            seen = {}
            while sum(killed.values()) < KILLS and len(seen) < len(SIZES):
                runner = subprocess.Popen([PROGRAM, "batch", "resume", plan, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(chance.uniform(0, 0.6 * self.takes_s))
                workers = children_of(runner.pid)
                if workers and chance.random() < 0.5:
                    killed["worker"] += kill(chance.choice(workers))
                elif runner.poll() is None:
                    killed["runner"] += kill(runner.pid)
                runner.wait(timeout=300)
                wait_for("the last worker", lambda: not any(c["state"] == "running" for c in states(plan).values()))
                self.note_done(plan, seen)
            run("batch", "resume", plan, "--jobs", 2)
            self.once_and_the_same(plan, seen)
            shutil.rmtree(plan)
        print(f"soak, seed {SEED}: {killed['worker']} workers and {killed['runner']} runners killed over {plans} plans of {len(SIZES)} cases")

    def test_nodes_of_a_cluster_killed_at_any_moment(self):
        cluster, _ = begin_cluster(self)
        chance = random.Random(SEED)
        killed = 0
        steps = 0
        plans = 0
        while killed < NODE_KILLS:
            plan = self.copy(self.planned, f"cluster-{plans}")
            plans += 1
            seen = {}
            submitted = run("batch", "run", plan, "--engine", "slurm")
            self.assertEqual(submitted.returncode, 0, submitted.stderr)
            # The node that dies is one at work; Slurm finds its task missing when the node is back, and queues it again.
            wait_for("a case at work", lambda: any(c["state"] != "pending" for c in states(plan).values()))
            time.sleep(chance.uniform(0, self.takes_s))
            busy = [node for node in cluster.said("squeue", "-h", "-t", "R", "-o", "%N").split() if node in NODES]
            node = chance.choice(busy or NODES)
            steps += cluster.kill_node(node) - 1
            killed += 1
            self.note_done(plan, seen)
            cluster.start_again(node)
            try:
                wait_for("an empty queue", cluster.queue_is_empty)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{cluster.said('squeue', '-o', '%i %T %r %S %N')}{cluster.said('sinfo', '-N')}{cluster.logs()}")
            wait_for("the node", lambda: cluster.said("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * 3)
            shutil.rmtree(os.path.join(plan, "slurm"))
            self.once_and_the_same(plan, seen)  # without a `batch resume`: nobody but Slurm begins a task again
            shutil.rmtree(plan)
        print(f"soak, seed {SEED}: {killed} nodes killed with {steps} of their processes over {plans} plans of {len(SIZES)} cases")


if __name__ == "__main__":
    in_a_network_of_its_own()
    unittest.main()
