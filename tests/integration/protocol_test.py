"""A trial's protocol as a stranger meets it: named on every output, and its result locked to it."""
import csv
import hashlib
import os
import unittest

from program import read_json, run
from two_balls import TwoBalls

RULES = "protocol: TRIAL-1\nversion: {version}\nreaders: [R1]\nresponse: {{policies: {{sd_min_days: {days}}}}}\n"


class Protocol(TwoBalls):
    def protocol(self, version, days):
        with open(self.path("protocol.yaml"), "w", encoding="utf-8") as file:
            file.write(RULES.format(version=version, days=days))
        return self.path("protocol.yaml")

    def test_every_output_names_it_and_other_rules_under_its_version_are_refused(self):
        out = self.path("out")
        done = run("run", self.case_file, "-o", out, "--protocol", self.protocol(1, 49))
        self.assertEqual(done.returncode, 0, done.stderr)
        name = read_json(os.path.join(out, "case.json"))["response"]["protocol"]
        self.assertRegex(name, "^TRIAL-1 version 1, SHA-256 [0-9a-f]{64}$")
        self.assertEqual(read_json(os.path.join(out, "provenance.json"))["settings"]["protocol"], name)
        with open(os.path.join(out, "report.html"), encoding="utf-8") as page:
            self.assertIn(name, page.read())
        with open(os.path.join(out, "response.csv"), encoding="utf-8", newline="") as table:
            self.assertEqual({row["protocol"] for row in csv.DictReader(table)}, {name})
        # The hash can be made again from the rules that stand in the result.
        settings = {s["name"]: s["value"] for s in read_json(os.path.join(out, "case.json"))["settings"]}
        text = f"protocol=TRIAL-1; version=1; {settings['protocol rules']}"
        self.assertTrue(name.endswith(hashlib.sha256(text.encode("ascii")).hexdigest()))

        refused = run("run", self.case_file, "-o", out, "--overwrite", "--protocol", self.protocol(1, 42))
        self.assertEqual(refused.returncode, 4)
        self.assertIn("sd_min_days was 49, is 42", refused.stderr)
        self.assertEqual(run("run", self.case_file, "-o", out, "--overwrite").returncode, 4)
        self.assertEqual(read_json(os.path.join(out, "case.json"))["response"]["protocol"], name)
        done = run("run", self.case_file, "-o", out, "--overwrite", "--protocol", self.protocol(2, 42))
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
