"""A real Slurm for the tests: a controller and three nodes on the loopback of a network of their own."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket={run}/munge.socket,cred_expire=15
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
StateSaveLocation={run}/state
BatchStartTimeout=1
SchedulerParameters=sched_interval=2
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
WAIT_S = 180  # a lost job is queued again after cred_expire, and a busy machine takes its time
POWER_OFF_S = 13  # Slurm takes a task that is not there for one that is not there yet within BatchStartTimeout (1 s) and a message's time-out (10 s)
NODES = ("n1", "n2", "n3")
OWN_NETWORK = "RETROMASS_OWN_NETWORK"
# In a chroot the root is no mount point whose propagation could be changed.
ALONE = (("unshare", "-n", "--uts", "--mount"), ("unshare", "-n", "--uts", "--mount", "--propagation", "unchanged"))


def in_a_network_of_its_own():
    """Starts this script again where nothing but its own loopback exists, on a host whose name needs no server to be found."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
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


def step_above(process):
    """The slurmstepd that a process of a job belongs to; 0 = none."""
    while process > 1:
        with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as file:
            name, fields = file.read().rsplit(")", 1)
        if "slurmstepd" in name:
            return process
        process = int(fields.split()[1])
    return 0


def signal_all(processes, what):
    for process in processes:
        try:
            os.kill(process, what)
        except ProcessLookupError:
            pass


def begin_cluster(test):
    """A running cluster that ends with the test, and a folder of the test's own."""
    from program import absent, needs_program
    if os.environ[OWN_NETWORK] != "1":
        absent(test, "unshare -n: no network of its own, no cluster was started")
    for program in ("munged", "slurmctld", "slurmd", "sbatch"):
        needs_program(test, program)
    scratch = tempfile.mkdtemp(prefix="retromass-slurm-")
    test.addCleanup(shutil.rmtree, scratch, ignore_errors=True)
    cluster = Cluster(os.path.join(scratch, "cluster"))
    test.addCleanup(cluster.stop)
    cluster.begin()
    return cluster, scratch


class Cluster:
    def __init__(self, folder):
        self.run = folder
        self.daemons = []
        self.node = {}
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
        for node in NODES:
            self.start_node(node)
        try:
            wait_for("three idle nodes", lambda: self.said("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * 3)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}")

    def start(self, *command):
        log = open(os.path.join(self.run, f"{command[0]}-{len(self.daemons)}.out"), "wb")
        self.daemons.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        log.close()

    def start_node(self, node):
        self.start("slurmd", "-D", "-N", node)
        self.node[node] = self.daemons[-1]

    def kill_node(self, node):
        """As a power cut would: the daemon, its steps and what they run, at one moment, none of them asked. Answers how many processes that were."""
        daemon = self.node[node]
        stopped = set()
        found = {daemon.pid}
        while found:  # killed one after the other, a runner would see its worker die and call the case failed; stopped first, none sees another end or begins one
            signal_all(found, signal.SIGSTOP)
            stopped |= found
            found = self.processes_of(node) - stopped
        signal_all(stopped, signal.SIGKILL)
        daemon.wait()
        self.daemons.remove(daemon)
        return len(stopped)

    @staticmethod
    def processes_of(node):
        """The steps of a node and what they run."""
        processes = set()
        for name in os.listdir("/proc"):
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    environment = file.read().split(b"\0")
                # Another cluster on this machine may have a node of that name.
                if {f"SLURMD_NODENAME={node}".encode(), f"SLURM_CONF={os.environ['SLURM_CONF']}".encode()} <= set(environment):
                    processes |= {int(name), step_above(int(name))}
            except (OSError, ValueError):
                continue  # no process, or gone already
        return processes - {0}

    def start_again(self, node):
        """Power is back."""
        time.sleep(POWER_OFF_S)
        self.start_node(node)

    def stop_controller(self):
        controller = next(daemon for daemon in self.daemons if daemon.args[0] == "slurmctld")
        controller.terminate()
        controller.wait(timeout=20)
        self.daemons.remove(controller)

    def said(self, *command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout
        except subprocess.TimeoutExpired:
            return ""

    def queue_is_empty(self):
        """Said by a controller that answers: one that is busy says nothing, which is not the same."""
        try:
            answer = subprocess.run(["squeue", "-h"], capture_output=True, text=True, timeout=20)
        except subprocess.TimeoutExpired:
            return False
        return answer.returncode == 0 and not answer.stdout

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
