"""A real window of the viewer on a display of its own, driven as a reader drives it: keys, clicks, drags."""
import os
import shutil
import subprocess
import tempfile
import time

from program import PROGRAM

WIDTH, HEIGHT = 1200, 900           # of the pictures (viewer/view.h, PictureSize); the table stands to their right
HEAD, FOOT = 0.91, 0.045            # viewer/vtk/panes.cpp: captions above, the band below
AXIAL = (0.25 * WIDTH, HEIGHT * (1 - (HEAD + (HEAD + FOOT) / 2) / 2))   # middle of the pane, from the upper left corner
TABLE, ROW = (WIDTH + 20, HEIGHT * (1 - HEAD)), 20   # where it begins; height of a line
PANE_HEIGHT = HEIGHT * (HEAD - (HEAD + FOOT) / 2)


class Window:
    """`retromass view ARGUMENTS` under an Xvfb of its own; use as a context."""

    def __init__(self, *arguments):
        self.arguments = list(map(str, arguments))

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="retromass-display-")
        read, write = os.pipe()
        self.server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp", "-fbdir", self.folder],
                                       pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as number:
            self.display = ":" + number.readline().strip()
        self.environment = {**os.environ, "DISPLAY": self.display}
        self.program = subprocess.Popen([PROGRAM, "view", *self.arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            self.window = self.found()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in (self.program, self.server):
            if process.poll() is None:
                process.terminate()
                process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def found(self, seconds=120):
        """The window, once it is there, has drawn itself and has read the whole case: "(reading)" is gone from its title."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.program.poll() is None:
            done = subprocess.run(["xdotool", "search", "--onlyvisible", "--name", "^Retromass - [^(]*$"], env=self.environment, capture_output=True, text=True)
            if done.returncode == 0 and done.stdout.strip():
                self.window = done.stdout.split()[0]
                while not self.drawn() and time.monotonic() < end:
                    time.sleep(0.1)
                self.do("windowfocus", "--sync", self.window)
                return self.window
            time.sleep(0.2)
        raise AssertionError("no window: " + (self.program.stderr.read() if self.program.poll() is not None else "nothing was shown"))

    def do(self, *what):
        subprocess.run(["xdotool", *map(str, what)], env=self.environment, check=True, timeout=60)

    def key(self, *names):
        for name in names:
            self.do("key", name)

    def drag(self, x1, y1, x2, y2):
        self.do("mousemove", "--window", self.window, round(x1), round(y1), "mousedown", 1)
        self.do("mousemove", "--window", self.window, round((x1 + x2) / 2), round((y1 + y2) / 2))
        self.do("mousemove", "--window", self.window, round(x2), round(y2), "mouseup", 1)

    def click(self, x, y):
        self.do("mousemove", "--window", self.window, round(x), round(y), "click", 1)

    def until(self, true, key=None, seconds=120):
        """Waits until something holds, pressing a key now and then."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if true():
                return
            if self.program.poll() is not None:
                raise AssertionError("the window closed: " + self.program.stderr.read())
            if key:
                self.key(key)
            time.sleep(0.3)
        raise AssertionError("nothing happened")

    def click_row(self, row):
        self.click(TABLE[0], TABLE[1] + ROW * (row + 0.5))

    def close(self):
        """Closes it by its key; what it printed."""
        self.key("q")
        out, error = self.program.communicate(timeout=60)
        if self.program.returncode:
            raise AssertionError(error)
        return out

    def screen(self):
        """Rows of red, green and blue bytes, from the X window dump that Xvfb keeps."""
        with open(os.path.join(self.folder, "Xvfb_screen0"), "rb") as file:
            dump = file.read()
        field = [int.from_bytes(dump[4 * i:4 * i + 4], "big") for i in range(25)]
        start, width, height, line = field[0] + 12 * field[19], field[4], field[5], field[12]
        rows = []
        for y in range(height):
            row = dump[start + y * line:start + y * line + 4 * width]
            rgb = bytearray(3 * width)
            rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
            rows.append(bytes(rgb))
        return rows

    def drawn(self):
        """Whether the band is there, the last of the panes."""
        return self.screen()[HEIGHT - 5][:3] == bytes((128, 26, 13))   # 0.5, 0.1, 0.05 (viewer/vtk/panes.cpp)

    def picture(self, path):
        """The screen as a PPM file."""
        rows = self.screen()
        with open(path, "wb") as out:
            out.write(b"P6 %d %d 255\n" % (len(rows[0]) // 3, len(rows)))
            out.writelines(rows)
