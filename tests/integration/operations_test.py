"""What an operator meets: the doctor."""
import json
import os
import unittest

from program import InScratch, run


class Operations(InScratch):
    def test_the_doctor_says_what_is_wrong_and_what_to_do(self):
        done = run("doctor", "--folder", self.scratch, "--json")
        said = json.loads(done.stdout)
        checks = {check["what"]: check for check in said["checks"]}
        self.assertEqual(set(checks), {"memory", "disk", "folder", "fonts", "display", "slurm", "pacs"})
        self.assertEqual(done.returncode, 0 if said["good"] else 3)
        self.assertEqual(said["good"], all(check["state"] != "wrong" for check in checks.values()))
        self.assertEqual((checks["folder"]["state"], checks["fonts"]["state"]), ("good", "good"), checks)
        self.assertTrue(all(check["fix"] for check in checks.values() if check["state"] != "good"))
        self.assertEqual(os.listdir(self.scratch), [])  # it leaves nothing
        done = run("doctor", "--folder", self.path("nowhere"))
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stdout, r"(?m)^wrong    folder: .*No such file")
        profiles = self.path("pacs.yaml")
        with open(profiles, "w", encoding="ascii") as file:
            file.write("profiles:\n  deaf: {host: 127.0.0.1, port: 9, called_ae: DEAF}\n")  # the discard port: nobody listens
        done = run("doctor", "--folder", self.scratch, "--config", profiles)
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stdout, r"(?m)^wrong    pacs: ")


if __name__ == "__main__":
    unittest.main()
