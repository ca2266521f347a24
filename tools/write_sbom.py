#!/usr/bin/env python3
"""write_sbom.py PROGRAM VERSION OUTPUT: the software bill of materials (SPDX 2.3, JSON) of what a program is made of on a Debian system.

What it is linked with and the header-only libraries compiled into it: packages and versions are dpkg's, licences those that the packages' machine-readable copyright files name.
What report.html embeds, where the program has it: name, version, licence and checksum as the lockfile of pipeline/outputs/web pins them.
"""
import base64
import datetime
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
NOT_THE_PROGRAM = {"build", "tests", "bench", "tools", "docs", "workflow"}
LOCKFILE = os.path.join(ROOT, "pipeline", "outputs", "web", "package-lock.json")
WEB_LICENCES = b"@niivue/niivue\n\n"  # how cmake/RetromassWeb.cmake begins the licences that are embedded with the libraries
NOT_A_LICENCE_ID = re.compile(r"[^A-Za-z0-9.+-]+")


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def libraries_of(program):
    """The files that the loader would take."""
    return sorted({os.path.realpath(path) for path in re.findall(r"(?:=> |^\s)(/\S+)", said("ldd", program), re.M)})


def packages_of(files):
    """The packages that own the files, and the files that none owns."""
    # Packages from before the merge of / and /usr name their files without /usr. One question for all: each reads every list of files.
    names = {name: file for file in files for name in (file, file.removeprefix("/usr"))}
    owners = {}
    for line in said("dpkg-query", "--search", *names).splitlines():
        owner, _, name = line.partition(": ")
        if name in names:
            owners[names[name]] = owner.split(",")[0]
    return sorted(set(owners.values())), [file for file in files if file not in owners]


def headers_included():
    """The files of /usr/include that the program's sources name."""
    found = set()
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if not name.startswith(".") and not (folder == ROOT and name in NOT_THE_PROGRAM)]
        for name in names:
            if not name.endswith((".cpp", ".h")):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found |= {"/usr/include/" + header for header in re.findall(r"^[ \t]*#[ \t]*include[ \t]*<([^>]+)>", file.read(), re.M)}
    return sorted(header for header in found if os.path.isfile(header))


def is_header_only(package):
    return not re.search(r"/lib[^/\n]*\.(?:so|a)(?:\.|$)", said("dpkg-query", "--listfiles", package), re.M)


def embedded_in(program):
    """What the lockfile pins of what is fetched while configuring, by name, where the program holds it."""
    with open(program, "rb") as file:
        if WEB_LICENCES not in file.read():
            return {}
    with open(LOCKFILE, encoding="utf-8") as file:
        pinned = json.load(file)["packages"]
    return {place.rpartition("node_modules/")[2]: entry for place, entry in pinned.items() if place and not entry.get("dev") and not entry.get("optional")}


def web_package(name, entry):
    algorithm, _, digest = entry["integrity"].partition("-")
    archive = f"https://registry.npmjs.org/{name}/-/{name.rpartition('/')[2]}-{entry['version']}.tgz"  # what npm takes where a lockfile names no other
    return {"name": name, "SPDXID": "SPDXRef-npm-" + NOT_A_LICENCE_ID.sub("-", name).strip("-"), "versionInfo": entry["version"], "downloadLocation": entry.get("resolved", archive),
            "licenseConcluded": "NOASSERTION", "licenseDeclared": entry.get("license", "NOASSERTION"), "copyrightText": "NOASSERTION", "filesAnalyzed": False,
            "checksums": [{"algorithm": algorithm.upper(), "checksumValue": base64.b64decode(digest).hex()}],
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}"}]}


def licences_of(package):
    try:
        with open(f"/usr/share/doc/{package}/copyright", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return []
    if not text.lstrip().startswith("Format:"):
        return []
    return sorted({name.strip() for name in re.findall(r"^License:[ \t]*(\S[^\n]*)$", text, re.M)})


def licence_ref(name):
    return "LicenseRef-debian-" + NOT_A_LICENCE_ID.sub("-", name).strip("-")


def main(program, version, output):
    linked, unowned = packages_of(libraries_of(program)) if shutil.which("dpkg-query") else ([], libraries_of(program))
    compiled = [package for package in packages_of(headers_included())[0] if is_header_only(package)] if shutil.which("dpkg-query") else []
    packages = linked + compiled
    created = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    listed = [{"name": "retromass", "SPDXID": "SPDXRef-retromass", "versionInfo": version, "downloadLocation": "NOASSERTION", "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
               "copyrightText": "NOASSERTION", "filesAnalyzed": False}]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-retromass"}]
    licences = {}
    shown = said("dpkg-query", "--show", "--showformat", "${Package}\t${Architecture}\t${Version}\t${source:Package}\t${source:Version}\n", *packages) if packages else ""
    for package in shown.splitlines():
        name, architecture, its_version, source, source_version = package.split("\t")
        refs = []
        for licence in licences_of(name):
            refs.append(licence_ref(licence))
            licences[refs[-1]] = licence
        spdx_id = "SPDXRef-" + NOT_A_LICENCE_ID.sub("-", name)
        declared = " AND ".join(sorted(set(refs))) or "NOASSERTION"
        listed.append({"name": name, "SPDXID": spdx_id, "versionInfo": its_version, "downloadLocation": "NOASSERTION", "sourceInfo": f"built from {source} {source_version}",
                       "licenseConcluded": "NOASSERTION", "licenseDeclared": declared, "copyrightText": "NOASSERTION", "filesAnalyzed": False,
                       "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": f"pkg:deb/debian/{name}@{its_version}?arch={architecture}"}]})
        relations.append({"spdxElementId": "SPDXRef-retromass", "relationshipType": "STATIC_LINK" if name in {package.split(":")[0] for package in compiled} else "DYNAMIC_LINK", "relatedSpdxElement": spdx_id})
    for name, entry in sorted(embedded_in(program).items()):
        listed.append(web_package(name, entry))
        relations.append({"spdxElementId": "SPDXRef-retromass", "relationshipType": "CONTAINS", "relatedSpdxElement": listed[-1]["SPDXID"]})
    document = {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"retromass-{version}",
                "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: write_sbom.py"]}, "packages": listed, "relationships": relations,
                "hasExtractedLicensingInfos": [{"licenseId": ref, "name": name, "extractedText": "as in the copyright file of the Debian package"} for ref, name in sorted(licences.items())]}
    if unowned:
        document["comment"] = "linked with files that no package owns: " + ", ".join(unowned)
    digest = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()
    document["documentNamespace"] = f"urn:retromass:sbom:{version}:{digest[:16]}"
    with open(output, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
