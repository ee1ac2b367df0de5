# Everything sets itself up: a virtual environment in .venv, from a bare Python with pip.
#   make test PYTHON=python3.12        takes that Python
#   make test ARGS="-k lstm -x"        passes arguments on to pytest

VENV ?= .venv
ARGS ?=
JOBS ?= 2

is_new_enough = import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))
find_python = $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,\
  $(shell $(p) -c '$(is_new_enough)' >/dev/null 2>&1 && echo $(p))))

run := $(VENV)/bin/python
pytest := $(run) -m pytest
site := build/site

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | \
	  awk -F ':.*## *' '{ printf "  make %-10s %s\n", $$1, $$2 }'

.PHONY: demo
demo: $(VENV)/.examples  ## capture, optimize, plan, compile and run an LSTM on real data
	$(run) examples/lstm.py

.PHONY: test
test: $(VENV)/.dev  ## run the tests
	$(pytest) -n $(JOBS) --dist worksteal $(ARGS)

.PHONY: check
check: lint types  ## lint, format, strict types and layers of the built package

.PHONY: lint
lint: $(VENV)/.dev
	$(run) -m ruff check .
	$(run) -m ruff format --check .

.PHONY: types
types: $(VENV)/.dev
	rm -rf build
	$(run) -m pip install --quiet --no-deps --no-build-isolation --no-compile --target $(site) .
	$(run) -m mypy $(site)/plait tests $(wildcard examples/*.py benchmarks/*.py)
	PLAIT_SITE=$(site) $(pytest) -q tests/structure/test_layers.py tests/structure/test_packages.py
	rm $(site)/plait/__init__.pyi  # the stub hides the front door's own code
	$(run) -m mypy --cache-dir .mypy_cache/front_door $(site)/plait/__init__.py

.PHONY: bless
bless: $(VENV)/.dev  ## accept what the tests produce as the new golden texts
	PLAIT_BLESS=1 $(pytest) -n $(JOBS) -q $(ARGS)
	-@git status --short tests/goldens plait/__init__.pyi

.PHONY: campaign
campaign: $(VENV)/.dev  ## run the random tests on new cases, for long
	$(pytest) -n $(JOBS) -m hypothesis --hypothesis-profile campaign --timeout 0 $(ARGS)

.PHONY: campaign-capture
campaign-capture: $(VENV)/.dev  ## run 100,000 random programs and 10,000 sequences of changes
	$(run) -m tests.capture.fuzz.campaign programs --count 100000 --jobs $(JOBS) $(ARGS)
	$(run) -m tests.capture.fuzz.campaign sequences --count 10000 --jobs $(JOBS) $(ARGS)

.PHONY: campaign-files
campaign-files: $(VENV)/.dev  ## read 10,000 broken files of saved functions
	$(run) -m tests.plait.deploy.mutations --count 10000 $(ARGS)

.PHONY: bench
bench: $(VENV)/.examples  ## measure the ratios of docs/benchmarks.md
	$(run) -m benchmarks $(ARGS)

.PHONY: test-gpu
test-gpu:  ## run the tests that need a GPU, and the demo there
	@if nvidia-smi -L >/dev/null 2>&1; \
	  then $(MAKE) --no-print-directory gpu; \
	  else echo "no GPU here: the GPU tests were not run"; fi

.PHONY: gpu
gpu: $(VENV)/.gpu
	PLAIT_TEST_GPU=1 $(pytest) -m gpu $(ARGS)
	PLAIT_TEST_GPU=1 $(run) examples/lstm.py --device gpu:0

.PHONY: clean
clean:  ## remove what make built
	rm -rf build $(VENV)

# One stamp for each set of extras: pip runs again only when pyproject.toml has changed.
$(VENV)/.examples: extras := examples
$(VENV)/.dev: extras := dev,notebook,examples
$(VENV)/.gpu: extras := dev,examples,gpu

$(VENV)/.examples $(VENV)/.dev $(VENV)/.gpu: pyproject.toml | $(run)
	$(run) -m pip install --quiet --editable '.[$(extras)]'
	touch $@

$(run):
	@test -n "$(or $(PYTHON),$(find_python))" || \
	  { echo "no Python 3.11 or newer with venv found; name one: make PYTHON=..." >&2; exit 1; }
	$(or $(PYTHON),$(find_python)) -m venv $(VENV)
