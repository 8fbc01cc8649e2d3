# Every task of the project by name. A bare `make` lists them.
#
# Nothing outside the checkout is needed but the toolchains that README.md names, and nothing outside
# it is written to but the usual caches. `make demo` and `make test` work on a fresh
# clone: what they need is made on the way, and made again only when what it is made from changes.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# One folder for what cargo builds, wherever the caller keeps others: the package, the runners and
# the scripts look for the library there.
export CARGO_TARGET_DIR := $(CURDIR)/target
# The simulator is on this machine; no proxy is asked for it.
export NO_PROXY := 127.0.0.1,localhost
unexport LITER_LLM_LIB LITER_LLM_ADDON LITER_LLM_LIB_DIR LITER_LLM_CONFIG LITER_LLM_PROVIDER LITER_LLM_MODEL

PYTHON ?= python3
BIN := .venv/bin
CARGO := cargo --locked
# The drift test of the schemas wants this feature; with it everywhere, core is compiled once.
RUST := --workspace --features liter-llm-core/schema
# Recorded exchanges; a folder that is not there is said in one line.
CORPUS ?= $(firstword $(wildcard ../shared/wire ../../shared/wire) ../shared/wire)
RUFF_PATHS := scripts bindings/conformance bindings/real

say = @printf '\n== %s\n' '$(1)'
# The last line of a part: its minutes, with those of what was made for it.
BEGAN := $(shell date +%s)
took = @mkdir -p target; last=$$(cat target/took 2>/dev/null || echo 0); now=$$(date +%s); \
	awk -v now=$$now -v last=$$last 'BEGIN { if (last < $(BEGAN)) last = $(BEGAN); \
	printf "== $@: %.1f minutes\n", (now - last) / 60 }'; echo $$now > target/took

.PHONY: help
help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

# ---- Making things --------------------------------------------------------------------------

.PHONY: setup-system
setup-system: ## the system's packages that tests need: installs them as root on Debian, else names them
	$(PYTHON) scripts/setup_system.py

.PHONY: setup
setup: .venv/installed ## the Python environment in .venv, with the package installed for development

.venv/packages: scripts/requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements.txt
	@touch $@

# An editable install: the hook writes the declarations from the header and links the library.
.venv/installed: .venv/packages include/liter_llm.h python/pyproject.toml python/hatch_build.py | build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e python
	@touch $@

.PHONY: build
build: ## the release library and the simulator
	@$(PYTHON) scripts/compile.py -p liter-llm-c -p liter-llm-simulator

.PHONY: lib-debug
lib-debug: ## the library with assertions, for tests of C programs
	$(CARGO) build $(RUST) --lib --bins --examples

node/node_modules/installed: node/package-lock.json
	cd node && npm ci --silent
	@touch $@

.PHONY: node-addon
node-addon: node/node_modules/installed build ## the addon of the Node package
	cd node && npm run --silent build

GO_ARCHIVE := go/internal/native/linux_amd64/libliter_llm.a

.PHONY: go-lib
go-lib: build ## the static archive that the Go package links
	$(PYTHON) scripts/static_archive.py target/release/libliter_llm.a $(GO_ARCHIVE)

.PHONY: go-lib-debug
go-lib-debug: lib-debug
	$(PYTHON) scripts/static_archive.py target/debug/libliter_llm.a target/debug/static/libliter_llm.a

# What of the other languages can be made here: showing and measuring leaves out the rest.
OTHERS := $(if $(shell command -v npm),node-addon) $(if $(shell command -v go),go-lib)

.PHONY: header
header: ## write include/liter_llm.h anew from bindings/c
	UPDATE=1 $(CARGO) test $(RUST) --test header
	cp include/liter_llm.h go/internal/native/liter_llm.h

.PHONY: schemas
schemas: ## write the JSON schemas and docs/errors.md anew, from core
	UPDATE=1 $(CARGO) test $(RUST) --test schemas
	$(PYTHON) scripts/errors_doc.py

.PHONY: types-gen
types-gen: .venv/packages ## write the types of Python, Node and Go anew, from the schemas
	$(BIN)/python scripts/gen_types.py

.PHONY: prices
prices: ## write the price table anew from the pinned version of genai-prices (CHECK=1: compare)
	$(PYTHON) scripts/prices.py $(if $(CHECK),--check)

.PHONY: wheel
wheel: .venv/packages build ## a wheel for this machine's own system, in dist/
	rm -f dist/*.whl
	cd python && ../$(BIN)/python -m hatchling build -t wheel -d ../dist

.venv/dist-packages: .venv/packages scripts/requirements-dist.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements-dist.txt
	@touch $@

.PHONY: dist
dist: .venv/dist-packages node/node_modules/installed ## the packages of a release, in dist/ (DIST_TARGETS=… for some targets)
	$(call say,packages)
	$(BIN)/python scripts/check_version.py
	$(BIN)/python scripts/dist.py
	$(BIN)/python scripts/check_dist.py
	$(call took)

.PHONY: dist-test
dist-test: .venv/dist-packages build ## install each package of dist/ elsewhere and send requests with it
	$(call say,packages, installed)
	$(BIN)/python scripts/dist_test.py
	$(call took)

.PHONY: fmt
fmt: .venv/packages ## format Rust and Python
	$(CARGO) fmt --all
	$(BIN)/ruff format -q $(RUFF_PATHS)
	cd python && ../$(BIN)/ruff format -q src tests examples hatch_build.py

# ---- Checking things ------------------------------------------------------------------------

.PHONY: test
test: setup-system lint types rust python node go sanitize conformance judge real cost ffi ffi-runtimes docs symbols instructions fuzz-build dist dist-test ## everything that CI runs
	$(call say,everything passed)

.PHONY: ci
ci: test ## what .ci/run runs: the same as test

.PHONY: lint
lint: .venv/packages ## formatting and lints of Rust and Python, the engine's layers
	$(call say,lint)
	$(CARGO) fmt --all --check
	$(CARGO) clippy -q $(RUST) --all-targets -- -D warnings
	$(CARGO) clippy -q -p liter-llm-core --no-default-features -- -D warnings
	$(BIN)/ruff check $(RUFF_PATHS)
	$(BIN)/ruff format --check $(RUFF_PATHS)
	cd python && ../$(BIN)/ruff check src tests examples hatch_build.py
	$(BIN)/python scripts/gen_types.py --check
	$(BIN)/python scripts/semconv.py --check
	$(BIN)/python scripts/typegen_test.py
	$(BIN)/python scripts/check_crates.py
	$(BIN)/python scripts/check_layers.py
	$(BIN)/python scripts/check_layers_test.py
	$(BIN)/python scripts/recipe_test.py
	$(call took)

.PHONY: types
types: .venv/installed ## pyright, strict, over the Python package and its examples; mypy over these
	$(call say,types)
	$(BIN)/pyright -p python --pythonpath $(BIN)/python
	$(BIN)/mypy --strict --cache-dir target/mypy --no-error-summary python/examples
	$(call took)

.PHONY: rust
rust: ## Rust and C tests, the drift of header and schemas among them
	$(call say,Rust and C tests)
	$(CARGO) test $(RUST)
	$(CARGO) test $(RUST) --no-default-features --test lean
	$(call took)

.PHONY: python
python: .venv/installed lib-debug ## Python tests
	$(call say,Python tests)
	cd python && ../$(BIN)/python -m pytest
	$(call took)

.PHONY: node
node: node-addon lib-debug ## types and tests of the Node package
	$(call say,Node tests)
	cd node && npm run --silent lint
	cd node && LITER_LLM_LIB_DIR=../target/debug npm run --silent build build/debug/liter_llm.node
	cd node && npm test --silent
	$(call took)

.PHONY: go
go: go-lib go-lib-debug ## gofmt, vet and tests of the Go package, and the tests under the race detector
	$(call say,Go tests)
	@test -z "$$(gofmt -l go scripts)" || { gofmt -d go scripts; exit 1; }
	cd scripts/bench/go && go vet ./...
	cd scripts/demo/go && go vet ./...
	cd go/otel && test -z "$$(gofmt -l .)" && go vet ./... && go test -count=1 ./...
	cd go && go vet ./... && go test -count=1 ./... && go test -count=1 -race -short .
	$(call took)

.PHONY: hazards-long
hazards-long: .venv/installed node-addon go-lib lib-debug ## thousands of exits, terminated workers and deadlines, counted
	$(BIN)/python scripts/hazards.py
	$(call took)

.PHONY: sanitize
sanitize: .venv/packages ## C tests again under AddressSanitizer and UBSan
	$(call say,C tests under sanitizers)
	$(BIN)/python scripts/sanitize.py
	$(call took)

.PHONY: tsan
tsan: .venv/packages ## C tests, and core's of connections, under ThreadSanitizer (wants rust-src)
	$(call say,tests under ThreadSanitizer)
	$(BIN)/python scripts/tsan.py
	$(call took)

.PHONY: conformance
conformance: .venv/installed lib-debug go-lib node-addon ## every case in every language, and recorded traffic from CORPUS
	$(call say,conformance)
	$(BIN)/python bindings/conformance/run.py --corpus $(CORPUS)
	$(call took)

# In an environment of its own: it brings a plugin that every pytest of its environment would load.
target/judge/installed: scripts/requirements-judge.txt
	$(PYTHON) -m venv target/judge
	target/judge/bin/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements-judge.txt
	@touch $@

.PHONY: judge
judge: .venv/installed target/judge/installed go-lib node-addon ## what an outside judge, llmock from PyPI, says of Python, Node and Go
	$(call say,an outside judge)
	$(BIN)/python scripts/judge.py
	$(call took)

# Servers for tests, each in an environment of its own. Their lists are whole: the resolver has
# nothing to do, and what nobody imports is not compiled.
target/real/%/installed: bindings/real/requirements-%.txt
	$(PYTHON) -m venv target/real/$*
	target/real/$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile -r $<
	@touch $@

.PHONY: real
real: setup-system .venv/installed go-lib node-addon target/real/llama/installed target/real/litellm/installed target/real/oracle/installed ## Python, Node and Go against llama.cpp, LiteLLM, nginx, HAProxy, Squid and tinyproxy, and beside official packages
	$(call say,real servers)
	cd bindings/real && test -z "$$(gofmt -l .)" && go -C programs/go vet ./... && go vet sdks/raw/main.go
	$(BIN)/python -m pytest -q -p no:cacheprovider bindings/real
	$(call took)

# Their .npmrc runs no script of a package: what has to be compiled, a test compiles.
bindings/%/node_modules/installed: bindings/%/package-lock.json
	cd bindings/$* && npm ci --silent
	@touch $@

.PHONY: ffi
ffi: bindings/ffi/node_modules/installed build ## the header from Node without an addon
	$(call say,plain FFI from Node)
	cd bindings/ffi && npm test --silent
	$(call took)

.PHONY: ffi-runtimes
ffi-runtimes: bindings/ffi/node_modules/installed bindings/ffi/runtimes/node_modules/installed build node-addon ## the header and the addon in Bun and Deno (94 MB from npm)
	$(call say,Bun and Deno)
	cd bindings/ffi/runtimes && npm test --silent
	$(call took)

.PHONY: docs
docs: .venv/installed node-addon go-lib ## run every block of the documents and every example, follow links, measure sentences
	$(call say,documents)
	$(BIN)/python scripts/errors_doc.py --check
	$(BIN)/python scripts/provider_table.py --check
	$(BIN)/python scripts/check_faults.py
	$(BIN)/python scripts/simulator_test.py
	$(BIN)/python scripts/check_hazards.py
	$(BIN)/python scripts/check_models.py
	$(BIN)/python scripts/check_environment.py
	$(BIN)/python scripts/check_security.py
	$(BIN)/python scripts/check_prose.py
	$(BIN)/python scripts/check_docs.py
	$(BIN)/python scripts/check_examples.py
	$(BIN)/python scripts/mistakes.py --check
	$(call took)

.PHONY: symbols
symbols: build ## exports and size of the release library
	$(call say,library)
	$(PYTHON) scripts/check_symbols.py
	$(call took)

.PHONY: lean
lean: ## build the lean library, without what has a cargo feature: its exports and size
	$(call say,lean library)
	$(PYTHON) scripts/features.py --check
	$(call took)

.PHONY: instructions
instructions: setup-system .venv/packages build ## instructions a call, a chunk and a passthrough, at most 2 % over the baseline
	$(call say,instructions)
	$(BIN)/python scripts/instructions.py --check
	$(call took)

.PHONY: fuzz-build
fuzz-build: ## build the fuzz targets
	$(call say,fuzz targets)
	$(PYTHON) scripts/fuzz.py --build
	$(call took)

.PHONY: fuzz-smoke
fuzz-smoke: ## run each fuzz target for ten seconds (EACH=…) from seeds of the project's cases
	$(PYTHON) scripts/fuzz.py --seconds $(or $(EACH),10)
	$(call took)

.PHONY: cost
cost: ## costs beside those of genai-prices, of every model of the price table
	$(call say,costs)
	$(PYTHON) scripts/prices.py --check
	$(PYTHON) scripts/prices_oracle.py
	$(call took)

.PHONY: cost-long
cost-long: ## the same with 400 usages of each model
	$(PYTHON) scripts/prices.py --check
	$(PYTHON) scripts/prices_oracle.py --long
	$(call took)

.PHONY: simulation-long
simulation-long: ## 100,000 schedules of the simulation
	$(call say,simulation)
	LITER_LLM_SIM_SEED=300000000 LITER_LLM_SIM_RUNS=100000 $(CARGO) test -p liter-llm-core --test simulation
	$(call took)

.PHONY: redis-long
redis-long: ## a fleet of processes for minutes, some of them killed
	$(call say,Redis)
	LITER_LLM_LONG=1 $(CARGO) test $(RUST) --test redis processes
	$(call took)

.PHONY: long
long: EACH := 60
long: simulation-long cost-long redis-long hazards-long tsan fuzz-smoke lean ## what takes too long for every change: schedules, costs, hazards, races, fuzzing, the lean library
	$(call say,everything long passed)

# ---- Showing things -------------------------------------------------------------------------

.PHONY: demo
demo: .venv/installed $(OTHERS) ## a whole and a streamed chat in each language and wire format, without a key
	@$(BIN)/python scripts/demo.py $(ARGS)

.PHONY: simulator
simulator: build ## a provider on this machine in the foreground, for programs and tests of your own
	@$(PYTHON) scripts/simulator.py $(ARGS)

target/bench/peers/installed: scripts/requirements-bench.txt
	$(PYTHON) -m venv target/bench/peers
	target/bench/peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r $<
	@touch $@

scripts/bench/node/node_modules/installed: scripts/bench/node/package-lock.json
	cd scripts/bench/node && npm ci --silent
	@touch $@

.PHONY: bench
bench: .venv/installed $(OTHERS) target/bench/peers/installed scripts/bench/node/node_modules/installed ## CPU per call and per chunk of this and other clients against raw sockets, in each language
	$(BIN)/python scripts/bench.py $(ARGS)

.PHONY: clean
clean: ## remove what was built; the caches of cargo and pip stay
	rm -rf target build dist .venv node/node_modules node/build node/platforms/*/*.node bindings/ffi/node_modules bindings/ffi/runtimes/node_modules scripts/bench/node/node_modules fuzz/target fuzz/corpus fuzz/artifacts
