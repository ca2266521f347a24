#!/usr/bin/env python3
"""write_sbom.py PROGRAM VERSION OUTPUT: the software bill of materials (SPDX 2.3, JSON) of what a program is linked with on a Debian system.

Packages and versions are dpkg's, licences those that the packages' machine-readable copyright files name.
"""
import datetime
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

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
    packages, unowned = packages_of(libraries_of(program)) if shutil.which("dpkg-query") else ([], libraries_of(program))
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
        relations.append({"spdxElementId": "SPDXRef-retromass", "relationshipType": "DYNAMIC_LINK", "relatedSpdxElement": spdx_id})
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
