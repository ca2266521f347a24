"""SDTM TU, TR and RS as somebody who loads them would check them: keys, links, terminology, and sums added again."""
import csv
import os
import unittest
from decimal import Decimal

from program import InScratch, read_json, run
from trial_cases import lesion, run_case, said, size

# What the CDISC controlled terminology calls the tests that are written.
TESTS = {"TU": {"TUMIDENT", "TUSPLIT", "TUMERGE"},
         "TR": {"LDIAM", "LPERP", "LNSTATE", "TUMSTATE", "SUMDIAM", "ACNSD", "PCBSD", "PCNSD"},
         "RS": {"TRGRESP", "NTRGRESP", "NEWLIND", "NEWLPROG", "OVRLRESP", "BESTRESP"}}
RESPONSES = {"CR", "PR", "SD", "PD", "NE", "NON-CR/NON-PD", "Y", "N", "EQUIVOCAL", "UNEQUIVOCAL", "NED"}


def rows(folder, domain):
    with open(os.path.join(folder, domain.lower() + ".csv"), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Sdtm(InScratch):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.results = os.path.join(cls.scratch, "results")
        # T1 becomes too small, then disappears; T2 takes T3 in; T4, listed behind them, falls into two parts; node N1 goes below 10 mm.
        run_case(cls.results, "P-1", [
            lesion("T1", "liver", size(20), said("too-small"), said("absent")),
            lesion("T2", "lung", size(30), size(28), size(40)),
            lesion("T3", "lung", size(25), size(24), said("merged", ", merged_into: T2")),
            lesion("T4a", "retroperitoneum", None, size(31), size(30)),
            lesion("T4b", "retroperitoneum", None, size(12.5), size(11)),
            lesion("T4", "retroperitoneum", size(60), "{split_into: [T4a, T4b]}", "{split_into: [T4a, T4b]}"),
            lesion("N1", "mediastinum", size(25, 18), size(20, 9), size(20, 9), nodal=True),
            lesion("NT1", "bone", said("present"), said("present"), said("unequivocal-progression"), role="non-target"),
            lesion("NEW1", "liver", None, None, size(12), role="new"),
        ], new="unequivocal")
        # One target cannot be evaluated at the second study, and nobody states the new lesions of the third.
        run_case(cls.results, "P-2", [lesion("T1", "liver", size(50), said("not-evaluable"), size(33)), lesion("T2", "liver", size(40), size(30), size(30))],
                 edit=lambda text: text.replace("date: 2020-05-01, new_lesions: none, ", "date: 2020-05-01, "))
        cls.folder = os.path.join(cls.scratch, "sdtm")
        cls.done = run("sdtm", cls.results, "-o", cls.folder, "--protocol", os.path.join(cls.results, "protocol.yaml"))

    def tr(self, case, lesion_id, visit, code):
        found = [r for r in rows(self.folder, "TR") if (r["USUBJID"], r["TRLNKID"], r["VISIT"], r["TRTESTCD"]) == (case, lesion_id, visit, code)]
        self.assertEqual(len(found), 1, (case, lesion_id, visit, code))
        return found[0]

    def test_keys_are_unique_and_every_row_says_whose_it_is(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        for domain in TESTS:
            table = rows(self.folder, domain)
            self.assertTrue(table)
            self.assertEqual(len({(r["USUBJID"], r[domain + "SEQ"]) for r in table}), len(table), domain)
            for row in table:
                self.assertEqual((row["STUDYID"], row["DOMAIN"]), ("TRIAL-1", domain))
                self.assertIn(row[domain + "TESTCD"], TESTS[domain])
                self.assertLessEqual(len(row[domain + "TEST"]), 40, "SDTM: a test name has at most 40 characters")
                self.assertEqual((row[domain + "EVAL"], row[domain + "EVALID"]), ("INDEPENDENT ASSESSOR", "R1"))
        visits = {(r["VISIT"], r["VISITNUM"]) for r in rows(self.folder, "TR")}
        self.assertEqual(visits, {("BASELINE", "1"), ("WEEK 8", "2"), ("WEEK 16", "3")})

    def test_the_protocol_of_every_record_is_its_supplemental_qualifier(self):
        name = read_json(os.path.join(self.results, "P-1", "case.json"))["response"]["protocol"]
        for domain in TESTS:
            qualifiers = rows(self.folder, "supp" + domain)
            self.assertEqual([(q["USUBJID"], q["IDVARVAL"]) for q in qualifiers], [(r["USUBJID"], r[domain + "SEQ"]) for r in rows(self.folder, domain)])
            for q in qualifiers:
                self.assertEqual((q["STUDYID"], q["RDOMAIN"], q["IDVAR"], q["QVAL"]), ("TRIAL-1", domain, domain + "SEQ", name))
                self.assertLessEqual(len(q["QNAM"]), 8)
                self.assertLessEqual(len(q["QLABEL"]), 40)
                self.assertLessEqual(len(q["QVAL"]), 200)
        missing = rows(self.folder, "missing")
        self.assertTrue(missing)
        self.assertEqual({row["protocol"] for row in missing}, {name})

    def test_every_result_belongs_to_an_identified_tumour(self):
        for case in ("P-1", "P-2"):
            known = {r["TULNKID"] for r in rows(self.folder, "TU") if r["USUBJID"] == case}
            linked = {r["TRLNKID"] for r in rows(self.folder, "TR") if r["USUBJID"] == case} - {""}
            self.assertEqual(known, linked, case)
        groups = {(r["USUBJID"], r["TRLNKGRP"]) for r in rows(self.folder, "TR")}
        self.assertTrue({(r["USUBJID"], r["RSLNKGRP"]) for r in rows(self.folder, "RS") if r["RSLNKGRP"]} <= groups)

    def test_the_lengths_of_the_targets_add_up_to_their_sum(self):
        compared = 0
        for row in rows(self.folder, "TR"):
            if row["TRTESTCD"] != "SUMDIAM" or row["TRSTAT"]:
                continue
            parts = [r for r in rows(self.folder, "TR") if (r["USUBJID"], r["TRLNKGRP"], r["TRGRPID"]) == (row["USUBJID"], row["TRLNKGRP"], "TARGET") and r["TRTESTCD"] in ("LDIAM", "LPERP")]
            self.assertEqual(sum(Decimal(r["TRSTRESN"]) for r in parts), Decimal(row["TRSTRESN"]), row)
            compared += 1
        self.assertEqual(compared, 5)  # three of P-1, two of P-2: its second sum is incomplete
        # 20 + 30 + 25 + 60 + 18 mm; 5 + 28 + 24 + 31 + 12.5 + 9; 0 + 40 + 30 + 11 + 9
        sums = [r["TRSTRESN"] for r in rows(self.folder, "TR") if r["TRTESTCD"] == "SUMDIAM" and r["USUBJID"] == "P-1"]
        self.assertEqual(sums, ["153", "109.5", "90"])

    def test_too_small_gone_merged_and_split_are_coded_as_in_the_cdisc_examples(self):
        small = self.tr("P-1", "T1", "WEEK 8", "LDIAM")
        self.assertEqual((small["TRORRES"], small["TRORRESU"], small["TRSTRESC"], small["TRSTRESN"], small["TRSTRESU"]), ("TOO SMALL TO MEASURE", "", "5", "5", "mm"))
        self.assertEqual(self.tr("P-1", "T1", "WEEK 16", "LDIAM")["TRORRES"], "0")
        self.assertEqual(self.tr("P-1", "T2/T3", "WEEK 16", "LDIAM")["TRSTRESN"], "40")
        self.assertEqual(self.tr("P-1", "T4.1", "WEEK 8", "LDIAM")["TRSTRESN"], "31")
        self.assertEqual(self.tr("P-1", "T4.2", "WEEK 16", "LDIAM")["TRSTRESN"], "11")
        told = {(r["TULNKID"], r["TUTESTCD"], r["TUORRES"], r["VISIT"]) for r in rows(self.folder, "TU") if r["USUBJID"] == "P-1"}
        self.assertLessEqual({("T4", "TUMIDENT", "TARGET", "BASELINE"), ("T4.1", "TUSPLIT", "TARGET", "WEEK 8"), ("T4.2", "TUSPLIT", "TARGET", "WEEK 8"), ("T2/T3", "TUMERGE", "TARGET", "WEEK 16"),
                              ("NT1", "TUMIDENT", "NON-TARGET", "BASELINE"), ("NEW1", "TUMIDENT", "NEW", "WEEK 16")}, told)
        self.assertFalse([r for r in rows(self.folder, "TR") if r["TRLNKID"] == "T3" and r["VISIT"] == "WEEK 16"], "read in its partner")

    def test_a_node_has_its_short_axis_and_its_state(self):
        self.assertEqual(self.tr("P-1", "N1", "BASELINE", "LPERP")["TRSTRESN"], "18")
        self.assertEqual(self.tr("P-1", "N1", "BASELINE", "LNSTATE")["TRSTRESC"], "PATHOLOGICAL")
        self.assertEqual(self.tr("P-1", "N1", "WEEK 8", "LPERP")["TRSTRESN"], "9")
        self.assertEqual(self.tr("P-1", "N1", "WEEK 8", "LNSTATE")["TRSTRESC"], "NON-PATHOLOGICAL")

    def test_what_was_not_evaluated_is_not_done_with_its_reason_and_never_a_number(self):
        row = self.tr("P-2", "T1", "WEEK 8", "LDIAM")
        self.assertEqual((row["TRORRES"], row["TRSTRESN"], row["TRSTAT"]), ("", "", "NOT DONE"))
        self.assertTrue(row["TRREASND"].startswith("NOT EVALUABLE"))
        for domain in ("TR", "RS"):
            for row in rows(self.folder, domain):
                self.assertNotEqual(bool(row[domain + "ORRES"]), bool(row[domain + "STAT"]), row)
                self.assertEqual(bool(row[domain + "STAT"]), bool(row[domain + "REASND"]), row)
        unstated = [r for r in rows(self.folder, "RS") if r["USUBJID"] == "P-2" and r["VISIT"] == "WEEK 16" and r["RSTESTCD"] == "NEWLIND"][0]
        self.assertEqual((unstated["RSORRES"], unstated["RSREASND"]), ("", "NOT STATED"))

    def test_the_responses_are_those_of_the_rules(self):
        def overall(case, code="OVRLRESP"):
            return [r["RSSTRESC"] for r in rows(self.folder, "RS") if r["USUBJID"] == case and r["RSTESTCD"] == code]
        # 153 -> 109.5 is -28 %: SD; a new lesion, and unequivocal progression of non-target disease: PD.
        self.assertEqual(overall("P-1"), ["SD", "PD"])
        self.assertEqual(overall("P-1", "TRGRESP"), ["SD", "PR"])  # 90 is -41 %
        self.assertEqual(overall("P-1", "NTRGRESP"), ["NON-CR/NON-PD", "PD"])
        self.assertEqual(overall("P-1", "NEWLIND"), ["N", "Y"])
        self.assertEqual(overall("P-1", "NEWLPROG"), ["UNEQUIVOCAL"])
        self.assertEqual(overall("P-2", "TRGRESP"), ["NE", "PR"])  # 90 -> 63 is exactly -30 %
        for row in rows(self.folder, "RS"):
            self.assertIn(row["RSSTRESC"], RESPONSES | {""})
            self.assertEqual(row["RSCAT"], "RECIST 1.1")

    def test_what_nobody_stated_is_empty_and_named(self):
        folder = os.path.join(self.scratch, "bare")
        plain = run_case(os.path.join(self.scratch, "bare-results"), "P-3", [lesion("T1", "''", size(50), size(40), size(33))], edit=lambda text: text.replace("protocol: protocol.yaml\n", ""))
        refused = run("sdtm", plain, "-o", folder)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--study", refused.stderr)
        done = run("sdtm", plain, "-o", folder, "--study", "TRIAL-9")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({(r["STUDYID"], r["VISIT"], r["TREVAL"]) for r in rows(folder, "TR")}, {("TRIAL-9", "", "")})
        named = {(r["timepoint"], r["variable"]) for r in rows(folder, "missing")}
        self.assertLessEqual({("base", "VISIT"), ("base", "VISITNUM"), ("base", "TUEVAL"), ("base", "TULOC of T1"), ("third", "RSEVAL")}, named)
        self.assertEqual(run("sdtm", plain, "-o", folder, "--study", "TRIAL-9").returncode, 4, "an export is not overwritten")

    def test_a_case_without_a_baseline_has_no_rows_and_is_named(self):
        none = run_case(os.path.join(self.scratch, "no-baseline"), "P-5", [lesion("T1", "liver", size(50), size(40), size(33)), lesion("T2", "liver", None, size(30), size(30))])
        folder = os.path.join(self.scratch, "with-no-baseline")
        done = run("sdtm", self.results, none, "-o", folder)
        self.assertEqual(done.returncode, 3)
        for domain in TESTS:
            self.assertEqual({r["USUBJID"] for r in rows(folder, domain)}, {"P-1", "P-2"}, "one case without a baseline costs no other")
        why = [r["why"] for r in rows(folder, "missing") if r["USUBJID"] == "P-5"]
        self.assertEqual(len(why), 1)
        self.assertIn("no valid baseline", why[0])

    def test_a_study_outside_its_window_is_named_and_gets_no_visit(self):
        out = run_case(os.path.join(self.scratch, "windows"), "P-4", [lesion("T1", "liver", size(50), size(40), size(33))],
                       edit=lambda text: text.replace("date: 2020-03-06,", "date: 2020-04-01,").replace("{id: third,", "{id: third, visit: WEEK 8,"))
        case = read_json(os.path.join(out, "case.json"))
        self.assertEqual([t["visit"] for t in case["timepoints"]], ["BASELINE", None, "WEEK 8"])
        outside = {t["id"]: [n["text"] for n in t["notices"] if n["code"] == "outside-protocol"] for t in case["timepoints"]}
        self.assertEqual(outside, {"base": [], "second": ["day 82 of treatment lies in no visit window of protocol TRIAL-1"],
                                   "third": ["day 112 of treatment lies in the window of visit WEEK 16 of protocol TRIAL-1; the time point is visit WEEK 8"]})


if __name__ == "__main__":
    unittest.main()
