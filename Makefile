# Two commands do all the set-up:
#   make demo    build Herald, generate publishers from an example, show what came out
#   make test    every check that CI runs
# They expect Rust, Python 3.11 and, for the tests, Java 17 with Maven. Whatever else they need is
# installed below .tools/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TOOLS := .tools
VENV := $(TOOLS)/venv
PYTHON ?= python3
HERALD := target/release/herald

# Here, wherever the environment would put it: scripts look for the binary.
export CARGO_TARGET_DIR := $(CURDIR)/target

export HERALD_PYTHON := $(CURDIR)/$(VENV)/bin/python
export HERALD_RUFF := $(CURDIR)/$(VENV)/bin/ruff
export HERALD_MYPY := $(CURDIR)/$(VENV)/bin/mypy
export HERALD_BIN := $(CURDIR)/$(HERALD)

.PHONY: help build demo test lint rust-test some-faults faults soak python-test kafka-test kafka
.PHONY: wheel package-test book book-test bench bench-runtime bench-python bench-service clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

$(VENV)/.stamp: tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

# The compiler of TypeScript, for the test of an example; without npm that test says it is skipped.
$(TOOLS)/typescript/.stamp:
	mkdir -p $(@D)
	if command -v npm >/dev/null; then \
		npm install --silent --prefix $(@D) typescript@5.9.3; \
	else echo 'npm is missing: TypeScript is not checked'; fi
	touch $@

# What it is built in is not needed again, and few pages need no fast one.
$(TOOLS)/bin/mdbook:
	built=$$(mktemp -d); trap 'rm -r "$$built"' EXIT; CARGO_TARGET_DIR=$$built \
		CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install --quiet --locked --root $(TOOLS) mdbook@0.5.4 \
		--no-default-features --features search

build:
	cargo build --release --locked -p herald-cli

demo: build ## the main job on an example contract
	scripts/demo

test: lint rust-test some-faults python-test kafka-test package-test book-test ## every check that CI runs

# Python without the ending.
SCRIPTS = scripts/kafka scripts/bundle-runtime scripts/book scripts/python-reference scripts/words \
	$(addprefix benches/,instrument lifecycle metrics python run runtime)

lint: $(VENV)/.stamp ## format, lints, licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	cargo clippy --workspace --test faults --all-features --locked -- -D warnings
	$(HERALD_RUFF) check --quiet . $(SCRIPTS)
	$(HERALD_RUFF) format --quiet --check . $(SCRIPTS)
	cd tests/python && MYPYPATH=../../crates/python/python $(HERALD_MYPY) --strict .
	cd tests/kafka && $(HERALD_MYPY) --strict . ../../scripts/kafka
	cd tests/book && MYPYPATH=../../crates/python/python $(HERALD_MYPY) --strict --scripts-are-modules \
		. ../../scripts/book ../../scripts/python-reference
	cd tests/words && $(HERALD_MYPY) --strict --scripts-are-modules . ../../scripts/words
	$(VENV)/bin/python -m pytest -q tests/words
	scripts/words --count
	cd examples/orders && MYPYPATH=../../crates/python/python $(HERALD_MYPY) --strict service.py
	scripts/bundle-runtime --check
	scripts/deny

rust-test: $(VENV)/.stamp $(TOOLS)/typescript/.stamp build ## Rust, with a real Apache Kafka
	cargo test --workspace --all-features --locked --no-run
	scripts/kafka run -- cargo test --workspace --all-features --locked
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --all-features --no-deps --locked --quiet

FAULTS = cargo test --workspace --all-features --locked --test faults -- --test-threads=1

# Those that take no chance on what a damaged disk or a slow network leaves to be seen in time.
some-faults: ## a part of them, which CI runs
	cargo test --workspace --all-features --locked --test faults --no-run
	HERALD_KILLS=5 scripts/kafka run -- $(FAULTS) closing:: kills:: outage:: processes:: restarts::

faults: ## what docs/fault-tolerance.md claims: one broker, then three
	cargo test --workspace --all-features --locked --test faults --no-run
	scripts/kafka run -- $(FAULTS) --skip leader::
	scripts/kafka run --nodes 3 -- $(FAULTS) leader::

soak: ## a million events through restarts and kills, in each mode
	scripts/kafka run -- $(FAULTS) --ignored --nocapture soak::

python-test: $(VENV)/.stamp build ## generated code, run for real
	$(VENV)/bin/python -m pytest -q -rs tests/python
	$(VENV)/bin/python -m pytest -q -rs tests/envelope

kafka-test: $(VENV)/.stamp build wheel ## generated code against a real Apache Kafka
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		target/wheels/*.whl
	scripts/kafka run -- $(VENV)/bin/python -m pytest -q -rs tests/kafka

wheel: $(VENV)/.stamp ## the Python package, below target/wheels
	rm -rf target/wheels target/maturin
	PATH="$(abspath $(VENV)/bin):$$PATH" maturin build --quiet --release --locked -m crates/python/Cargo.toml \
		--interpreter $(abspath $(VENV)/bin/python) --out target/wheels

PACKAGE := $(TOOLS)/package

# First as a user has it, with nothing beside it; then with what its tests need.
$(PACKAGE)/.stamp: wheel tests/package/requirements.txt
	$(PYTHON) -m venv --clear $(PACKAGE)
	$(PACKAGE)/bin/pip install --quiet --disable-pip-version-check --no-index target/wheels/*.whl
	cd / && $(CURDIR)/$(PACKAGE)/bin/python -W error -c 'import herald, herald.testing, herald.metrics, herald.lifecycle'
	cd / && $(CURDIR)/$(PACKAGE)/bin/herald --version
	$(PACKAGE)/bin/pip install --quiet --disable-pip-version-check -r tests/package/requirements.txt
	touch $@

package-test: build $(PACKAGE)/.stamp ## the Python package, installed and tried
	cd tests/package && $(CURDIR)/$(PACKAGE)/bin/mypy --strict .
	cd tests/package && $(CURDIR)/$(PACKAGE)/bin/mypy --strict -p herald -p pytest_herald
	cd examples/fastapi && $(CURDIR)/$(PACKAGE)/bin/mypy --strict app.py test_app.py
	cd examples/faststream && $(CURDIR)/$(PACKAGE)/bin/mypy --strict app.py test_app.py
	scripts/kafka run -- $(PACKAGE)/bin/python -m pytest -q -rs tests/package

book: $(TOOLS)/bin/mdbook ## docs/ as a book, below target/book
	scripts/book

book-test: book $(PACKAGE)/.stamp ## the book: its code is run, its output compared, its links followed
	$(PACKAGE)/bin/python -m pytest -q -rs tests/book

kafka: ## a real Apache Kafka that stays up, at the address it prints
	@scripts/kafka start
	@echo 'It ends with: scripts/kafka stop'

bench-runtime: $(VENV)/.stamp ## what docs/benchmarks.md claims about publishing, measured
	cargo build --release --locked -p herald-publish --example publish_bench
	scripts/kafka run -- $(VENV)/bin/python benches/runtime

bench-python: $(VENV)/.stamp wheel ## the same from Python, beside other clients
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		target/wheels/*.whl
	scripts/kafka run -- $(VENV)/bin/python benches/python

bench-service: $(VENV)/.stamp wheel ## instrumented operations, metrics, start and stop
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		target/wheels/*.whl
	scripts/kafka run -- $(VENV)/bin/python benches/instrument
	$(VENV)/bin/python benches/metrics
	scripts/kafka run -- $(VENV)/bin/python benches/lifecycle

bench: $(VENV)/.stamp build ## what docs/benchmarks.md claims, measured
	benches/run

clean: ## remove what was built and installed
	-scripts/kafka stop
	rm -rf target $(TOOLS)
