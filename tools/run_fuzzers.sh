#!/bin/bash
# run_fuzzers.sh BUILD_DIR SECONDS: every fuzzer for that long, from the seeds and from what earlier runs kept. Exit 1 on a finding, which stays in BUILD_DIR/findings.
set -uo pipefail
build=$(cd "${1:?build directory}" && pwd)
seconds=${2:?seconds for each}
mkdir -p "$build/findings" "$build/fuzz-logs"
"$build/bin/fuzz_seeds" "$build/seeds" || exit 1

status=0
ran=0
printf '%-32s %10s %10s  %s\n' fuzzer runs features outcome
for fuzzer in "$build"/bin/fuzz_*; do
    name=${fuzzer##*/fuzz_}
    [ -d "$build/seeds/$name" ] || continue  # fuzz_seeds itself, and the replay
    log=$build/fuzz-logs/$name.log
    mkdir -p "$build/corpus/$name"
    outcome=good
    # A minute for one input is a loop, even on a busy machine and under sanitizers.
    if ! "$fuzzer" -max_total_time="$seconds" -timeout=60 -print_final_stats=1 -artifact_prefix="$build/findings/$name-" "$build/corpus/$name" "$build/seeds/$name" >"$log" 2>&1 </dev/null; then
        outcome="FOUND: $(grep -m 1 -E 'ERROR|runtime error|broken promise|libFuzzer: ' "$log" | cut -c 1-120), $log"
        status=1
    fi
    printf '%-32s %10s %10s  %s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(grep -oE ' ft: [0-9]+' "$log" | tail -1 | cut -c 6-)" "$outcome"
    ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || { echo "run_fuzzers: no fuzzer in $build/bin" >&2; exit 1; }
exit $status
