# Everything a newcomer runs: `make demo` to see it work, `make test` before a change is handed in.
# Nothing but Python 3.11 or newer is needed; packages come from the hash-pinned files and live in .venv.

.DEFAULT_GOAL := help
.PHONY: help demo test check mutants bench benchmark-quality benchmark-never-worse format lock clean
# Under make -j, two targets would install into one environment at a time.
.NOTPARALLEL:

VENV := .venv
BIN := $(VENV)/bin
LOCK_VENV := .venv-lock
PEERS_VENV := .venv-peers
UV_VERSION := 0.13.9

# Probed by running it: a version manager may put a python3.11 on the path that refuses to start.
PYTHON ?= $(shell for python in python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

help:  ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 24

demo: $(VENV)/.runtime  ## Simulate a lead store, then train, promote, score and explain
	$(BIN)/leadscore demo

test: check  ## Check, then run every test and doctest
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.dev  ## Lint, formatting, types, and the arrows between the packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

mutants: $(VENV)/.dev  ## Take each safeguard away and see that a test notices (minutes)
	$(BIN)/python -m tests.mutants

bench: $(VENV)/.dev  ## Time a night of 100,000 leads on both engines (minutes)
	$(BIN)/python -m tests.benchmarks.night

benchmark-quality: $(VENV)/.dev  ## The model against baselines and AutoML tools on real data, in LEADSCORE_DATA (half an hour)
	-$(MAKE) $(PEERS_VENV)/.installed
	$(BIN)/python -m tests.benchmarks.quality

benchmark-never-worse: $(VENV)/.dev  ## The model against baselines on 200 simulated stores whose truth is known (half an hour)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.never_worse --jobs 2

format: $(VENV)/.dev  ## Mend what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Versions that are locked stay as they are while pyproject.toml allows them; LOCK_FLAGS=--upgrade takes the newest.
# The runtime file is cut out of the development one, so that both name the same versions.
COMPILE = $(LOCK_VENV)/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header

lock: $(LOCK_VENV)/bin/uv  ## Resolve pyproject.toml anew into the two hash-pinned files
	$(COMPILE) --extra dev $(LOCK_FLAGS) --output-file requirements-dev.txt
	printf 'setuptools\nwheel\n' | $(COMPILE) - --constraint requirements-dev.txt --output-file requirements.txt
	printf 'autogluon.tabular[catboost,lightgbm,xgboost]\nflaml\n' | $(subst pyproject.toml,-,$(COMPILE)) \
		$(LOCK_FLAGS) --output-file requirements-peers.txt

clean:  ## Remove the environments, caches and the demo store; your own stores stay
	rm -rf $(VENV) $(LOCK_VENV) $(PEERS_VENV) build *.egg-info demo-store
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp says that an environment holds what a file pins; the development environment holds the runtime too.
$(VENV)/.runtime: requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps -e .
	touch $(VENV)/.runtime $@

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "leadscore needs Python 3.11 or newer; neither python3.11 nor python3 is." \
		"Install one, or name it: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ctypes, sys; sys.platform == "linux" and ctypes.CDLL("libgomp.so.1")' 2>/dev/null || { \
		echo "LightGBM needs the system library libgomp.so.1, which is not here." \
		"Install it, for example: apt-get install libgomp1" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The AutoML tools need other versions of what we use: an environment of their own, for the benchmark alone.
$(PEERS_VENV)/.installed: requirements-peers.txt
	$(PYTHON) -m venv $(PEERS_VENV)
	echo '*' > $(PEERS_VENV)/.gitignore
	$(PEERS_VENV)/bin/python -m pip install --quiet --require-hashes -r requirements-peers.txt
	touch $@

$(LOCK_VENV)/bin/uv:
	$(PYTHON) -m venv $(LOCK_VENV)
	echo '*' > $(LOCK_VENV)/.gitignore
	$(LOCK_VENV)/bin/python -m pip install --quiet uv==$(UV_VERSION)
