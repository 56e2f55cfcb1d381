# One line a target: each is what a person could also type.  `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find native -name '*.[ch]' -o -name CMakeLists.txt)
.DEFAULT_GOAL := help
.PHONY: help run test dev native lint types ctest fuzz bench soak check

help:   ## this list
	@sed -n 's/^\([a-z]*\):.*##/\1\t/p' Makefile
run: .venv/run   ## build what is needed and start the switch
	@exec $(BIN)/tandem serve
test: .venv/dev .venv/native   ## the tests that need nothing but this checkout
	$(BIN)/pytest -q -n auto -m "not interop and not slow"
dev: .venv/dev   ## an environment for working on Tandem
native: .venv/dev   ## rebuild the C kernels into the environment
	$(BIN)/pip install -q --no-build-isolation --no-deps -e . && touch .venv/native
lint: .venv/dev   ## ruff, import-linter, clang-format
	$(BIN)/ruff check && $(BIN)/ruff format --check && $(BIN)/lint-imports && $(BIN)/clang-format --dry-run -Werror $(filter %.c %.h,$(SOURCES))
types: .venv/dev   ## mypy --strict, stubs against the built modules
	$(BIN)/mypy && $(BIN)/python -m mypy.stubtest voicecodecs._native gateway._native gateway.transport._io gateway.lab._load
ctest: .venv/dev   ## the C tests under address and undefined-behaviour sanitizers
	$(BIN)/cmake -S native -B build/ctest -G Ninja -DCMAKE_BUILD_TYPE=Debug -DTANDEM_SANITIZE=ON && $(BIN)/cmake --build build/ctest && $(BIN)/ctest --test-dir build/ctest --output-on-failure
fuzz: .venv/dev .venv/native   ## mutated bytes into every decoder, parser and the SIP engine: a minute in all
	$(BIN)/python -m gateway.testing.fuzz all --seconds 8
bench: .venv/dev .venv/native   ## every benchmark, JSON into benchmarks/results
	$(BIN)/python -m benchmarks
soak: .venv/dev .venv/native   ## legs that come and go for half an hour: memory flat, descriptors back
	$(BIN)/python -m benchmarks soak --minutes $(or $(MINUTES),30)
check: lint types ctest test   ## everything but the benchmarks

.venv/bin/python:
	@sh .ci/preflight $(PYTHON)
	$(PYTHON) -m venv .venv && $(BIN)/pip install -q --upgrade pip
.venv/run: pyproject.toml $(SOURCES) | .venv/bin/python
	$(BIN)/pip install -q -e '.[speech]' && touch $@
.venv/dev: pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q --group dev && $(BIN)/pip install -q --no-build-isolation -e '.[speech]' && touch $@ .venv/native .venv/run
.venv/native: $(SOURCES) | .venv/dev
	$(BIN)/pip install -q --no-build-isolation --no-deps -e . && touch $@
