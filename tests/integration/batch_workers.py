"""Workers of a batch that stay at work until they were looked at."""
import contextlib
import os
import signal
import subprocess
import time

from program import PROGRAM, SLOWER, content


def hold(plan, cases):
    """Gives the cases a mask that nobody writes to: whoever opens it waits for ever."""
    os.mkfifo(os.path.join(plan, "cases", "hangs.nii"))
    for case in cases:
        with open(os.path.join(plan, "cases", case + ".yaml"), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(plan, "cases", case + ".yaml"), "w", encoding="utf-8") as file:
            file.write(text[:text.index("{marks:")] + "{mask: hangs.nii}\n")


def worker_of(plan, case):
    """The process that runs the case: the lock's last, once it is the program it was started for; None before and after."""
    try:
        _, pid = content(os.path.join(plan, "state", case + ".lock")).split()[-2:]
        return int(pid) if content(f"/proc/{pid.decode()}/cmdline").split(b"\0")[1] == b"run" else None
    except (OSError, ValueError, IndexError):
        return None


class Held:
    """`batch run` of held cases, its progress on `screen`; at the end of the `with` neither it nor its workers are left."""

    def __init__(self, plan, cases, *options, screen=None):
        self.plan, self.cases, self.screen = plan, cases, screen
        self.command = [PROGRAM, "batch", "run", plan, "--only", *cases, *map(str, options)]

    def __enter__(self):
        self.runner = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=self.screen)
        return self

    def __exit__(self, *_):
        self.runner.kill()
        self.runner.wait()
        workers = list(self.at_work().values())
        self.kill(*workers)
        latest = time.monotonic() + 10
        while any(os.path.exists(f"/proc/{pid}") for pid in workers) and time.monotonic() < latest:  # their claims go with them
            time.sleep(0.01)

    def at_work(self):
        found = {case: worker_of(self.plan, case) for case in self.cases}
        return {case: pid for case, pid in found.items() if pid}

    @staticmethod
    def kill(*workers):
        for pid in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def until(self, what):
        """Waits until it is so; whether it was, before the runner ended or a minute went by."""
        latest = time.monotonic() + 60 * SLOWER
        while not what() and time.monotonic() < latest and self.runner.poll() is None:
            time.sleep(0.02)
        return what()
