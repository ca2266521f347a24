"""What an operator meets: the doctor, the man page, completion, and the list of what the program is made of."""
import base64
import json
import os
import re
import subprocess
import unittest
import unittest.mock

from program import InScratch, PROGRAM, run

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TOOLS = os.path.join(ROOT, "tools")
WEB = os.path.join(ROOT, "pipeline", "outputs", "web", "package-lock.json")


def said_by_dpkg(package, form):
    return subprocess.run(["dpkg-query", "--show", "--showformat", form, package], capture_output=True, text=True, check=True).stdout


def libraries_built_with():
    """The -dev packages of cmake/packages.txt that the program itself needs."""
    with open(os.path.join(ROOT, "cmake", "packages.txt"), encoding="ascii") as file:
        own = file.read().split("# Tests and benchmarks")[0]
    return [name for name in re.findall(r"^[a-z0-9.+-]+-dev$", own, re.M) if name != "libvtk9-dev" or "view" in commands_below()]


def is_embedded():
    """Whether the program holds the plots' style as npm fetched it for this build."""
    style = os.path.join(os.path.dirname(PROGRAM), "..", "web", "node_modules", "uplot", "dist", "uPlot.min.css")
    if not os.path.exists(style):
        return False
    with open(style, "rb") as wanted, open(PROGRAM, "rb") as program:
        return wanted.read() in program.read()


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
        self.assertEqual(set(checks), {"memory", "disk", "folder", "fonts", "dictionary", "display", "slurm", "pacs"})
        self.assertEqual(done.returncode, 0 if said["good"] else 3)
        self.assertEqual(said["good"], all(check["state"] != "wrong" for check in checks.values()))
        self.assertEqual([checks[what]["state"] for what in ("folder", "fonts", "dictionary")], ["good"] * 3, checks)
        self.assertTrue(all(check["fix"] for check in checks.values() if check["state"] != "good"))
        self.assertEqual(os.listdir(self.scratch), [])  # it leaves nothing
        done = run("doctor", "--folder", self.path("nowhere"))
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stdout, r"(?m)^wrong    folder: .*No such file")
        # A table of private attributes is a dictionary too, but none to write an object by.
        private = self.path("private.dic")
        with open(private, "w", encoding="ascii") as file:
            file.write("(0029,\"A PRIVATE BLOCK\",10)\tLO\tSomething\t1\tPrivateTag\n")
        for named in (self.path("none.dic"), private):
            with unittest.mock.patch.dict(os.environ, DCMDICTPATH=named):
                done = run("doctor", "--folder", self.scratch)
            self.assertEqual(done.returncode, 3, named)
            self.assertRegex(done.stdout, r"(?m)^wrong    dictionary: .*" + re.escape(named) + r"\n +unset DCMDICTPATH")
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

    def test_what_it_is_made_of_is_listed_with_version_and_licence(self):
        def written_for(program):
            output = self.path("sbom.json")
            subprocess.run(["/usr/bin/python3", os.path.join(TOOLS, "write_sbom.py"), program, "1.2.3", output], check=True)
            with open(output, encoding="utf-8") as file:
                document = json.load(file)
            os.remove(output)
            return document

        document = written_for(PROGRAM)
        packages = {package["name"]: package for package in document["packages"]}
        self.assertEqual((document["spdxVersion"], packages["retromass"]["versionInfo"]), ("SPDX-2.3", "1.2.3"))
        for name in ("libc6", "libdcmtk17", "libsqlite3-0"):
            self.assertEqual(packages[name]["versionInfo"], said_by_dpkg(name, "${Version}"))
        # Every library it is built with has a part in the list: a shared library of the same source, or the headers themselves.
        sources = {package.get("sourceInfo", "").removeprefix("built from ").split(" ")[0] for package in packages.values()}
        self.assertEqual({name for name in libraries_built_with() if said_by_dpkg(name, "${source:Package}") not in sources}, set())
        known = {licence["licenseId"] for licence in document["hasExtractedLicensingInfos"]}
        for package in packages.values():
            for licence in package["licenseDeclared"].split(" AND ") if not package["SPDXID"].startswith("SPDXRef-npm-") else ():
                self.assertTrue(licence in known or licence in ("Apache-2.0", "NOASSERTION"), licence)
        self.assertIn("LicenseRef-debian-BSD-3-clause", packages["libdcmtk17"]["licenseDeclared"])
        related = {kind: {relation["relatedSpdxElement"] for relation in document["relationships"] if relation["relationshipType"] == kind} for kind in ("DYNAMIC_LINK", "STATIC_LINK", "CONTAINS")}
        self.assertEqual(set.union(*related.values()), {package["SPDXID"] for package in packages.values()} - {"SPDXRef-retromass"})
        self.assertEqual(related["STATIC_LINK"], {"SPDXRef-libcli11-dev", "SPDXRef-nlohmann-json3-dev"})
        # What report.html embeds is what npm installs of the lockfile, no more and no less, and nothing where the program has none of it.
        with open(WEB, encoding="utf-8") as file:
            pinned = {place.removeprefix("node_modules/"): entry for place, entry in json.load(file)["packages"].items() if place and not entry.get("dev") and not entry.get("optional")}
        embedded = {package["name"]: package for package in packages.values() if package["SPDXID"] in related["CONTAINS"]}
        self.assertEqual(set(embedded), set(pinned) if is_embedded() else set())
        self.assertNotIn("CONTAINS", {relation["relationshipType"] for relation in written_for("/bin/true")["relationships"]})
        for name, package in embedded.items():
            self.assertEqual((package["versionInfo"], package["licenseDeclared"]), (pinned[name]["version"], pinned[name]["license"]))
            checksum = package["checksums"][0]
            self.assertEqual(checksum["algorithm"].lower() + "-" + base64.b64encode(bytes.fromhex(checksum["checksumValue"])).decode(), pinned[name]["integrity"])
            self.assertRegex(package["downloadLocation"], r"^https://\S+\.tgz$")


if __name__ == "__main__":
    unittest.main()
