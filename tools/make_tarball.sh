#!/bin/bash
# make_tarball.sh BUILD OUT.tar.xz: the program with every library it is linked with, for another distribution, without root: unpack and run.
#
# The loader and the C library stay the system's (x86-64, glibc 2.36 or later: Debian 12, Ubuntu 23.04, Fedora 37), and so does the driver of a display.
# Fonts and DICOM's dictionary come along; the program finds them beside itself. Needs patchelf.
set -euo pipefail
build=$(readlink -f "${1:?make_tarball.sh BUILD OUT.tar.xz}")
out=$(readlink -m "${2:?make_tarball.sh BUILD OUT.tar.xz}")
command -v patchelf >/dev/null || { echo "make_tarball: patchelf is not installed" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
version=$("$build/bin/retromass" --version | cut -d ' ' -f 2)
tree="$scratch/retromass-$version"
cmake --install "$build" --prefix "$tree" --strip >/dev/null

mkdir "$tree/lib"
ldd "$tree/bin/retromass" | awk '$2 == "=>" && $3 ~ "^/" {print $1, $3}' | while read -r name file; do
    case $name in
    libc.so.* | libm.so.* | libdl.so.* | librt.so.* | libpthread.so.* | libresolv.so.* | libutil.so.*) ;;  # one with the loader, which is the system's
    *) install -m 644 "$(readlink -f "$file")" "$tree/lib/$name" ;;
    esac
done
# RPATH, not RUNPATH: it holds for the libraries of the libraries too.
patchelf --force-rpath --set-rpath '$ORIGIN/../lib' "$tree/bin/retromass"
for library in "$tree"/lib/*; do patchelf --remove-rpath "$library"; done

share="$tree/share/retromass"
mkdir -p "$share/fonts"
install -m 644 /usr/share/libdcmtk17/dicom.dic "$share/"
install -m 644 /usr/share/fonts/truetype/dejavu/DejaVuSans*.ttf "$share/fonts/"
cat >"$share/fonts.conf" <<'CONF'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
CONF
# The licences of what comes along, by package.
for package in $(ldd "$build/bin/retromass" | awk '$3 ~ "^/" {print $3}' | xargs -n 1 readlink -f | sed 'p; s#^/usr##' | xargs dpkg-query --search 2>/dev/null | cut -d : -f 1 | sort -u) fonts-dejavu-core; do
    if [ -f "/usr/share/doc/$package/copyright" ]; then install -D -m 644 "/usr/share/doc/$package/copyright" "$tree/share/doc/retromass/licences/$package"; fi
done
tar --create --xz --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-0}" --directory "$scratch" --file "$out" "retromass-$version"
echo "$out: $(du -m "$out" | cut -f 1) MB"
