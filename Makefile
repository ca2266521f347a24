# Entry points; the build itself is CMake (presets in CMakePresets.json).
#   make demo    installs what is missing, builds, and runs the sample patient through the whole chain into build/demo
#   make test    the same build, all tests
.DEFAULT_GOAL := build
.NOTPARALLEL:
.PHONY: deps build package tarball image demo picture test test-web bench soak mixture eval pairs train calibrate asan tsan coverage fuzz weekly tidy format clean

SHELL := /bin/bash
JOBS ?= $(shell nproc)
SOURCES = $(shell git ls-files '*.h' '*.cpp')

deps:
	@tools/install_packages.sh

build: deps
	@cmake --preset release </dev/null
	@cmake --build build/release --parallel $(JOBS)

# build/release/retromass_VERSION_ARCH.deb; tools/try_package.sh installs it in a bare system and runs the demo there.
package: build
	@cmake --build build/release --target package

# The program with its libraries, to unpack and run elsewhere (needs patchelf); tools/try_tarball.sh runs it on another distribution.
tarball: build
	tools/make_tarball.sh build/release build/release/retromass.tar.xz

# A root file system with the package in it, and the same as an OCI image (needs root, debootstrap and a mirror); tools/try_image.sh runs it as an ordinary user.
image: package
	rm -rf build/image && tools/make_image.py build/release/retromass_*.deb build/image

demo: build
	build/release/bin/retromass demo build/demo --surfaces

# The picture of the README, from the demo's result.
picture: demo
	@mkdir -p docs/images
	xvfb-run -a build/release/bin/retromass view build/demo/result --timepoint day-38 --picture docs/images/demo.png

test: build
	@JOBS=$(JOBS) tools/run_tests.sh build/release

# The report and the review page judged in a browser; needs node, npm and chromium, which `make weekly` installs and `deps` does not.
test-web: build
	@mkdir -p build/web-test && cp pipeline/outputs/web/package.json pipeline/outputs/web/package-lock.json build/web-test/
	@cd build/web-test && npm ci --ignore-scripts --omit=optional --no-audit --no-fund --prefer-offline
	@rm -rf build/release/web-test && ln -s ../web-test build/release/web-test
	RETROMASS_REQUIRE_WEB=1 ctest --test-dir build/release -R '(report|batch)_page_test' --output-on-failure

bench:
	@tools/install_packages.sh cmake/packages.txt cmake/packages_bench.txt
	@cmake --preset bench </dev/null
	@cmake --build build/bench --parallel $(JOBS)
	@xvfb-run -a tools/merge_bench.py build/bench.json build/bench/bin/bench_*
	@/usr/bin/python3 tools/measure_scale.py build/bench/bin/retromass | tee build/bench_scale.md

# Workers, runners and nodes of a cluster killed a hundred times in all; `make test` has a sample of six. Then 200 cases and studies: nothing grows. Results: docs/validation.md.
soak: build
	RETROMASS_PROGRAM=$(CURDIR)/build/release/bin/retromass RETROMASS_DATA=$(RETROMASS_DATA) RETROMASS_SOAK_KILLS=85 RETROMASS_SOAK_NODES=15 PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/integration/soak_test.py
	RETROMASS_PROGRAM=$(CURDIR)/build/release/bin/retromass RETROMASS_GROWTH_CASES=200 PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/integration/growth_test.py

# The README's three commands on every CT of RETROMASS_DATA and the sample patient, malformed files strewn among them; `make test` has a part of it. Results: docs/validation.md.
mixture: build
	RETROMASS_MIXTURE=whole RETROMASS_REQUIRE_DATA=1 RETROMASS_PROGRAM=$(CURDIR)/build/release/bin/retromass RETROMASS_DATA=$(RETROMASS_DATA) PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/integration/mixture_test.py

# Segmentation judged on RETROMASS_DATA's sarcomas with every prompt, the bare ellipsoid beside each figure.
RETROMASS_DATA ?= ../shared/data
JUDGE ?= $(RETROMASS_DATA)/../tools/sts_eval.py
eval: build
	@tools/evaluate.py --retromass build/release/bin/retromass --judge $(JUDGE) --cases $(RETROMASS_DATA)/sts --table docs/evaluation.md

# Later scans made from those sarcomas: is the category the right one, with a line and carried forward? `make test` has a few of them.
pairs: deps
	@cmake --preset release </dev/null
	@cmake --build build/release --parallel $(JOBS) --target make_pair retromass
	@/usr/bin/python3 tools/evaluate_pairs.py --retromass build/release/bin/retromass --make-pair build/release/bin/make_pair --cases $(RETROMASS_DATA)/sts --table docs/pairs.md

# Learns the trees of method fusion and the weights behind a point anew and judges them on cases left out.
train: deps
	@tools/write_prompts.py $(JUDGE) $(RETROMASS_DATA)/sts build/prompts
	@cmake --preset release -DRETROMASS_TRAINING=ON </dev/null
	@cmake --build build/release --parallel $(JOBS) --target train_fusion train_click
	build/release/bin/train_fusion $(RETROMASS_DATA)/sts build/prompts --table segmentation/fusion_table.cpp --folds 29
	build/release/bin/train_click $(RETROMASS_DATA)/sts build/prompts

# Measures anew how wide intervals must be, and whether they hold (hours of processor time).
calibrate: deps
	@tools/write_prompts.py $(JUDGE) $(RETROMASS_DATA)/sts build/prompts
	@cmake --preset release -DRETROMASS_TRAINING=ON </dev/null
	@cmake --build build/release --parallel $(JOBS) --target train_fusion interval_phantoms
	build/release/bin/interval_phantoms 1760 1 > build/phantoms.csv
	build/release/bin/train_fusion $(RETROMASS_DATA)/sts build/prompts --intervals build/sarcomas.csv --folds 29
	tools/calibrate_intervals.py build/phantoms.csv build/sarcomas.csv --table measurement/interval_table.cpp

# The tests again under the address and undefined-behaviour sanitizers.
asan: deps
	@cmake --preset asan </dev/null
	@cmake --build build/asan --parallel $(JOBS)
	@JOBS=$(JOBS) RETROMASS_SANITIZED=1 LSAN_OPTIONS="suppressions=$(CURDIR)/tools/lsan_suppressions.txt:print_suppressions=0" tools/run_tests.sh build/asan

# The tests of what runs on several threads under the thread sanitizer; setarch, for GCC 12 cannot place its shadow where addresses are too random. Pictures are the toolkit's threads, not ours.
tsan: deps
	@cmake --preset tsan </dev/null
	@cmake --build build/tsan --parallel $(JOBS)
	@JOBS=$(JOBS) TSAN_OPTIONS="suppressions=$(CURDIR)/tools/tsan_suppressions.txt" setarch -R tools/run_tests.sh build/tsan -LE 'slow|integration' -E viewer/pictures
	@JOBS=1 RETROMASS_SANITIZED=1 TSAN_OPTIONS="suppressions=$(CURDIR)/tools/tsan_suppressions.txt" setarch -R tools/run_tests.sh build/tsan -R 'integration.(listen|refusal|batch)_test'

# Which lines and branches the tests run: build/coverage/coverage.html and a summary. Threads count without a lock: the few branches whose count came out negative are left out. Needs gcovr, which `make weekly` installs and `deps` does not.
coverage: deps
	@cmake --preset coverage </dev/null
	@cmake --build build/coverage --parallel $(JOBS)
	@find build/coverage -name '*.gcda' -delete
	@status=0; JOBS=$(JOBS) tools/run_tests.sh build/coverage || status=$$?; \
	gcovr --root . --object-directory build/coverage --exclude tests/ --exclude tools/ --exclude build/ --exclude-throw-branches --gcov-ignore-parse-errors --html-details build/coverage/coverage.html --txt build/coverage/coverage.txt --print-summary && exit $$status

# Each fuzzer for FUZZ_SECONDS; what one finds fails and stays in build/fuzz/findings. Needs clang, which `make weekly` installs and `deps` does not.
FUZZ_SECONDS ?= 60
fuzz: deps
	@cmake --preset fuzz </dev/null
	@cmake --build build/fuzz --parallel $(JOBS) --target fuzzers
	@LSAN_OPTIONS="suppressions=$(CURDIR)/tools/lsan_suppressions.txt:print_suppressions=0" tools/run_fuzzers.sh build/fuzz $(FUZZ_SECONDS)

# What takes hours, for a machine that has them (.ci/weekly): all of it runs, whatever fails, and it fails if one part does. Times and results: build/weekly.txt.
WEEKLY = tidy fuzz test-web soak mixture tsan asan coverage bench
weekly:
	@tools/install_packages.sh cmake/packages.txt cmake/packages_weekly.txt
	@mkdir -p build && : > build/weekly.txt; failed=0; \
	for part in $(WEEKLY); do \
	    start=$$(date +%s); said=holds; \
	    $(MAKE) --no-print-directory $$part || { said=FAILS; failed=1; }; \
	    printf '%-10s %-6s %6d s\n' $$part $$said $$(( $$(date +%s) - start )) | tee -a build/weekly.txt; \
	done; exit $$failed

# Needs clang and clang-tidy, which `make weekly` installs and `deps` does not.
tidy: deps
	@cmake --preset tidy </dev/null
	@cmake --build build/tidy --parallel $(JOBS)

format:
	@clang-format -i $(SOURCES)

clean:
	@rm -rf build
