#!/bin/bash
# install_packages.sh [LIST...]: installs the packages of the lists (cmake/packages.txt) that are missing; does nothing, fast, where all are there.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- cmake/packages.txt

mapfile -t wanted < <(cat "$@" | sed 's/#.*//' | tr -s ' \t' '\n' | grep .)
if ! command -v dpkg-query >/dev/null; then
    echo "deps: not a Debian system; install what $* names by hand" >&2
    exit 0
fi
# What another package provides counts: nodejs from elsewhere brings its own npm.
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' 2>/dev/null | sed -n 's/^installed //p' | sed 's/([^)]*)//g' | tr ',' '\n' | tr -d ' ' | sort -u)
missing=()
for package in "${wanted[@]}"; do
    grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "deps: all ${#wanted[@]} packages are there"
    exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "deps: not root and no sudo; install: ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "deps: installing ${missing[*]}"
# The PACS of the tests is started by them alone: installed as usual it would listen to the network from then on.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 "${missing[@]}" </dev/null >/dev/null
echo "deps: installed ${#missing[@]} packages"
