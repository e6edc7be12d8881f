# Every target sets itself up: nothing is needed but Python >= 3.11 and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ARGS ?=
# Compiled once, not by each of the many processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE
# Work goes to the processes in the order of tests/order.py, longest first.
SHARED := -n 4 --no-loadscope-reorder --dist

.PHONY: run test test-release parity chaos fuzz check bench sizes lock dashboards docs clean

$(READY): requirements.lock pyproject.toml client/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Watchkeeper needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -m venv .venv
	@echo "Installing into .venv (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=24' uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --requirement requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable . --editable client
	@touch $@

run: $(READY) ## the demo: a real model, real flights, Watchkeeper beside it (ARGS="--once --no-faults")
	@$(BIN)/watchkeeper demo $(ARGS)

test: $(READY) ## the tests but for those of test-release, in four processes (ARGS="-n 0 -x" for one)
	@sh tests/setup.sh
	@sh tests/pytest.sh $(BIN)/python $(SHARED) loadfile $(ARGS)

test-release: $(READY) ## tests that are slow and rarely break: packages, images, the tutorial, the demo's year, peers
	@sh tests/setup.sh
	@sh tests/pytest.sh $(BIN)/python -m release $(SHARED) loadgroup $(ARGS)

parity: $(READY) ## asks Evidently and NannyML anew, and keeps their answers for the tests where they changed
	@$(BIN)/python -m tests.checks.drift.parity

chaos: $(READY) ## kills a real daemon 100 times while all around it fails (about 10 minutes; ARGS="--kills 10 --seed 7")
	@$(BIN)/python -m tests.chaos $(ARGS)

fuzz: $(READY) ## feeds broken input to all that reads some (at most 15 minutes; ARGS="config --seed 7 --seconds 60")
	@$(BIN)/python -m tests.fuzz $(ARGS)

check: $(READY) ## ruff, mypy --strict, and which room imports which
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo

bench: $(READY) ## measures speed and footprint, writes docs/benchmarks.md
	@$(BIN)/python -m bench $(ARGS)

sizes: $(READY) ## prints lines a file and a function, and how many rooms import which
	@$(BIN)/python -m bench.sizes

lock: $(READY) ## resolves requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --output-file requirements.lock

dashboards: $(READY) ## writes grafana/dashboards and the rules in deploy/ anew
	@$(BIN)/python -m grafana
	@$(BIN)/watchkeeper rules export --config deploy/prometheus/watchkeeper.yaml --recording --output deploy/prometheus/watchkeeper.rules.yml
	@$(BIN)/watchkeeper rules export --config deploy/prometheus/watchkeeper.yaml --recording --kubernetes --output deploy/kubernetes/prometheus-rule.yaml

docs: $(READY) ## writes the pages of reference anew, and builds all of docs/ into site/
	@$(BIN)/python -m docs.make.configuration
	@$(BIN)/python -m docs.make.cli
	@$(BIN)/python -m docs.make.metrics
	@$(BIN)/python -m docs.make.roles
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf site .venv .mypy_cache .ruff_cache .pytest_cache build dist
