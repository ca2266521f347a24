"""Cases whose sizes were reported, without images: what a trial exports and compares, in seconds."""
import os

from program import run

PROTOCOL = """protocol: TRIAL-1
version: 1
evaluator: INDEPENDENT ASSESSOR
visits:
  - {name: BASELINE, from_day: -28, to_day: 0}
  - {name: WEEK 8, from_day: 49, to_day: 63}
  - {name: WEEK 16, from_day: 105, to_day: 119}
"""

CASE = """case: {case}
protocol: protocol.yaml
timepoints:
  - {{id: base, date: 2020-01-01, new_lesions: none, reader: R1}}
  - {{id: second, date: 2020-03-06, new_lesions: none, reader: R1}}
  - {{id: third, date: 2020-05-01, new_lesions: {new}, reader: R1}}
treatments:
  - {{kind: systemic, line: 1, start: 2020-01-10, agents: [doxorubicin]}}
lesions:
"""


def size(mm, short=None):
    return "{reported: {long_axis_mm: %s, %ssource: read, by: R1}}" % (mm, f"short_axis_mm: {short}, " if short else "")


def said(word, more=""):
    return "{status: %s, reader: R1, date: 2020-06-01%s}" % (word, more)


def lesion(name, site, base=None, second=None, third=None, role="target", nodal=False):
    out = f"  - id: {name}\n    role: {role}\n    site: {site}\n" + ("    nodal: true\n" if nodal else "") + "    timepoints:\n"
    for timepoint, what in (("base", base), ("second", second), ("third", third)):
        if what:
            out += f"      {timepoint}: {what}\n"
    return out


def run_case(folder, case, lesions, new="none", edit=lambda text: text):
    """Runs the case and answers its result folder."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "protocol.yaml"), "w", encoding="utf-8") as file:
        file.write(PROTOCOL)
    case_file = os.path.join(folder, case + ".yaml")
    with open(case_file, "w", encoding="utf-8") as file:
        file.write(edit(CASE.format(case=case, new=new) + "".join(lesions)))
    out = os.path.join(folder, case)
    done = run("run", case_file, "-o", out)
    if done.returncode:
        raise AssertionError(done.stderr)
    return out
