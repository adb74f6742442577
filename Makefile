# `make test` passes all tests from a fresh clone; `make run` starts the daemon on http://127.0.0.1:8000.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# One graph of crates in one profile serves cargo's tests and the black-box tests. Debug information would double target/.
export CARGO_PROFILE_DEV_DEBUG ?= 0
VENV := .venv
PYTHON ?= python3
# Python with the modules that tests share: pytest has the same in tests/pytest.ini.
TESTS_PYTHON = PYTHONPATH=tests/doors:tests/judges:tests/support:python $(VENV)/bin/python
NEXTEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)
# Two tests more at once than there are processors: many wait for a disk, a network or an end. A worker of pytest that is done
# takes over tests of another, so that what tests of one file share is made once.
AT_ONCE := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 2)')
PYTEST_FLAGS ?= -n $(AT_ONCE) --maxprocesses 8 --dist worksteal
TARGET := $(or $(CARGO_TARGET_DIR),target)
# cli/examples/generate.rs, which `build` builds.
GENERATE := $(TARGET)/debug/examples/generate
ADDON = $(shell node -p "require('./node/lib/addon-name.js').addonName")

.PHONY: help
help: ## Tell what can be made.
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: test
test: test-rust test-node test-python ## Build once and pass all tests.

# What a change breaks most often: units of the library, every case at the command line and over HTTP, both programs' faces.
# The tests of the pickup directory, which wait for disks and kill processes, are left to `make test`.
QUICK := test_cases.py test_http.py test_command.py test_import_circles.py
.PHONY: quick
quick: $(VENV)/.installed tests/node_modules/.installed ## Pass what tells most in a minute, while you work.
	cargo build --bin pmtaemailapi
ifeq ($(NEXTEST),yes)
	cargo nextest run --package pmtaemail --lib -E 'not test(pickup_directory::tests::)'
else
	cargo test --package pmtaemail --lib -- --skip pickup_directory::tests::
endif
	cd tests && ../$(VENV)/bin/pytest $(PYTEST_FLAGS) -k 'not python and not node' $(QUICK)

# The shared objects are copied to where Python and Node load them; Node takes a link to a `.so` for JavaScript.
.PHONY: build
build: ## Build all crates for development and tests.
	cargo build --workspace
	cargo build --workspace --example generate
	install -m 755 $(TARGET)/debug/libpmtaemail_python.so python/pmtaemail/_native.abi3.so
	install -D -m 755 $(TARGET)/debug/libpmtaemail_node.so node/native/$(ADDON).node

# The same cases on every run, so that what fails is of the change; `make properties` looks for others.
quick test-rust: export PROPTEST_RNG_SEED ?= 1

.PHONY: test-rust
test-rust: build ## Pass the tests of the crates, their documentation's examples included.
ifeq ($(NEXTEST),yes)
	cargo nextest run --workspace --no-tests=pass --test-threads $(AT_ONCE)
	cargo test --workspace --doc
else
	cargo test --workspace
endif

.PHONY: test-node
test-node: build node/node_modules/.installed ## Pass the tests of the Node package.
	cd node && npm test -- --test-concurrency=$(AT_ONCE)

.PHONY: test-python
test-python: build $(VENV)/.installed tests/node_modules/.installed ## Pass the black-box tests.
	cd tests && ../$(VENV)/bin/pytest $(PYTEST_FLAGS)

# Files whose long versions try to lose, double, damage or let in something: docs/promises.md.
TORTURE := test_answered_order.py test_hand_over_order.py test_durability.py test_forgetful_disk.py test_block_cuts.py test_power_cut.py \
	test_kill_storm.py test_all_or_none.py test_python_fork.py test_fault_table.py test_http_framing.py test_http2_framing.py test_floods.py \
	test_memory_limit.py test_fleet.py test_fleet_faults.py test_fleet_weakened.py
.PHONY: torture
torture: build $(VENV)/.installed tests/node_modules/.installed ## Break it on purpose for hours, and print what was found.
	@# What fails keeps none of the others from being tried.
	status=0; \
	(cd tests && ../$(VENV)/bin/pytest --long -rP $(PYTEST_FLAGS) $(TORTURE)) || status=1; \
	$(TESTS_PYTHON) tests/support/timing_of_keys.py || status=1; \
	$(MAKE) properties || status=1; \
	$(MAKE) fuzz || status=1; \
	exit $$status

# What one case in thousands breaks: the properties of the library's units, which `make test` tries with 256 cases. CASES says
# with how many. The tests of the pickup directory have none.
CASES ?= 20000
.PHONY: properties
properties: export PROPTEST_CASES = $(CASES)
properties: export PROPTEST_MAX_GLOBAL_REJECTS = $(CASES)
properties: ## Try the properties of the library's units with 20,000 cases each: CASES=100000.
ifeq ($(NEXTEST),yes)
	cargo nextest run --package pmtaemail --tests --no-fail-fast -E 'not test(pickup_directory::tests::)'
else
	cargo test --package pmtaemail --tests --no-fail-fast -- --skip pickup_directory::tests::
endif

# The pip that comes with Python may be too old for dependency groups.
$(VENV)/.installed: requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade 'pip>=25.1'
	$(VENV)/bin/pip install --quiet --requirement requirements-dev.txt
	touch $@

%/node_modules/.installed: %/package.json %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	touch $@

# The same program wherever it is built: it names neither this folder nor cargo's.
CARGO_HOME ?= $(HOME)/.cargo
release run fleet: export RUSTFLAGS += --remap-path-prefix=$(CURDIR)=/pmtaemail --remap-path-prefix=$(CARGO_HOME)=/cargo
release run fleet: export CFLAGS += -ffile-prefix-map=$(CURDIR)=/pmtaemail -ffile-prefix-map=$(CARGO_HOME)=/cargo

.PHONY: run
run: ## Start the daemon on 127.0.0.1:8000 with the folder pickup, and the preview at /preview.
	cargo build --release --package pmtaemailapi
	mkdir -p pickup
	$(TARGET)/release/pmtaemailapi -listen 127.0.0.1:8000 -pickup pickup --preview

.PHONY: fleet
fleet: $(VENV)/.installed ## Start three brokers, two daemons and two consumers in the folder fleet-files, for a look.
	cargo build --release --package pmtaemailapi
	$(TESTS_PYTHON) tests/support/look_at_fleet.py $(TARGET)/release/pmtaemailapi fleet-files

.PHONY: fmt
fmt: $(VENV)/.installed ## Format all code.
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml
	$(VENV)/bin/ruff format tests python fuzz
	$(VENV)/bin/ruff check --fix tests python fuzz

# A workspace of its own, with what of the program is built for it alone.
FUZZ_CLIPPY = RUSTFLAGS='--cfg fuzzing' cargo clippy --manifest-path fuzz/Cargo.toml --all-targets --target-dir $(TARGET)/fuzz/clippy -- -D warnings
.PHONY: lint
lint: $(VENV)/.installed ## Tell what is not formatted, what is doubtful, which made files are stale, which words the documents should not use.
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --package pmtaemail --no-default-features -- -D warnings
	cargo clippy --package pmtaemailapi --no-default-features -- -D warnings
	$(FUZZ_CLIPPY)
	RUSTDOCFLAGS='-D warnings' cargo doc --quiet --package pmtaemail --no-deps --all-features
	$(VENV)/bin/ruff format --check tests python fuzz
	$(VENV)/bin/ruff check tests python fuzz
	cargo run --quiet --bin pmtaemailapi -- schema | diff schema/message.schema.json - >&2 || \
		{ echo "schema/message.schema.json is stale: make generate" >&2; exit 1; }
	cargo build --quiet --workspace --example generate
	$(GENERATE) options | diff docs/options.md - >&2 || { echo "docs/options.md is stale: make generate" >&2; exit 1; }
	cargo run --quiet --bin pmtaemailapi -- openapi >$(TARGET)/openapi.json
	$(VENV)/bin/python tests/support/make_doc_pages.py $(TARGET)/openapi.json --check
	$(VENV)/bin/python python/generate_types.py --check
	node node/generate-types.mjs --check
	$(TESTS_PYTHON) tests/support/make_hostile.py --check
	$(MAKE) --no-print-directory prose

# What options.md says is the program's --help.
PROSE := $(filter-out docs/options.md,$(wildcard *.md docs/*.md node/README.md python/README.md))
.PHONY: prose
prose: tests/prose/node_modules/.installed ## Tell what the documents should say in other words.
	cd tests/prose && node_modules/.bin/textlint $(PROSE:%=../../%)

# Tools of cargo's that few machines have, at the versions that were tried. Without optimization they are built in half the time.
TOOLS := $(TARGET)/tools/cargo-deny-0.20.2-cargo-cyclonedx-0.5.9
$(TOOLS)/bin/cargo-deny: VERSION := 0.20.2
$(TOOLS)/bin/cargo-cyclonedx: VERSION := 0.5.9
$(TOOLS)/bin/%:
	cargo install --quiet --locked --debug --root $(TOOLS) $*@$(VERSION)

.PHONY: supply
supply: $(TOOLS)/bin/cargo-deny ## Tell whether all that this is built from may be used: licences, sources, versions, known faults.
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" cargo deny check licenses bans sources
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" cargo deny --manifest-path fuzz/Cargo.toml check licenses bans sources
	@# Known faults are in databases that not every machine reaches.
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" cargo deny check advisories || \
		if cargo deny fetch db >/dev/null 2>&1; then exit 1; else echo 'the database of known faults cannot be had here' >&2; fi

# What nobody thought of: each target in fuzz/ changes its inputs for a minute and judges what comes out. FUZZ names some of
# them, FUZZ_SECONDS how long each takes, SANITIZER=address finds more and is slow.
FUZZER := $(TARGET)/tools/cargo-fuzz-0.13.2
FUZZ ?= $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
FUZZ_SECONDS ?= 60
$(FUZZER)/bin/cargo-fuzz:
	cargo install --quiet --locked --debug --root $(FUZZER) cargo-fuzz@0.13.2

.PHONY: fuzz
fuzz: $(FUZZER)/bin/cargo-fuzz ## Let each fuzz target search for a minute: FUZZ="address raw", FUZZ_SECONDS=600.
	$(FUZZ_CLIPPY)
	PATH="$(CURDIR)/$(FUZZER)/bin:$$PATH" fuzz/run $(TARGET)/fuzz $(FUZZ_SECONDS) $(FUZZ)

BOOK := $(TARGET)/tools/mdbook-0.5.4
$(BOOK)/bin/mdbook:
	cargo install --quiet --locked --debug --no-default-features --features search --root $(BOOK) mdbook@0.5.4

.PHONY: book
book: $(BOOK)/bin/mdbook ## Make a book of docs/ in target/book.
	$(BOOK)/bin/mdbook build docs

# CycloneDX, for whoever has to say what a release consists of.
.PHONY: sbom
sbom: $(TOOLS)/bin/cargo-cyclonedx ## List all that the daemon and the packages for Python and Node consist of, in target/sbom.
	mkdir -p $(TARGET)/sbom
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" cargo cyclonedx --quiet --format json --no-build-deps --override-filename sbom.cdx
	for crate in cli python node; do mv $$crate/sbom.cdx.json $(TARGET)/sbom/$$crate.cdx.json; done
	rm core/sbom.cdx.json tests/support/disks/sbom.cdx.json tests/support/features/sbom.cdx.json tests/judges/readers/mail_parser/sbom.cdx.json

# Nothing is linked or run, so this needs no compiler for C and no library of those systems.
MACOS := aarch64-apple-darwin
WINDOWS := x86_64-pc-windows-msvc
MUSL := x86_64-unknown-linux-musl
.PHONY: portable-targets
portable-targets: ## Get the standard libraries of macOS, Windows and musl, from where rustup has them.
	rustup target add $(MACOS) $(WINDOWS) $(MUSL)

CLIPPY_LIBRARY = -p pmtaemail -p pmtaemail-python -p pmtaemail-node -- -D warnings
# Without TLS, whose cryptography needs a compiler for C.
CLIPPY_DAEMON = -p pmtaemailapi --no-default-features -- -D warnings
.PHONY: check-portable
check-portable: ## Tell whether it compiles for macOS and with musl, and the library and its bindings for Windows.
	cargo clippy --target $(MACOS) $(CLIPPY_LIBRARY)
	cargo clippy --target $(MACOS) $(CLIPPY_DAEMON)
	cargo clippy --target $(MUSL) $(CLIPPY_DAEMON)
	cargo clippy --target $(WINDOWS) $(CLIPPY_LIBRARY)

# The table of fields in core/src/json makes the schema, and the schema makes the types and the tables of docs/message.md.
# The definition of the command line in cli/src/args makes the table of options.
.PHONY: generate
generate: $(VENV)/.installed ## Write the schema of a message, what is made from it (types, docs/message.md), docs/problems.md and docs/options.md.
	cargo build --quiet --workspace --example generate
	$(GENERATE) options >$(TARGET)/options.md
	mv $(TARGET)/options.md docs/options.md
	cargo run --quiet --bin pmtaemailapi -- schema >$(TARGET)/message.schema.json
	mv $(TARGET)/message.schema.json schema/message.schema.json
	cargo run --quiet --bin pmtaemailapi -- openapi >$(TARGET)/openapi.json
	$(VENV)/bin/python tests/support/make_doc_pages.py $(TARGET)/openapi.json
	$(VENV)/bin/python python/generate_types.py
	node node/generate-types.mjs

PREFIX ?= /usr/local
MADE = BINARY=$(TARGET)/release/pmtaemailapi GENERATE=$(TARGET)/release/examples/generate
.PHONY: release
release:
	cargo build --release --package pmtaemailapi --bin pmtaemailapi --example generate

.PHONY: install
install: release ## Install the program, its manual pages, completions and systemd unit below $(DESTDIR)$(PREFIX).
	$(MADE) DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install

.PHONY: deb
deb: release ## Make a Debian package in target/deb; needs dpkg-dev.
	$(MADE) FOLDER=$(TARGET)/deb packaging/deb

# All that a release has, for Linux: docs/packages.md. DIST_TARGETS names some of Rust's targets, DIST another folder.
DIST ?= dist
DIST_TARGETS ?=
DIST_TOOLS := $(TARGET)/tools/dist
$(DIST_TOOLS)/.installed: packaging/dist/requirements.txt
	$(PYTHON) -m venv $(DIST_TOOLS)
	$(DIST_TOOLS)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

.PHONY: dist
dist: $(DIST_TOOLS)/.installed ## Make wheels, npm packages, tarballs and Debian packages for Linux in the folder dist.
	$(DIST_TOOLS)/bin/python packaging/dist $(DIST) $(DIST_TARGETS)

.PHONY: dist-test
dist-test: $(VENV)/.installed ## Install what `make dist` made into empty places, and run its first examples.
	cd tests && DIST=$(abspath $(DIST)) ../$(VENV)/bin/pytest -ra --long test_dist.py

.PHONY: cases
cases: build $(VENV)/.installed ## Write the expected files of tests/cases anew, for a person to review.
	cd tests && ../$(VENV)/bin/pytest test_cases.py --update-cases $(PYTEST_FLAGS) || true
	git status --short tests/cases

.PHONY: pictures
pictures: build $(VENV)/.installed tests/node_modules/.installed ## Take the pictures of docs/pictures anew; needs Chromium.
	$(TESTS_PYTHON) tests/support/make_pictures.py

# What a benchmark prints goes into BENCHMARKS.md.
BENCH := $(PYTHON) tests/support/make_benchmarks.py
.PHONY: bench
bench: $(VENV)/.installed node/node_modules/.installed ## Measure, each thing next to a peer in the same run, and write BENCHMARKS.md.
	$(BENCH) render cargo bench --package pmtaemail --bench render
	$(BENCH) parts cargo bench --package pmtaemail --bench parts
	$(BENCH) merge cargo bench --package pmtaemail --bench merge
	$(BENCH) hand-over cargo bench --package pmtaemail --bench hand_over
	cargo build --release --package pmtaemailapi
	$(BENCH) 'merge over HTTP' $(PYTHON) cli/bench/merge.py
	cargo build --release --package pmtaemail-python --features bench
	install -m 755 $(TARGET)/release/libpmtaemail_python.so python/pmtaemail/_native.abi3.so
	PYTHONPATH=python $(BENCH) python $(PYTHON) python/bench/render.py
	$(BENCH) node npm --prefix node run --silent bench

.PHONY: clean
clean: ## Remove all that was made.
	cargo clean
	rm -rf $(VENV) tests/prose/node_modules tests/node_modules node/node_modules node/native python/pmtaemail/*.so
	find tests -name __pycache__ -prune -exec rm -rf {} +
