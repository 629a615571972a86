# Two commands do all the set-up:
#   make demo    build Herald and show the main job on an example
#   make test    every check that CI runs
# They need Rust, Python 3.11 and, for the tests, Java 17 with Maven. Everything else is installed
# below .tools/.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TOOLS := .tools
VENV := $(TOOLS)/venv
PYTHON ?= python3
# Tests need no fast command and package, and CI has no time to compile everything twice (.ci/run).
PROFILE ?= release
HERALD := target/$(patsubst dev,debug,$(PROFILE))/herald

# Here, whatever the environment: scripts look for the binary.
export CARGO_TARGET_DIR := $(CURDIR)/target

export HERALD_PYTHON := $(CURDIR)/$(VENV)/bin/python
export HERALD_RUFF := $(CURDIR)/$(VENV)/bin/ruff
export HERALD_MYPY := $(CURDIR)/$(VENV)/bin/mypy
export HERALD_BIN := $(CURDIR)/$(HERALD)

.PHONY: help build demo test lint rust-test some-faults faults soak python-test kafka-test kafka
.PHONY: wheel package-test package platforms crates msrv semver book book-test bench bench-report bench-runtime bench-python bench-service clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

$(VENV)/.stamp: tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

# The TypeScript compiler and AsyncAPI's parser, for tests of targets; without npm they are skipped.
$(TOOLS)/node/.stamp:
	mkdir -p $(@D)
	if command -v npm >/dev/null; then \
		npm install --silent --prefix $(@D) typescript@5.9.3 @asyncapi/parser@3.6.6; \
	else echo 'npm is missing: TypeScript and AsyncAPI documents are not checked'; fi
	touch $@

# The build folder is not needed again, and few pages need no optimised mdBook.
$(TOOLS)/bin/mdbook:
	built=$$(mktemp -d); trap 'rm -r "$$built"' EXIT; CARGO_TARGET_DIR=$$built \
		CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install --quiet --locked --root $(TOOLS) mdbook@0.5.4 \
		--no-default-features --features search

# Both packages, although only the command is built: with the features of one alone (those of `syn`
# differ), the wheel compiles all dependencies again, which takes 7 minutes of CPU.
build:
	cargo build --profile $(PROFILE) --locked --bin herald -p herald-cli -p herald-python

DEMO := $(TOOLS)/demo

# The environment of a user: the package and pydantic.
$(DEMO)/.stamp: tests/requirements.txt
	$(PYTHON) -m venv --clear $(DEMO)
	$(DEMO)/bin/pip install --quiet --disable-pip-version-check \
		"$$(grep -h '^pydantic==' tests/python/requirements.txt)"
	touch $@

demo: build wheel $(DEMO)/.stamp ## the main job on an example contract, and its service in Python
	$(DEMO)/bin/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps \
		--no-index --find-links target/wheels herald-events
	scripts/demo

test: lint platforms rust-test some-faults python-test kafka-test package-test book-test ## every check that CI runs

# Python without the ending.
SCRIPTS = $(addprefix scripts/,book kafka licenses package python-reference registry words) \
	$(addprefix benches/,declared instrument lifecycle metrics python report run runtime)

lint: $(VENV)/.stamp ## format, lints, wording, licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
	cargo clippy --workspace --test faults --all-features --locked -- -D warnings
	cargo clippy --package herald-publish --locked -- -D warnings
	$(HERALD_RUFF) check --quiet . $(SCRIPTS)
	$(HERALD_RUFF) format --quiet --check . $(SCRIPTS)
	cd tests/python && MYPYPATH=../../crates/python/python $(HERALD_MYPY) --strict .
	cd tests/kafka && $(HERALD_MYPY) --strict . ../../scripts/kafka
	cd tests/kafka && $(HERALD_MYPY) --strict --scripts-are-modules ../../scripts/registry
	cd tests/book && MYPYPATH=../../crates/python/python $(HERALD_MYPY) --strict --scripts-are-modules \
		. ../../scripts/book ../../scripts/python-reference
	cd tests/review && $(HERALD_MYPY) --strict .
	cd tests/words && $(HERALD_MYPY) --strict --scripts-are-modules . ../../scripts/words
	cd tests/release && $(HERALD_MYPY) --strict --scripts-are-modules . ../../scripts/package
	$(VENV)/bin/python -m pytest -q tests/words tests/release
	$(VENV)/bin/zizmor --offline --no-progress --quiet .github action.yml
	scripts/words
	cd examples/orders && MYPYPATH=../../crates/python/python $(HERALD_MYPY) --strict service.py
	scripts/licenses --check
	scripts/deny

rust-test: $(VENV)/.stamp $(TOOLS)/node/.stamp build ## Rust, with a real Apache Kafka and a schema registry
	cargo test --workspace --all-features --locked --no-run
	scripts/registry run -- scripts/kafka run -- cargo test --workspace --all-features --locked
	cargo test --manifest-path tests/cloudevents/Cargo.toml --target-dir target/cloudevents --locked
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --all-features --no-deps --locked --quiet

FAULTS = cargo test --workspace --all-features --locked --test faults -- --test-threads=1

# The cases that take seconds, and whose outcome does not depend on the timing of a damaged disk or a slow network.
some-faults: ## the part of the fault tests that CI runs
	cargo test --workspace --all-features --locked --test faults --no-run
	HERALD_KILLS=5 scripts/kafka run -- $(FAULTS) closing:: kills:: outage:: processes:: restarts:: \
		dead_letters::event_too_large disk:: isolation:: order:: recreated::

faults: ## all fault tests of docs/fault-tolerance.md: one broker, then three
	cargo test --workspace --all-features --locked --test faults --no-run
	scripts/kafka run -- $(FAULTS) --skip leader::
	scripts/kafka run --nodes 3 -- $(FAULTS) leader::

soak: ## a million events through restarts and kills, in each mode
	scripts/kafka run -- $(FAULTS) --ignored --nocapture soak::

python-test: $(VENV)/.stamp build ## generated code, executed
	$(VENV)/bin/python -m pytest -q -rs -n auto --dist worksteal tests/python
	$(VENV)/bin/python -m pytest -q -rs tests/envelope
	$(VENV)/bin/python -m pytest -q -rs tests/review

kafka-test: $(VENV)/.stamp build wheel ## generated code against a real Apache Kafka
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		target/wheels/*.whl
	scripts/registry run -- scripts/kafka run -- $(VENV)/bin/python -m pytest -q -rs tests/kafka

wheel: $(VENV)/.stamp ## the Python package, below target/wheels
	rm -rf target/wheels target/maturin
	PATH="$(abspath $(VENV)/bin):$$PATH" maturin build --quiet --profile $(PROFILE) --locked -m crates/python/Cargo.toml \
		--interpreter $(abspath $(VENV)/bin/python) --out target/wheels

PACKAGE := $(TOOLS)/package

# First alone, as for a user; then with the requirements of its tests.
$(PACKAGE)/.stamp: wheel tests/package/requirements.txt
	$(PYTHON) -m venv --clear $(PACKAGE)
	$(PACKAGE)/bin/pip install --quiet --disable-pip-version-check --no-index target/wheels/*.whl
	cd / && $(CURDIR)/$(PACKAGE)/bin/python -W error -c 'import herald, herald.testing, herald.metrics, herald.lifecycle'
	cd / && $(CURDIR)/$(PACKAGE)/bin/herald --version
	$(PACKAGE)/bin/pip install --quiet --disable-pip-version-check -r tests/package/requirements.txt
	touch $@

package-test: build $(PACKAGE)/.stamp ## the Python package, installed and tested
	cd tests/package && $(CURDIR)/$(PACKAGE)/bin/mypy --strict .
	cd tests/package && $(CURDIR)/$(PACKAGE)/bin/mypy --strict -p herald -p pytest_herald
	cd examples/fastapi && $(CURDIR)/$(PACKAGE)/bin/mypy --strict app.py test_app.py
	cd examples/faststream && $(CURDIR)/$(PACKAGE)/bin/mypy --strict app.py test_app.py
	scripts/kafka run -- $(PACKAGE)/bin/python -m pytest -q -rs -n auto --dist worksteal tests/package

LINUX := x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-musl
MUSL := $(filter %-musl,$(LINUX))

package: build ## wheels and commands for Linux, as a release has them (half an hour)
	scripts/package tools $(LINUX)
	scripts/package wheel $(LINUX)
	scripts/package command $(MUSL)
	scripts/package check
	scripts/package sums

platforms: ## compile the Rust code for macOS and Windows
	scripts/package compile

crates: ## the crates, as crates.io would get them
	cargo publish --dry-run --workspace --exclude herald-python --locked --allow-dirty

msrv: ## compile with the oldest Rust
	oldest=$$(sed -nE 's/^rust-version = "(.*)"/\1/p' Cargo.toml); \
		rustup toolchain install --profile minimal "$$oldest" && \
		cargo "+$$oldest" check --workspace --all-features --locked

$(TOOLS)/bin/cargo-semver-checks:
	built=$$(mktemp -d); trap 'rm -r "$$built"' EXIT; CARGO_TARGET_DIR=$$built \
		CARGO_PROFILE_RELEASE_OPT_LEVEL=0 cargo install --quiet --locked --root $(TOOLS) cargo-semver-checks@0.51.0

# HEAD itself may be the release that is made. The interface of herald-cli is its command.
BASELINE ?= $(shell git describe --tags --abbrev=0 --match 'v[0-9]*' HEAD^ 2>/dev/null)

semver: $(if $(BASELINE),$(TOOLS)/bin/cargo-semver-checks) ## the interface of the crates, compared with the last release
	$(if $(BASELINE),$(TOOLS)/bin/cargo-semver-checks semver-checks --workspace --exclude herald-python \
		--exclude herald-cli --baseline-rev $(BASELINE),@echo 'no release to compare with')

book: $(TOOLS)/bin/mdbook ## docs/ as a book, below target/book
	scripts/book

book-test: book $(PACKAGE)/.stamp ## the code, output and links of the book
	$(PACKAGE)/bin/python -m pytest -q -rs tests/book

kafka: ## start a real Apache Kafka and print its address
	@scripts/kafka start
	@echo 'Stop it with: scripts/kafka stop'

bench-runtime: $(VENV)/.stamp ## benchmarks of publishing (docs/benchmarks.md)
	cargo build --release --locked -p herald-publish --features librdkafka --example publish_bench
	scripts/kafka run -- $(VENV)/bin/python benches/runtime

bench-python: $(VENV)/.stamp wheel ## benchmarks of Python clients
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		target/wheels/*.whl
	scripts/kafka run -- $(VENV)/bin/python benches/python

bench-service: $(VENV)/.stamp wheel ## benchmarks of operations, metrics, start and stop
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
		target/wheels/*.whl
	$(VENV)/bin/pip install --quiet --disable-pip-version-check 'faststream[confluent]==0.7.8'
	scripts/kafka run -- $(VENV)/bin/python benches/instrument
	scripts/kafka run -- $(VENV)/bin/python benches/declared
	$(VENV)/bin/python benches/metrics
	scripts/kafka run -- $(VENV)/bin/python benches/lifecycle

bench-report: $(VENV)/.stamp ## publishing under many loads, as docs/load.md with plots (15 minutes)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check matplotlib==3.11.2
	cargo build --release --locked -p herald-publish --features librdkafka --example publish_bench
	scripts/kafka run -- $(VENV)/bin/python benches/report

bench: $(VENV)/.stamp build ## benchmarks of the toolchain (docs/benchmarks.md)
	benches/run

clean: ## remove build output and installed tools
	-scripts/kafka stop
	rm -rf target $(TOOLS)
