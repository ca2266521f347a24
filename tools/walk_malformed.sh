#!/bin/bash
# walk_malformed.sh PROGRAM FOLDER...: `series`, `series --pixels` and `run` on every file below the folders by itself, and `run` on every folder's files among the
# slices of a good series, by a program built with sanitizers (cmake --preset fuzz --build, target retromass). Ends with 1 if one of them crashes or a sanitizer reports.
set -uo pipefail
program=$(readlink -f "${1:?walk_malformed.sh PROGRAM FOLDER...}")
shift
[ $# -gt 0 ] || { echo "walk_malformed: no folder" >&2; exit 2; }
for folder in "$@"; do [ -d "$folder" ] || { echo "walk_malformed: $folder is no folder" >&2; exit 2; }; done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "leak:libfontconfig" >"$scratch/suppressions"  # its caches, which it keeps to the end
export LSAN_OPTIONS="suppressions=$scratch/suppressions:print_suppressions=0" ASAN_OPTIONS=detect_leaks=1:exitcode=99 UBSAN_OPTIONS=print_stacktrace=1
commands=0 bad=0

try() {
    timeout 600 "$program" "$@" >"$scratch/out" 2>"$scratch/errors"
    local status=$?
    commands=$((commands + 1))
    if [ $status -gt 5 ] || grep -q "AddressSanitizer\|LeakSanitizer\|runtime error" "$scratch/out" "$scratch/errors"; then
        bad=$((bad + 1))
        echo "exit $status: $*"
        head -5 "$scratch/errors"
    fi
}

case_of() {  # FOLDER LINE
    printf 'case: P-1\ntimepoints: [{id: a, ct: "%s"}]\nlesions: [{id: T1, timepoints: {a: {line: %s}}}]\n' "$1" "$2" >"$scratch/case.yaml"
    rm -rf "$scratch/result"
}

while IFS= read -r file; do
    rm -rf "$scratch/one" && mkdir "$scratch/one" && ln -s "$file" "$scratch/one/"
    try series "$scratch/one" --json
    try series "$scratch/one" --pixels --json
    case_of "$scratch/one" '[[0, 0, 0], [20, 0, 0]]'
    try run "$scratch/case.yaml" -o "$scratch/result"
done < <(find "$@" -type f -exec readlink -f {} +)

"$program" phantom "$scratch/good" --shape ball --size 16,16,16 --grid 48,48,20 --spacing 1,1,2 >/dev/null 2>&1
line=$("$program" series "$scratch/good/ct" --json 2>/dev/null | /usr/bin/python3 -c '
import json, sys
found = json.load(sys.stdin)["series"][0]
affine, size = found["affine_lps_mm"], found["dimensions"]
rows = affine if isinstance(affine[0], list) else [affine[i:i + 4] for i in range(0, 16, 4)]
x, y, z = (sum(rows[r][c] * ((size[c] - 1) / 2 if c < 2 else (size[c] - 1) // 2) for c in range(3)) + rows[r][3] for r in range(3))
print([[x - 8, y, z], [x + 8, y, z]])')
[ -n "$line" ] || { echo "walk_malformed: $program makes no good series" >&2; exit 1; }
while IFS= read -r folder; do
    rm -rf "$scratch/mixed" && mkdir "$scratch/mixed" && cp "$scratch"/good/ct/* "$scratch/mixed/"
    find "$folder" -maxdepth 1 -type f -exec cp {} "$scratch/mixed/" \;
    case_of "$scratch/mixed" "$line"
    try run "$scratch/case.yaml" -o "$scratch/result"
done < <(find "$@" -type d)
echo "$commands commands, $bad bad"
[ $bad -eq 0 ] && [ $commands -gt 0 ]
