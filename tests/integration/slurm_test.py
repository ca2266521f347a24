"""A plan handed to a real Slurm: a controller and three nodes on the loopback of a network of their own."""
import collections
import os
import socket
import subprocess
import sys
import time
import unittest

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket={run}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
StateSaveLocation={run}/state
SlurmctldPidFile={run}/slurmctld.pid
SlurmctldLogFile={run}/slurmctld.log
SlurmdSpoolDir={run}/spool.%n
SlurmdPidFile={run}/slurmd.%n.pid
SlurmdLogFile={run}/slurmd.%n.log
ReturnToService=2
JobRequeue=1
AccountingStorageType=accounting_storage/none
MpiDefault=none
NodeName=n[1-3] NodeHostname={host} NodeAddr=127.0.0.1 Port=[16821-16823] CPUs=2 RealMemory=12000
PartitionName=ct Nodes=n[1-3] Default=YES State=UP
"""
WAIT_S = 90
OWN_NETWORK = "RETROMASS_OWN_NETWORK"
# In a chroot the root is no mount point whose propagation could be changed.
ALONE = (("unshare", "-n", "--uts", "--mount"), ("unshare", "-n", "--uts", "--mount", "--propagation", "unchanged"))


def in_a_network_of_its_own():
    """Starts this script again where nothing but its own loopback exists, on a host whose name needs no server to be found."""
    if OWN_NETWORK not in os.environ:
        may = [way for way in ALONE if subprocess.run([*way, "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0]
        os.environ[OWN_NETWORK] = "1" if may else "0"
        if may:
            os.execvp(may[0][0], [*may[0], sys.executable, *sys.argv])
    if os.environ[OWN_NETWORK] == "1":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        # Slurm looks names up with AI_ADDRCONFIG, which finds nothing on a host that has 127.0.0.1 alone.
        subprocess.run(["ip", "address", "add", "10.255.255.1/32", "dev", "lo"], check=True)
        socket.sethostname("localhost")
        try:
            socket.getaddrinfo("localhost", None)
        except socket.gaierror:  # a bare system has no /etc/hosts: one is laid over it, seen by this test alone
            subprocess.run(["mount", "-t", "tmpfs", "etc", "/mnt"], check=True)
            subprocess.run(["cp", "-a", "/etc/.", "/mnt"], check=True)
            subprocess.run(["rm", "-f", "/mnt/hosts"], check=True)
            with open("/mnt/hosts", "w", encoding="ascii") as file:
                file.write("127.0.0.1 localhost\n")
            subprocess.run(["mount", "--bind", "/mnt", "/etc"], check=True)


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {WAIT_S} s")


class Cluster:
    def __init__(self, folder):
        self.run = folder
        self.daemons = []
        for part in ("state", "spool.n1", "spool.n2", "spool.n3"):
            os.makedirs(os.path.join(folder, part))
        os.chmod(folder, 0o755)
        key = os.path.join(folder, "munge.key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o400), "wb") as file:
            file.write(os.urandom(128))
        configuration = os.path.join(folder, "slurm.conf")
        with open(configuration, "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(host=socket.gethostname().split(".")[0], run=folder))
        with open(os.path.join(folder, "cgroup.conf"), "w", encoding="ascii") as file:
            file.write("CgroupPlugin=cgroup/v1\n")  # nothing uses it, and looking for the version fails where no such file system is mounted
        os.environ["SLURM_CONF"] = configuration
        self.key = key

    def begin(self):
        folder, key = self.run, self.key
        named = {name: os.path.join(folder, "munge." + name) for name in ("socket", "pid", "log", "seed")}
        self.start("munged", "--foreground", "--force", "--key-file", key, "--socket", named["socket"], "--pid-file", named["pid"], "--log-file", named["log"], "--seed-file", named["seed"])
        wait_for("munge", lambda: os.path.exists(named["socket"]))
        self.start("slurmctld", "-D", "-c")
        for node in ("n1", "n2", "n3"):
            self.start("slurmd", "-D", "-N", node)
        try:
            wait_for("three idle nodes", lambda: self.said("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * 3)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}")

    def start(self, *command):
        log = open(os.path.join(self.run, f"{command[0]}-{len(self.daemons)}.out"), "wb")
        self.daemons.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        log.close()

    def said(self, *command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout
        except subprocess.TimeoutExpired:
            return ""

    def logs(self):
        """The last words of every daemon."""
        out = ""
        for name in sorted(os.listdir(self.run)):
            if name.endswith((".log", ".out")):
                with open(os.path.join(self.run, name), encoding="utf-8", errors="replace") as file:
                    out += f"--- {name}\n" + "".join(file.readlines()[-6:])
        return out

    def stop(self):
        self.said("scancel", "--user", "root")
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


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
        wait_for("an empty queue", lambda: not self.cluster.said("squeue", "-h"))
        run("batch", "run", plan)  # what the cancelled task held while the first runner passed by
        after = states()
        self.assertEqual(collections.Counter(c["state"] for c in after.values()), {"done": 5, "refused": 1, "waiting": 1}, after)
        self.assertEqual([c["attempts"] for c in after.values() if c["state"] == "done"], [1] * 5)
        self.assertEqual(sorted(os.listdir(os.path.join(plan, "results"))), sorted(case for case, c in after.items() if c["state"] == "done"))

        with open(broken, "w", encoding="utf-8") as file:
            file.write(text)
        again = run("batch", "resume", plan, "--engine", "slurm")
        self.assertIn("submitted 1 cases in 1 tasks", again.stdout)
        wait_for("an empty queue", lambda: not self.cluster.said("squeue", "-h"))
        self.assertEqual(states()[pending[0]]["state"], "done")
        self.assertIn("submitted 0 cases", run("batch", "run", plan, "--engine", "slurm").stdout)

    def setUp(self):
        import shutil
        import tempfile
        from program import absent, needs_program
        if os.environ[OWN_NETWORK] != "1":
            absent(self, "unshare -n: no network of its own, no cluster was started")
        for program in ("munged", "slurmctld", "slurmd", "sbatch"):
            needs_program(self, program)
        self.scratch = tempfile.mkdtemp(prefix="retromass-slurm-")
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.cluster = Cluster(os.path.join(self.scratch, "cluster"))
        self.addCleanup(self.cluster.stop)
        self.cluster.begin()


if __name__ == "__main__":
    in_a_network_of_its_own()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    unittest.main()
