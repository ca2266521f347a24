"""A plan handed to a real Slurm."""
import collections
import glob
import json
import os
import re
import shutil
import unittest
import unittest.mock

from slurm_cluster import begin_cluster, in_a_network_of_its_own, wait_for


class Slurm(unittest.TestCase):
    def test_a_plan_is_done_once_by_an_array_and_again_only_where_it_failed(self):
        from balls_archive import Archive
        from program import run, run_json
        made = Archive(self.scratch, (40, 24, 32, 36, 28, 30, 26), unmarked=(6,))
        plan = os.path.join(self.scratch, "plan with a space")
        self.assertEqual(run("batch", "plan", made.folder, "-o", plan, "--marks", made.lines).returncode, 0)
        states = lambda: {c["case"]: c for c in run_json("batch", "status", plan, "--json")["cases"]}
        pending = sorted(case for case, c in states().items() if c["state"] == "pending")
        self.assertEqual(len(pending), 6)
        broken = os.path.join(plan, "cases", pending[0] + ".yaml")
        with open(broken, encoding="utf-8") as file:
            text = file.read()
        with open(broken, "w", encoding="utf-8") as file:
            file.write(text.replace("lesions:", "lesionz:"))

        refused = run("batch", "run", plan, "--engine", "slurm", "--sbatch=--partition=nowhere")
        self.assertEqual(refused.returncode, 4)
        self.assertIn("invalid partition", refused.stderr)

        submitted = run("batch", "run", plan, "--engine", "slurm", "--cases-per-task", 2, "--sbatch=--partition=ct")
        self.assertEqual(submitted.returncode, 0, submitted.stderr)
        self.assertIn("submitted 5 cases in 3 tasks, job ", submitted.stdout)  # the sixth cannot be read: refused at once
        job = submitted.stdout.split("job ")[1].split()[0]
        # A task cancelled in the middle, and a second runner beside the others: its cases are done all the same, and none twice.
        wait_for("a task at work", lambda: any(c["state"] == "running" for c in states().values()))
        self.cluster.said("scancel", job + "_0")
        run("batch", "run", plan)
        wait_for("an empty queue", self.cluster.queue_is_empty)
        run("batch", "run", plan)  # what the cancelled task held while the first runner passed by
        after = states()
        self.assertEqual(collections.Counter(c["state"] for c in after.values()), {"done": 5, "refused": 1, "waiting": 1}, after)
        self.assertEqual([c["attempts"] for c in after.values() if c["state"] == "done"], [1] * 5)
        self.assertEqual(sorted(os.listdir(os.path.join(plan, "results"))), sorted(case for case, c in after.items() if c["state"] == "done"))

        with open(broken, "w", encoding="utf-8") as file:
            file.write(text)
        again = run("batch", "resume", plan, "--engine", "slurm")
        self.assertIn("submitted 1 cases in 1 tasks", again.stdout)
        wait_for("an empty queue", self.cluster.queue_is_empty)
        self.assertEqual(states()[pending[0]]["state"], "done")
        self.assertIn("submitted 0 cases", run("batch", "run", plan, "--engine", "slurm").stdout)

        slurm = lambda: next(check for check in json.loads(run("doctor", "--folder", self.scratch, "--json").stdout)["checks"] if check["what"] == "slurm")
        self.assertEqual(slurm()["state"], "good")
        self.assertRegex(slurm()["found"], r"^Slurmctld\(primary\) at localhost is UP; ct\* up, 3 nodes \w+$")
        self.cluster.stop_controller()
        self.assertEqual(slurm()["state"], "missing")
        self.assertRegex(slurm()["found"], r"at localhost is DOWN$")
        self.assertIn("slurmctld has to run", slurm()["fix"])

    def test_arrays_are_no_larger_and_tasks_no_more_at_once_than_asked_and_ask_for_what_was_said(self):
        from balls_archive import Archive
        from program import run, run_json
        made = Archive(self.scratch, (40, 24, 32, 36, 28))
        plan = os.path.join(self.scratch, "plan")
        self.assertEqual(run("batch", "plan", made.folder, "-o", plan, "--marks", made.lines).returncode, 0)
        self.assertEqual(run("batch", "run", plan, "--engine", "slurm", "--jobs", 2).returncode, 2)
        self.assertEqual(run("batch", "run", plan, "--partition", "ct").returncode, 2)
        submitted = run("batch", "run", plan, "--engine", "slurm", "--partition", "ct", "--account", "trial", "--array-size", 2, "--at-once", 1, "--memory", 1.5, "--time-limit", 600, "--sbatch=--hold")
        self.assertEqual(submitted.returncode, 0, submitted.stderr)
        jobs = re.findall(r"job (\d+)", submitted.stdout)
        self.assertIn("submitted 5 cases in 5 tasks, job ", submitted.stdout)
        self.assertEqual(len(jobs), 3)  # two tasks, two and one
        for job, tasks in zip(jobs, (2, 2, 1)):
            said = self.cluster.said("scontrol", "show", "job", job)
            for words in ("Partition=ct", "Account=trial", "TimeLimit=00:11:00", "MinMemoryNode=1500M"):
                self.assertIn(words, said)
            if tasks == 2:
                self.assertIn("ArrayTaskThrottle=1", said)
        self.cluster.said("scontrol", "release", *jobs)
        states = lambda: run_json("batch", "status", plan, "--json")["cases"]
        wait_for("an empty queue", self.cluster.queue_is_empty)
        self.assertEqual([(c["state"], c["attempts"]) for c in states()], [("done", 1)] * 5)

    def test_a_task_that_is_queued_again_at_work_ends_by_itself(self):
        plan, undisturbed, job, case = self.held_at_work()
        self.cluster.said("scontrol", "requeue", job + "_0")
        self.assert_done_once_by_slurm(plan, undisturbed, job, case)

    def test_a_task_whose_node_dies_ends_by_itself(self):
        plan, undisturbed, job, case = self.held_at_work()
        node = self.cluster.said("squeue", "-h", "-j", job + "_0", "-o", "%N").strip()
        self.cluster.kill_node(node)
        self.cluster.start_again(node)
        self.assert_done_once_by_slurm(plan, undisturbed, job, case)

    def held_at_work(self):
        """A plan in the hands of Slurm, the same one done without it, the job, and the case of its first task: its worker waits for a mask and cannot end before it was disturbed."""
        from balls_archive import Archive
        from batch_workers import hold, worker_of
        from program import content, run
        made = Archive(self.scratch, (36, 24, 30))
        plan, undisturbed = (os.path.join(self.scratch, name) for name in ("plan", "undisturbed"))
        self.assertEqual(run("batch", "plan", made.folder, "-o", plan, "--marks", made.lines).returncode, 0)
        shutil.copytree(plan, undisturbed)
        self.assertEqual(run("batch", "run", undisturbed).returncode, 0)
        case = "P-00001"
        file = os.path.join(plan, "cases", case + ".yaml")
        as_planned = content(file)
        hold(plan, [case])
        submitted = run("batch", "run", plan, "--engine", "slurm")
        job = submitted.stdout.split("job ")[1].split()[0]
        with open(os.path.join(plan, "slurm", "1", "ids"), encoding="ascii") as ids:
            self.assertEqual(ids.readline().strip(), case)
        wait_for("the first task at work", lambda: worker_of(plan, case))
        with open(file, "wb") as out:  # for the next one who reads it
            out.write(as_planned)
        return plan, undisturbed, job, case

    def assert_done_once_by_slurm(self, plan, undisturbed, job, case):
        """Nobody but Slurm began it again: no `batch run` and no `batch resume` was called since."""
        from program import assert_same_files, run_json
        wait_for("an empty queue", self.cluster.queue_is_empty)
        self.assertRegex(self.cluster.said("scontrol", "show", "job", job + "_0"), r"JobState=COMPLETED(?s:.*) Restarts=1 ")
        after = run_json("batch", "status", plan, "--json")["cases"]
        self.assertEqual([(c["state"], c["attempts"]) for c in after], [("done", 1)] * 3, after)
        events = collections.Counter()
        for log in glob.glob(os.path.join(plan, "logs", "batch-*.jsonl")):
            with open(log, encoding="utf-8") as file:
                events.update((event["event"], event.get("case")) for event in map(json.loads, file))
        self.assertEqual(events["case-started", case], 2)
        self.assertEqual([events["case-ended", c["case"]] for c in after], [1] * 3)
        self.assertGreater(assert_same_files(self, os.path.join(undisturbed, "results"), os.path.join(plan, "results")), 20 * 3)

    def setUp(self):
        declared = unittest.mock.patch.dict(os.environ, SOURCE_DATE_EPOCH="1577836800")  # the timestamps in what is compared
        declared.start()
        self.addCleanup(declared.stop)
        self.cluster, self.scratch = begin_cluster(self)


if __name__ == "__main__":
    in_a_network_of_its_own()
    unittest.main()
