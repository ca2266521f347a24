#!/usr/bin/python3
"""What other programs measured and drew: every SR of the collection against pydicom's reading of its content."""
import os
import unittest

import pydicom

from program import InScratch, run, run_json

FOLDER = os.path.join(os.environ["RETROMASS_DATA"], "quirks", "23_SEG_SR_RTSTRUCT_examples")


def record(outcome):
    """Counts the test among those that saw real data (tests/support/real_data.h)."""
    ledger = os.environ.get("RETROMASS_DATA_LEDGER")
    if ledger:
        with open(ledger, "a", encoding="ascii") as file:
            file.write(f"{outcome} integration.marks_test\n")


def code(item):
    return item.ConceptNameCodeSequence[0].CodeValue if "ConceptNameCodeSequence" in item else ""


def groups_of(item):
    """All measurement groups (125007, DCM) below a content item."""
    for child in item.get("ContentSequence", []):
        if child.ValueType == "CONTAINER":
            if code(child) == "125007":
                yield child
            else:
                yield from groups_of(child)


def numbers_of(group):
    return [(n.ConceptNameCodeSequence[0].CodeMeaning, float(n.MeasuredValueSequence[0].NumericValue), n.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue)
            for n in group.ContentSequence if n.ValueType == "NUM"]


def tracking_uid(group):
    return next((c.UID for c in group.ContentSequence if code(c) == "112040"), "")


class ForeignReports(unittest.TestCase):
    @unittest.skipUnless(os.path.isdir(FOLDER), "no real data")
    def test_each_sr_of_the_collection_gives_its_measurements(self):
        seen = 0
        for root, _, names in sorted(os.walk(FOLDER)):
            for name in sorted(names):
                try:
                    data = pydicom.dcmread(os.path.join(root, name))
                except pydicom.errors.InvalidDicomError:
                    continue
                if data.get("Modality") != "SR":
                    continue
                with self.subTest(name):
                    marks = run_json("marks", os.path.join(root, name), "--json")["files"][0]["marks"]
                    expected = sorted((tracking_uid(g), numbers_of(g)) for g in groups_of(data))
                    found = sorted((m["tracking_uid"], [(v["name"], v["value"], v["unit"]) for v in m["values"]]) for m in marks)
                    self.assertEqual(found, expected)
                    seen += len(expected)
        self.assertEqual(seen, 6)  # five groups of two documents of one vendor, one of another's


if __name__ == "__main__":
    if os.path.isdir(FOLDER):
        record("run")
    else:
        record("skipped")
        if os.environ.get("RETROMASS_REQUIRE_DATA") == "1":
            raise SystemExit(f"no real data under {FOLDER}, and RETROMASS_REQUIRE_DATA is set")
    unittest.main(verbosity=2)
