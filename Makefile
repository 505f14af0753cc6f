# `make demo` and `make test` do everything on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test slow-test lint docs bench setup clean

demo: setup
	rm -rf isogloss-demo/hybrid
	$(BIN)/isogloss demo --output isogloss-demo

# Processes share out the files of tests, one thread each.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

test: setup
	$(PYTEST) -m "not slow and not openvino"
	$(BIN)/python -m pytest -m "not slow and openvino"

slow-test: setup
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: setup
	$(BIN)/python docs/make_cli_reference.py
	$(BIN)/python docs/make_measures_page.py

bench: .venv/bench
	$(BIN)/isogloss model fetch multilingual-e5-small
	$(BIN)/python -m benchmarks $(BENCHMARKS)

setup: .venv/installed

.venv/bench: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[offline,int8,export,bench,serve]'
	touch $@

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "isogloss needs Python 3.11 or newer; set PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[offline,dev]'
	touch $@

clean:
	rm -rf .venv isogloss-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
