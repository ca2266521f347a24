#!/bin/bash
# run_tests.sh BUILD_DIR [ctest options]: runs the tests and says at the end how many of them saw real data.
set -uo pipefail
build=${1:?build directory}; shift
ledger=$(cd "$build" && pwd)/real_data.txt
: >"$ledger"

RETROMASS_DATA_LEDGER=$ledger ctest --test-dir "$build" -j "${JOBS:-2}" --output-on-failure "$@" </dev/null
status=$?

ran=$(sed -n 's/^run //p' "$ledger" | sort -u | grep -c .)
skipped=$(sed -n 's/^skipped //p' "$ledger" | sort -u | grep -c .)
echo "real-data tests: $ran run, $skipped skipped"
exit $status
