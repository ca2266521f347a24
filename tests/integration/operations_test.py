"""What an operator meets: the doctor, the man page, completion, and the list of what the program is linked with."""
import json
import os
import re
import subprocess
import unittest

from program import InScratch, PROGRAM, run

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools")


def completed(*words):
    """What bash offers after these words, the last of them unfinished."""
    script = f'eval "$({PROGRAM} describe bash)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _retromass; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return set(subprocess.run(["bash", "-c", script, "bash", "retromass", *words], capture_output=True, text=True, check=True).stdout.split())


def commands_below(*path):
    """The subcommands that --help lists."""
    said = run(*path, "--help").stdout
    listed = said.split("Subcommands:")[1] if "Subcommands:" in said else ""
    return re.findall(r"^  ([a-z]+) ", listed, re.M)


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

    def test_the_man_page_and_the_completion_know_every_command(self):
        page = run("describe", "man").stdout.replace("\\-", "-")
        for command in commands_below():
            self.assertIn(f"\n.SS {command}\n", page)
            for below in commands_below(command):
                self.assertIn(f"\n.SS {command} {below}\n", page)
            for option in set(re.findall(r"^  (?:-\w,)?(--[a-z-]+)", run(command, "--help").stdout, re.M)) - {"--help"}:
                self.assertIn(option, page)
        self.assertGreater(len(commands_below()), 10)
        self.assertNotIn("describe", commands_below())
        self.assertTrue({"batch", "run", "doctor"} <= completed(""))
        self.assertEqual(completed("batch", "re"), {"review", "resume"})
        self.assertIn("--decisions", completed("batch", "resume", "plan-folder", "--"))
        self.assertNotIn("--decisions", completed("batch", "run", "--"))

    def test_what_it_is_linked_with_is_listed_with_version_and_licence(self):
        output = self.path("sbom.json")
        subprocess.run(["/usr/bin/python3", os.path.join(TOOLS, "write_sbom.py"), PROGRAM, "1.2.3", output], check=True)
        with open(output, encoding="utf-8") as file:
            document = json.load(file)
        os.remove(output)
        packages = {package["name"]: package for package in document["packages"]}
        self.assertEqual((document["spdxVersion"], packages["retromass"]["versionInfo"]), ("SPDX-2.3", "1.2.3"))
        for name in ("libc6", "libdcmtk17", "libsqlite3-0"):
            version = subprocess.run(["dpkg-query", "--show", "--showformat", "${Version}", name], capture_output=True, text=True, check=True).stdout
            self.assertEqual(packages[name]["versionInfo"], version)
        known = {licence["licenseId"] for licence in document["hasExtractedLicensingInfos"]}
        for package in packages.values():
            for licence in package["licenseDeclared"].split(" AND "):
                self.assertTrue(licence in known or licence in ("Apache-2.0", "NOASSERTION"), licence)
        self.assertIn("LicenseRef-debian-BSD-3-clause", packages["libdcmtk17"]["licenseDeclared"])
        linked = {relation["relatedSpdxElement"] for relation in document["relationships"] if relation["relationshipType"] == "DYNAMIC_LINK"}
        self.assertEqual(linked, {package["SPDXID"] for package in packages.values()} - {"SPDXRef-retromass"})


if __name__ == "__main__":
    unittest.main()
