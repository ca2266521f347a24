"""A `retromass pacs listen` of the test's own, started on a free port of the loopback and ended by its process ID."""
import os
import signal
import socket
import subprocess
import tempfile
import time

from program import PROGRAM


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def data_set(path):
    """The bytes behind the file meta group."""
    with open(path, "rb") as file:
        content = file.read()
    return content[144 + int.from_bytes(content[140:144], "little"):]


class Node:
    def __init__(self, folder, *options, allow=("STORESCU", "ECHOSCU", "DCMSEND", "HOSTILE"), quiet=1, spool=None, out=None, port=None, keep_free="1MB"):
        self.port = port or free_port()
        self.spool = spool or os.path.join(folder, "spool")
        self.out = out or os.path.join(folder, "out")
        self.errors = tempfile.TemporaryFile("w+")
        callers = [a for caller in allow for a in ("--allow", caller)]
        standing = ["--spool", self.spool, "-o", self.out, "--port", str(self.port), "--quiet-after", str(quiet), "--keep-free", str(keep_free)]
        self.process = subprocess.Popen([PROGRAM, "pacs", "listen", *standing, *callers, *map(str, options)], stdout=subprocess.DEVNULL, stderr=self.errors)
        self.wait_for("listening on")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.errors.close()

    def log(self):
        # by its own handle: the position of the shared one is where the node writes
        with open(f"/proc/self/fd/{self.errors.fileno()}", encoding="utf-8") as file:
            return file.read()

    def wait_for(self, text, seconds=30, count=1):
        until = time.monotonic() + seconds
        while self.log().count(text) < count:
            if self.process.poll() is not None and self.log().count(text) < count:
                raise AssertionError(f"the node ended with {self.process.returncode} before '{text}':\n{self.log()}")
            if time.monotonic() > until:
                raise AssertionError(f"no '{text}' within {seconds} s:\n{self.log()}")
            time.sleep(0.05)
        return self.log()

    def stop(self, how=signal.SIGTERM):
        """Exit code, and how long the node took to stop."""
        start = time.monotonic()
        os.kill(self.process.pid, how)
        return self.process.wait(30), time.monotonic() - start

    def objects(self):
        """Paths below objects/, as the node keeps them."""
        root = os.path.join(self.spool, "objects")
        return sorted(os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names)

    def incoming(self):
        return os.listdir(os.path.join(self.spool, "incoming"))

    def client(self, program, *arguments, calling=None):
        """storescu, echoscu or dcmsend against the node."""
        title = ["-aet", calling] if calling else []
        return subprocess.run([program, *title, "-aec", "RETROMASS", "127.0.0.1", str(self.port), *map(str, arguments)], capture_output=True, text=True, timeout=120)
