#!/bin/bash
# try_tarball.sh FILE.tar.xz [SUITE]: does the tarball run on a bare system of another distribution, without root and without network?
#
# Makes a minimal system (debootstrap, SUITE from MIRROR: trixie by default) in a scratch folder, unpacks the tarball there, and runs, as an ordinary user in a
# network of its own: doctor and the whole sample patient. Making the system needs root. KEEP=1 leaves the folder.
# Ubuntu 24.04, which debootstrap of Debian 12 does not know by name: MIRROR=http://archive.ubuntu.com/ubuntu SCRIPT=gutsy try_tarball.sh FILE.tar.xz noble
set -euo pipefail
tarball=$(readlink -f "${1:?try_tarball.sh FILE.tar.xz [SUITE]}")
suite=${2:-trixie}
mirror=${MIRROR:-http://deb.debian.org/debian}
root=$(mktemp -d -p "${SCRATCH:-/var/tmp}" retromass-tarball.XXXXXX)
chmod 755 "$root"
clean() { if [ -n "${KEEP:-}" ]; then echo "left in $root"; else rm -rf --one-file-system "$root"; fi; }
trap clean EXIT
debootstrap --variant=minbase "$suite" "$root" "$mirror" ${SCRIPT:-} >"$root.log" 2>&1 || { tail -5 "$root.log" >&2; exit 1; }
rm -f "$root.log"
mkdir -m 777 "$root/try"
tar -xf "$tarball" -C "$root/try" --strip-components 1 --one-top-level=retromass
chown -R 1000:1000 "$root/try"
status=0
unshare --net --mount --pid --fork --mount-proc="$root/proc" chroot --userspec=1000:1000 "$root" /usr/bin/env -i HOME=/try LANG=C.UTF-8 PATH=/usr/bin:/bin bash -euc '
    grep PRETTY_NAME /etc/os-release
    cd /try
    test ! -e /etc/fonts
    retromass/bin/retromass doctor --folder /try || echo "doctor: exit $?"
    retromass/bin/retromass demo demo >demo.txt
    sed -n "1,12p" demo.txt
    retromass/bin/retromass audit demo/result
    mv retromass elsewhere
    elsewhere/bin/retromass --version
' || status=$?
echo "try_tarball: exit $status on $suite"
exit $status
