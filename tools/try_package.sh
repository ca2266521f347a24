#!/bin/bash
# try_package.sh FILE.deb: does the package install on a bare Debian 12 and run there?
#
# Makes a minimal system (debootstrap) in a scratch folder, installs the package with what it depends on and nothing recommended, and runs there:
# doctor, the whole sample patient, the man page's check. Needs root, debootstrap and a Debian mirror (MIRROR). KEEP=1 leaves the folder.
set -euo pipefail
package=$(readlink -f "${1:?try_package.sh FILE.deb}")
command -v debootstrap >/dev/null || { echo "try_package: debootstrap is not installed" >&2; exit 1; }
mirror=${MIRROR:-http://deb.debian.org/debian}
root=$(mktemp -d -p "${SCRATCH:-/var/tmp}" retromass-package.XXXXXX)
chmod 755 "$root"
clean() { if [ -n "${KEEP:-}" ]; then echo "left in $root"; else rm -rf --one-file-system "$root"; fi; }
trap clean EXIT

debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 || { tail -5 "$root.log" >&2; exit 1; }
rm -f "$root.log"
cp /etc/resolv.conf "$root/etc/resolv.conf"
echo "deb $mirror bookworm-updates main" >>"$root/etc/apt/sources.list"
# The check is about the package; a mirror of yesterday, or a clock of tomorrow, is none of its faults.
echo 'Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false";' >"$root/etc/apt/apt.conf.d/99dates"
cp "$package" "$root/root/retromass.deb"

start=$(date +%s)
status=0
unshare --mount --pid --fork --mount-proc="$root/proc" chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -euc '
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends /root/retromass.deb >/dev/null
    echo "installed: $(dpkg-query -W -f "\${Package} \${Version}" retromass), $(dpkg-query -W | wc -l) packages in all"
    retromass --version
    retromass doctor --folder /root || echo "doctor: exit $?"
    cd /root
    retromass demo /root/demo >/root/demo.txt
    sed -n "1,12p" /root/demo.txt
    retromass audit /root/demo/result
    test -s /usr/share/man/man1/retromass.1 -o -s /usr/share/man/man1/retromass.1.gz
    bash -n /usr/share/bash-completion/completions/retromass
    apt-get remove -y -qq retromass >/dev/null
    test ! -e /usr/bin/retromass
' || status=$?
echo "try_package: exit $status after $(($(date +%s) - start)) s"
exit $status
