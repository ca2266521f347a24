#!/usr/bin/env python3
"""make_image.py FILE.deb OUT: a root file system with the package installed, and the same as an OCI image layout, without a daemon.

OUT/rootfs.tar is what `chroot` or `systemd-nspawn` start from, OUT/oci the layout that podman, skopeo and
apptainer (`oci:OUT/oci`) read. Made by debootstrap, which needs root, a mirror (MIRROR) and the network; running it needs neither.
"""
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

MIRROR = os.environ.get("MIRROR", "http://deb.debian.org/debian")
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
# Lists of packages, caches and pages for people: nothing that the program reads.
LEFT_OUT = ("var/lib/apt/lists", "var/cache/apt", "var/log", "usr/share/doc-base", "usr/share/info", "usr/share/locale", "usr/share/lintian")


def root_of(package, root):
    subprocess.run(["debootstrap", "--variant=minbase", "bookworm", root, MIRROR], check=True, stdout=subprocess.DEVNULL)
    shutil.copy("/etc/resolv.conf", os.path.join(root, "etc/resolv.conf"))
    with open(os.path.join(root, "etc/apt/apt.conf.d/99dates"), "w", encoding="ascii") as file:  # a mirror of yesterday will do
        file.write('Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false";\n')
    shutil.copy(package, os.path.join(root, "root/retromass.deb"))
    install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends /root/retromass.deb >/dev/null && rm /root/retromass.deb && retromass --version"
    subprocess.run(["unshare", "--mount", "--pid", "--fork", f"--mount-proc={root}/proc", "chroot", root, "/usr/bin/env", "-i", "DEBIAN_FRONTEND=noninteractive",
                    "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-euc", install], check=True)
    os.remove(os.path.join(root, "etc/apt/apt.conf.d/99dates"))
    os.remove(os.path.join(root, "etc/resolv.conf"))
    for folder in LEFT_OUT:
        shutil.rmtree(os.path.join(root, folder), ignore_errors=True)
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    with open(os.path.join(root, "etc/passwd"), "a", encoding="ascii") as file:
        file.write("retromass:x:1000:1000::/work:/usr/sbin/nologin\n")
    os.makedirs(os.path.join(root, "work"))
    os.chmod(os.path.join(root, "work"), 0o1777)  # whatever the umask


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def blob(layout, content, media_type):
    digest = hashlib.sha256(content).hexdigest()
    with open(os.path.join(layout, "blobs/sha256", digest), "wb") as file:
        file.write(content)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(content)}


def write_layout(layer, layout, version):
    """OCI image specification 1.0: one layer, one configuration, one manifest, the index."""
    os.makedirs(os.path.join(layout, "blobs/sha256"))
    plain = digest_of(layer)
    packed = os.path.join(layout, "layer")
    with open(layer, "rb") as file, open(packed, "wb") as out, gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=6, mtime=EPOCH) as zipped:
        shutil.copyfileobj(file, zipped, 1 << 20)
    digest, size = digest_of(packed), os.path.getsize(packed)
    os.rename(packed, os.path.join(layout, "blobs/sha256", digest))
    config = {"architecture": "amd64", "os": "linux", "config": {"User": "1000:1000", "Entrypoint": ["/usr/bin/retromass"], "WorkingDir": "/work", "Env": ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
              "Labels": {"org.opencontainers.image.title": "retromass", "org.opencontainers.image.version": version, "org.opencontainers.image.licenses": "Apache-2.0"}},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + plain]}}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": blob(layout, json.dumps(config, sort_keys=True).encode(), "application/vnd.oci.image.config.v1+json"),
                "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + digest, "size": size}]}
    listed = blob(layout, json.dumps(manifest, sort_keys=True).encode(), manifest["mediaType"])
    listed["annotations"] = {"org.opencontainers.image.ref.name": version}
    for name, content in (("index.json", {"schemaVersion": 2, "manifests": [listed]}), ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
        with open(os.path.join(layout, name), "w", encoding="ascii") as file:
            json.dump(content, file)


def main(package, out):
    version = subprocess.run(["dpkg-deb", "--field", package, "Version"], capture_output=True, text=True, check=True).stdout.strip()
    os.makedirs(out)
    with tempfile.TemporaryDirectory(prefix="retromass-image.", dir=os.environ.get("SCRATCH", "/var/tmp")) as scratch:
        root = os.path.join(scratch, "root")
        os.mkdir(root, 0o755)
        root_of(package, root)
        layer = os.path.join(out, "rootfs.tar")
        subprocess.run(["tar", "--create", "--sort=name", "--numeric-owner", f"--mtime=@{EPOCH}", "--exclude=./dev/*", "--exclude=./proc/*", "--directory", root, "--file", layer, "."], check=True)
    write_layout(layer, os.path.join(out, "oci"), version)
    print(f"{out}: rootfs.tar {os.path.getsize(layer) >> 20} MB, oci/")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
