# `make demo` and `make test` need Python 3.11 or newer, git and make; everything else is installed into a virtual
# environment of the repository. `make test PYTHON=python3.13` tests on another Python, in an environment of its own.

.DELETE_ON_ERROR:
.PHONY: help demo test bench torture venv lint types pytest generate format clean

ifeq ($(origin PYTHON),undefined)
is_new_enough := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON := $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(is_new_enough)' 2>/dev/null && echo $$python && break; done)
VENV := .venv
else
VENV := .venv-$(subst /,-,$(PYTHON))
endif

BIN := $(VENV)/bin
SECONDS_TO_RUN := 1800
# Mypy looks at a stub and never at the module beside it, so generated modules are also named one by one.
GENERATED := $(shell find examples tests -name '*_durable.py' | sort)
CHECKED := compiler runtime templates tests examples

help:
	@echo "make demo      compile a flow, run it, kill it, recover it, and show what happened"
	@echo "make test      everything that must hold: generated code, lint, types, tests"
	@echo "make bench     measure against plain sqlite3 and others; JSON=FILE also writes the figures there"
	@echo "make torture   random flows, crashes and kill -9 for SECONDS_TO_RUN=1800 seconds"
	@echo "make generate  bring the generated code of the examples and tests up to date"
	@echo "make format    lay out the code"
	@echo "make clean     remove the virtual environments and caches"

demo: venv
	@$(BIN)/python -m examples.demo

test: lint types pytest

bench: $(VENV)/.bench-installed
	@$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json $(JSON))

torture: venv
	@$(BIN)/python -m tests.torture --seconds $(SECONDS_TO_RUN) $(if $(SEED),--seed $(SEED))

# Done again only after a change of pyproject.toml.
venv: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[compiler]' --group dev
	touch $@

# What is measured against, which nothing else needs.
$(VENV)/.bench-installed: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[compiler,bench]'
	touch $@

lint: venv
	$(BIN)/persistc check
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: venv
	$(BIN)/mypy $(CHECKED)
	$(BIN)/mypy $(GENERATED)
	$(BIN)/python -m mypy.stubtest --concise --mypy-config-file pyproject.toml $(subst /,.,$(GENERATED:.py=))

pytest: venv
	$(BIN)/pytest --numprocesses auto --maxprocesses 4

generate: venv
	$(BIN)/persistc generate

format: venv
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .persistc_cache .hypothesis build dist
	find compiler runtime templates tests examples -name __pycache__ -prune -exec rm -rf {} +
