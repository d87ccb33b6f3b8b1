# Two commands: `make demo` shows the codec at work, `make test` checks everything.
# TRAIN=1 also installs PyTorch, so that the tests of training run instead of being skipped.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
comma := ,
EXTRAS := dev$(if $(TRAIN),$(comma)train$(comma)export$(comma)onnx)
STAMP := $(VENV)/.installed-$(subst $(comma),-,$(EXTRAS))

PACKAGES := bitstream onboard ground calibration training export cli benchmarks
# A strict editable install is a tree of links, file by file: it has to be refreshed when a file comes or
# goes, which is when the time stamp of its folder changes.
FOLDERS := $(shell find $(PACKAGES) -type d ! -name __pycache__)

SCENES ?= ../shared/scenes
ANCHORS ?= $(wildcard ../shared/reference/anchors.json)
OUT := out

.PHONY: demo test bench speed clean links-are-gone

demo: $(STAMP)
	$(BIN)/bandfold demo

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(PACKAGES:%=-p bandfold.%)
	$(BIN)/lint-imports
	$(BIN)/pytest

bench: $(STAMP)
	mkdir -p $(OUT)
	$(BIN)/python -m bandfold.benchmarks.rd --scenes $(SCENES) $(if $(ANCHORS),--anchors $(ANCHORS)) \
		--json $(OUT)/rd.json --plot $(OUT)/rd.png $(BENCH_ARGS)

speed: $(STAMP)
	mkdir -p $(OUT)
	$(BIN)/python -m bandfold.benchmarks.speed --json $(OUT)/speed.json $(SPEED_ARGS)
	$(BIN)/python -m bandfold.benchmarks.memory

# "Strict" because mypy and import-linter follow links on disk, and not the import hook that pip's default
# editable install relies on when the repository root is the package.
$(STAMP): pyproject.toml $(FOLDERS) $(if $(wildcard build/__editable__.*),,links-are-gone)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --config-settings editable_mode=strict -e '.[$(EXTRAS)]'
	touch $@

links-are-gone:

clean:
	rm -rf $(VENV) $(OUT) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
