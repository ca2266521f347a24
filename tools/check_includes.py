#!/usr/bin/env python3
"""check_includes.py [ROOT]: the arrows between the rooms and the fences round the toolkits, as a test.

Prints one line a violation and exits 1 if there is any. The tables below are the rules; ARCHITECTURE.md draws them.
"""
import re
import sys
from pathlib import Path

# A room: its folder -> the rooms whose door it may include (its own headers always).
ROOMS = {
    "core": (),
    "pipeline/ingest": ("core",),
    "segmentation": ("core",),
    "measurement": ("core",),
    "measurement/response": ("core", "measurement"),
    "pipeline/outputs": ("core", "pipeline/ingest", "segmentation", "measurement", "measurement/response"),
    "pipeline/pacs": ("core", "pipeline/ingest"),
    "pipeline/run": ("core", "pipeline/ingest", "segmentation", "measurement", "measurement/response", "pipeline/outputs"),
    "pipeline/batch": ("core", "pipeline/ingest", "pipeline/outputs", "pipeline/run"),
    "pipeline/trial": ("core", "pipeline/ingest", "measurement/response", "pipeline/outputs", "pipeline/run"),
    "sample_data": ("core",),
    "viewer": ("core", "segmentation", "measurement", "measurement/response"),
    "pipeline/cli": ("core", "pipeline/ingest", "segmentation", "measurement", "measurement/response", "pipeline/outputs",
                     "pipeline/pacs", "pipeline/run", "pipeline/batch", "pipeline/trial", "sample_data", "viewer"),
}
DOORS = {
    "pipeline/ingest": "ingest.h", "segmentation": "segment.h", "measurement": "measure.h",
    "measurement/response": "response.h", "pipeline/outputs": "outputs.h", "pipeline/pacs": "pacs.h",
    "pipeline/run": "run.h", "pipeline/batch": "batch.h", "pipeline/trial": "trial.h", "sample_data": "phantom.h", "viewer": "view.h",
}  # every header of core is a door
STANDARD_LIBRARY_ONLY = ("core", "measurement", "measurement/response")
FREE = ("tests", "bench", "tools")  # may include every room and library

# A toolkit: the folder it lives in -> its headers, and its names in code.
TOOLKITS = {
    "dcmtk": (re.compile(r"dcmtk/"), re.compile(r"\b(Dcm[A-Z]\w*|OFCondition|OFString|DSR[A-Z]\w*|E_TransferSyntax)\b")),
    "itk": (re.compile(r"itk\w*\.h$|vnl/|vcl_"), re.compile(r"\bitk::")),
    "vtk": (re.compile(r"vtk\w*\.h$|QVTK|X11/"), re.compile(r"\bvtk[A-Z]\w*")),
    "cairo": (re.compile(r"cairo|pango/"), re.compile(r"\b(cairo_\w+|Pango[A-Z]\w*)\b")),
    "curl": (re.compile(r"curl/"), re.compile(r"\b(CURL\w*|curl_\w+)\b")),
    "openjpeg": (re.compile(r"openjpeg"), re.compile(r"\b(opj_\w+|OPJ_\w+)\b")),
    "charls": (re.compile(r"charls/"), re.compile(r"\b(charls_\w+|CHARLS_\w+|charls::\w+)\b")),
}
# Smaller libraries: never in a door, never in the standard-library-only rooms.
LIBRARIES = re.compile(r"nlohmann/|yaml-cpp/|CLI/|fmt/|spdlog/|zlib\.h$|openssl/|sqlite3\.h$")
SYSTEM = re.compile(r"unistd\.h$|fcntl\.h$|dlfcn\.h$|sys/\w+\.h$|poll\.h$|signal\.h$|netdb\.h$|spawn\.h$")
STANDARD = set("""algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes
climits clocale cmath compare complex concepts condition_variable csetjmp csignal cstdarg cstddef cstdint cstdio cstdlib
cstring ctime cwchar deque exception execution filesystem forward_list fstream functional future initializer_list iomanip
ios iosfwd iostream istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric optional
ostream queue random ratio regex scoped_allocator semaphore set shared_mutex span sstream stack stdexcept stop_token
streambuf string string_view system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility
valarray variant vector version""".split())

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def room_of(path):
    """The room a file lies in, the longest folder that fits; None outside all rooms."""
    fits = [room for room in ROOMS if path.startswith(room + "/")]
    return max(fits, key=len) if fits else None


def toolkit_of_folder(path):
    for part in reversed(path.split("/")[:-1]):
        if part in TOOLKITS:
            return part
    return None


def toolkit_of_header(header):
    for toolkit, (headers, _) in TOOLKITS.items():
        if headers.match(header):
            return toolkit
    return None


def check(root):
    root = Path(root)
    files = {}
    for top in sorted({room.split("/")[0] for room in ROOMS} | set(FREE)):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".hpp", ".cpp", ".cc") and path.is_file():
                files[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8", errors="replace")
    includes = {name: INCLUDE.findall(text) for name, text in files.items()}
    doors = {f"{room}/{door}" for room, door in DOORS.items()}
    found = []

    def reached_toolkits(name, seen):
        """Toolkits a header brings in, directly or through other headers of ours."""
        if name in seen or name not in includes:
            return set()
        seen.add(name)
        reached = set()
        for _, header in includes[name]:
            if header in includes:
                reached |= reached_toolkits(header, seen)
            elif toolkit_of_header(header):
                reached.add(toolkit_of_header(header))
        return reached

    for name, text in files.items():
        room = room_of(name)
        if room is None:
            if name.split("/")[0] not in FREE:
                found.append(f"{name}: lies in no room; see ROOMS in tools/check_includes.py")
            continue
        is_header = not name.endswith((".cpp", ".cc"))
        folder_toolkit = toolkit_of_folder(name)
        for quote, header in includes[name]:
            line = f'{name}: includes "{header}"'
            if header in files:
                other = room_of(header)
                if other is None:
                    found.append(f"{line}, which belongs to no room")
                elif other != room:
                    if other not in ROOMS[room]:
                        found.append(f"{line}: {room} must not know {other}")
                    elif other in DOORS and header != f"{other}/{DOORS[other]}":
                        found.append(f"{line}: the door of {other} is {DOORS[other]}")
                if folder_toolkit is None:
                    for toolkit in sorted(reached_toolkits(header, set())):
                        found.append(f"{line}, which brings in {toolkit} outside a folder {toolkit}/")
                continue
            if quote == '"' and (root / name).parent.joinpath(header).is_file():
                found.append(f"{line}: includes are written from the root")
                continue
            toolkit = toolkit_of_header(header)
            if toolkit:
                if folder_toolkit != toolkit:
                    found.append(f"{line}: {toolkit} lives in a folder {toolkit}/")
                if room in STANDARD_LIBRARY_ONLY:
                    found.append(f"{line}: {room} includes the standard library only")
            elif header in STANDARD:
                pass
            elif LIBRARIES.match(header) or SYSTEM.match(header):
                if room in STANDARD_LIBRARY_ONLY:
                    found.append(f"{line}: {room} includes the standard library only")
                elif name in doors:
                    found.append(f"{line}: libraries stay out of doors")
            else:
                found.append(f"{line}: no such file below the root, and no library the tables name")
        if is_header:
            code = COMMENT.sub("", text)
            for toolkit, (_, names) in TOOLKITS.items():
                word = names.search(code)
                if word and folder_toolkit != toolkit:
                    found.append(f"{name}: names {word.group(0)} outside a folder {toolkit}/")
    return found


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = check(root)
    for line in found:
        print(line)
    print(f"check_includes: {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
