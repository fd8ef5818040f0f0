# Each target sets up what it needs in .venv: with uv where it is there, with pip otherwise.

VENV := .venv
BIN := $(VENV)/bin

# The first of these that is new enough; another one by: make PYTHON=/path/to/python run
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input
endif

RUN := $(VENV)/.installed
DEV := $(VENV)/.installed-dev

.PHONY: run install test check format lint types layers dependencies bench fix lock clean
.DEFAULT_GOAL := run

run: $(RUN)  ## start a bridge on embedded defaults
	@exec $(BIN)/bridge up $(ARGS)

install: $(RUN)  ## set up what `bridge` needs, and start nothing

test: $(DEV)  ## run the tests; ARGS="-k name" for some of them
	@$(BIN)/python -m pytest --numprocesses 3 --maxschedchunk 1 $(ARGS)

check: format lint types layers dependencies test  ## what CI runs

format: $(DEV)
	@$(BIN)/ruff format --check .

lint: $(DEV)
	@$(BIN)/ruff check .

types: $(DEV)
	@$(BIN)/mypy

layers: $(DEV)
	@$(BIN)/lint-imports --no-logo

dependencies: $(DEV)
	@$(BIN)/deptry .

bench: $(DEV)  ## measure; ARGS are the benchmark's
	@$(BIN)/python bench/run.py $(ARGS)

fix: $(DEV)  ## format, and mend what can be mended
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

$(RUN): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { \
		echo "Python 3.11 or newer is needed, and python3 is older or missing." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12 run" >&2; exit 1; }
	@echo "Setting up $(VENV), once; this takes a minute ..." >&2
	@if [ -n "$(UV)" ]; then \
		"$(UV)" venv --quiet --allow-existing --no-python-downloads --python "$(PYTHON)" $(VENV); \
	else "$(PYTHON)" -m venv $(VENV); fi
	@$(INSTALL) -r requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q bridge
	@touch $@

$(DEV): $(RUN) requirements-dev.lock
	@echo "Adding the tools for tests and checks ..." >&2
	@$(INSTALL) -r requirements-dev.lock
	@touch $@

# Exact versions for every platform; needs uv.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links $(ARGS)

lock:  ## renew the two locks; ARGS=--upgrade takes newer versions
	@printf 'editables\nhatchling\n' | $(COMPILE) pyproject.toml - --output-file requirements.lock
	@$(COMPILE) --extra dev pyproject.toml --constraint requirements.lock \
		--output-file requirements-dev.lock

clean:  ## take away what make made; data in var/ stays
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
