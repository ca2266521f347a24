#!/usr/bin/env python3
"""check_text.py [ROOT]: ASCII in source, no unfinished marks, one docs page a room, nothing binary but pictures in docs.

Prints one line a violation and exits 1 if there is any. Files of more than 600 lines, and pages
named in a source that are not there, are reported, not refused.
"""
import re
import sys
from pathlib import Path

SOURCE = {".h", ".hpp", ".cpp", ".cc", ".py", ".sh", ".cmake"}
TEXT = SOURCE | {".md", ".txt", ".json", ".yaml", ".yml", ".csv", ".html", ".css", ".js", ""}
LEFT_OUT = {"build", "demo", ".git", "__pycache__"}
LONG = 600
PAGES = {  # a room's folder -> its page
    "pipeline/ingest": "ingest", "segmentation": "segmentation", "measurement": "measurement",
    "measurement/response": "response", "pipeline/outputs": "outputs", "pipeline/run": "run", "pipeline/trial": "trial",
    "pipeline/pacs": "pacs", "sample_data": "sample_data", "viewer": "viewer",
}
PAGE = re.compile(r"[\w./-]+\.md\b")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b(?!\(#\d+\))")


def files_below(root):
    for path in sorted(root.rglob("*")):
        parts = path.relative_to(root).parts
        if path.is_file() and not any(part in LEFT_OUT for part in parts):
            yield path, "/".join(parts)


def check(root):
    root = Path(root)
    found, remarks = [], []
    for path, name in files_below(root):
        content = path.read_bytes()
        if b"\0" in content:
            if not (name.startswith("docs/images/") and name.endswith(".png")):
                found.append(f"{name}: binary; everything but pictures in docs/images is made, not kept")
            continue
        if path.suffix not in TEXT:
            continue
        lines = content.split(b"\n")
        if path.suffix in SOURCE or path.name in ("CMakeLists.txt", "Makefile"):
            for number, line in enumerate(lines, 1):
                if not line.isascii():
                    found.append(f"{name}:{number}: not ASCII")
                if UNFINISHED.search(line.decode("utf-8", "replace")):
                    found.append(f"{name}:{number}: unfinished; finish it or name the issue as {'TO' + 'DO'}(#n)")
        if path.suffix in (".cpp", ".h"):
            for page in sorted(set(PAGE.findall(content.decode("utf-8", "replace")))):
                if not any((root / folder / page).exists() for folder in ("", "docs", "docs/stages")):
                    remarks.append(f"{name}: names {page}, which is not there")
        if path.suffix in (".cpp", ".h") and len(lines) - 1 > LONG:
            remarks.append(f"{name}: {len(lines) - 1} lines; more than {LONG} are hard to read alone")
    for room, page in PAGES.items():
        if (root / room / "CMakeLists.txt").exists() and not (root / "docs" / "stages" / f"{page}.md").exists():
            found.append(f"docs/stages/{page}.md: missing; {room} has no page")
    return found, remarks


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found, remarks = check(root)
    for line in remarks + found:
        print(line)
    print(f"check_text: {len(found)} violations, {len(remarks)} remarks")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
