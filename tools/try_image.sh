#!/bin/bash
# try_image.sh [FOLDER]: does what `make image` wrote (build/image) run without root and without network?
#
# Unpacks FOLDER/rootfs.tar in a scratch folder as an ordinary user - started by root it goes on as nobody - and runs there, in a user namespace with a network of its
# own that leads nowhere: doctor and the whole sample patient. Needs no root, debootstrap or mirror, but a kernel that lets users make namespaces. KEEP=1 leaves the folder.
set -euo pipefail
image=$(readlink -f "${1:-build/image}")
if [ "$(id -u)" -eq 0 ]; then
    exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs "$(readlink -f "$0")" "$image"
fi
[ -r "$image/rootfs.tar" ] || { echo "try_image: $image/rootfs.tar cannot be read by $(id -un); make image writes it" >&2; exit 1; }
root=$(mktemp -d -p "${SCRATCH:-/var/tmp}" retromass-image.XXXXXX)
clean() { if [ -n "${KEEP:-}" ]; then echo "left in $root"; else chmod -R u+rwX "$root" && rm -rf --one-file-system "$root"; fi; }
trap clean EXIT
tar -xf "$image/rootfs.tar" -C "$root" --no-same-owner --delay-directory-restore
status=0
# Root within the namespace is the user outside: chroot and mount ask for that, the program does not. A container may hide parts of /proc, and then has to lend its own.
unshare --user --map-root-user --net --mount --pid --fork bash -euc '
    root=$1
    mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc"
    for device in null zero random urandom; do
        : >"$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    exec chroot "$root" /usr/bin/env -i HOME=/work LANG=C.UTF-8 PATH=/usr/bin:/bin bash -euc "$2"
' bash "$root" '
    grep PRETTY_NAME /etc/os-release
    test "$(sed 1,2d /proc/net/dev | cut -d : -f 1 | tr -d " ")" = lo
    cd /work
    retromass --version
    retromass doctor --folder /work || echo "doctor: exit $?"
    retromass demo demo >demo.txt
    sed -n "1,12p" demo.txt
    retromass audit demo/result
' || status=$?
echo "try_image: exit $status"
exit $status
