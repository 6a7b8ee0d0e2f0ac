# `make up` and `make test` are all most people need; the rest are the steps of CI, each a thin line that runs the same at
# home. `make help` lists them.

CARGO ?= cargo
# An end-to-end test is a whole system with several processes; more than two at once are slower, not faster.
TEST_THREADS ?= 2
# Always the whole workspace: with another choice of packages cargo would build the dependencies again, with other features.
END_TO_END = $(patsubst tests/tests/%.rs,--test %,$(wildcard tests/tests/*.rs))
BREAKING = activity broker faults linked_tables sweeps
BIN = $(abspath $(or $(CARGO_TARGET_DIR),target))/debug

.PHONY: help up test prerequisites format lint pure docs e2e-kafka soak bench compose deny

help: ## Lists the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

up: prerequisites ## Builds and runs everything in one process; flags in ARGS="--activity live"
	@echo "Building; the first time takes up to half an hour."
	@$(CARGO) build --quiet --workspace --bins
	@echo "The command line tool is $(BIN)/crosswalk; to call it as crosswalk:  export PATH=\"\$$PATH:$(BIN)\""
	@exec $(BIN)/crosswalk-standalone $(ARGS)

test: prerequisites ## Builds and runs all tests
	$(CARGO) build --workspace --bins
	$(CARGO) test --workspace -- --test-threads=$(TEST_THREADS)

e2e-kafka: prerequisites ## End-to-end tests on Apache Kafka (needs Java 17, Maven, Python 3)
	$(CARGO) build --workspace --bins
	tests/kafka/run-with-kafka $(CARGO) test --workspace $(END_TO_END) -- --test-threads=$(TEST_THREADS)

# Kills are many rounds of one test; what breaks something else is run as often from its beginning.
soak: prerequisites ## Many rounds of kills and faults; ROUNDS=20, CROSSWALK_TEST_SEED repeats one
	$(CARGO) build --workspace --bins
	CROSSWALK_TEST_ROUNDS=$${ROUNDS:-20} tests/kafka/run-with-kafka \
	  $(CARGO) test --workspace --test kills -- --nocapture --test-threads=1
	for round in $$(seq $${ROUNDS:-20}); do echo "round $$round"; tests/kafka/run-with-kafka \
	  $(CARGO) test --workspace $(BREAKING:%=--test %) -- --nocapture --test-threads=1 || exit 1; done

bench: prerequisites ## Measures ingress beside a baseline; flags in ARGS="--runs 5 --json figures.json"
	$(CARGO) build --release --workspace --bins
	$(CARGO) bench --workspace --bench ingress -- $(ARGS)

prerequisites:
	@missing=; \
	command -v $(CARGO) >/dev/null || missing="$$missing\n  cargo: install Rust 1.95 or newer (rustup.rs)"; \
	command -v cc >/dev/null || missing="$$missing\n  cc: install a C compiler (Debian: apt-get install build-essential)"; \
	command -v c++ >/dev/null || missing="$$missing\n  c++: install a C++ compiler (Debian: apt-get install build-essential)"; \
	case "$$(rustc --version 2>/dev/null | cut -d' ' -f2)" in \
	  1.?.*|1.[1-8]?.*|1.9[0-4].*) missing="$$missing\n  rustc: $$(rustc --version) is too old; install Rust 1.95 or newer (rustup update)";; \
	esac; \
	if [ -n "$$missing" ]; then printf "Missing on this machine:$$missing\n" >&2; exit 1; fi

format: ## Checks the format
	$(CARGO) fmt --all --check

lint: ## Lints, warnings are errors
	$(CARGO) clippy --workspace --all-targets -- -D warnings

pure: ## Checks that core depends on no IO library
	.ci/core-is-pure

docs: ## Builds the documentation, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps

compose: ## Checks docker-compose.yml (needs Go and jq)
	deploy/docker/check-compose

deny: ## Checks licences, bans and sources (needs cargo-deny)
	$(CARGO) deny check bans licenses sources
