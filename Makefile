STAGE ?= dev
PYTHON ?= python3
LINTERS := .venv-checkov/stamp stacks/lint/node_modules/.package-lock.json
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv synth package deploy destroy ops doctor python rust demo up watch down test test-fast test-tools chaos test-localstack test-store venv-localstack lint lint-templates bench bench-check bench-build bench-cdk bench-steno bench-cfn cfn-spec cfn-authorization test-cfn-all clean
# Says last why the command behind it failed, where that is known.
WHY := $(PYTHON) tools/why.py
# An environment whose Python was upgraded or removed underneath does not run, and is made again.
broken = $(if $(wildcard $(1)/stamp),$(shell $(1)/bin/python -c 'import pip' 2>/dev/null || echo FORCE))
# What is missing is said first, before something fails without it.
deploy destroy ops demo up watch test-tools lint bench bench-check bench-build cfn-spec: python
synth destroy ops demo up watch down lint bench bench-check: rust
# cargo finds cargo-lambda, and cargo-lambda finds zig, through the PATH.
package deploy: export PATH := $(CURDIR)/.venv/bin:$(PATH)

help:
	@sed -n 's/^\([a-z-]*\):.*## /  \1#/p' $(firstword $(MAKEFILE_LIST)) | tr '#' '\t' | expand -t 20

doctor: ## look at what this machine lacks, and say what to do about it
	@PYTHON="$(PYTHON)" sh tools/doctor.sh

venv: .venv/stamp .venv/tools ## install the Python tools (emulator, cargo-lambda, cfn-lint) into .venv

synth: ## write the templates and state machines to stacks/templates
	cargo run -q -p infra-gen -- synth

package: rust venv ## build the Lambda functions and zip them
	cargo run -q -p infra-gen -- package

deploy: rust venv ## package and deploy to AWS (STAGE=dev, GATEWAY_URL=, EMAIL_FROM=, OPERATOR_EMAIL=, ALLOW_INCOMPATIBLE=1)
	@$(PYTHON) tools/run.py infra-gen deploy --stage $(STAGE) $(if $(GATEWAY_URL),--gateway-url $(GATEWAY_URL)) $(if $(EMAIL_FROM),--email-from $(EMAIL_FROM)) $(if $(OPERATOR_EMAIL),--operator-email $(OPERATOR_EMAIL)) $(if $(ALLOW_INCOMPATIBLE),--allow-incompatible)

destroy: ## delete from AWS what deploy made (STAGE=dev, YES=1 without asking, STOP_EXECUTIONS=1)
	@$(PYTHON) tools/run.py infra-gen destroy --stage $(STAGE) $(if $(YES),--yes) $(if $(STOP_EXECUTIONS),--stop-executions)

ops: ## look at sagas and answer parked ones (ARGS="list", STAGE=dev; without ARGS it lists the verbs)
	@$(PYTHON) tools/run.py infra-gen ops --stage $(STAGE) $(or $(ARGS),help)

demo: ## run the order saga on the emulator (ORDERS=, STOCK=)
	@$(PYTHON) tools/run.py demo $(if $(ORDERS),--orders $(ORDERS)) $(if $(STOCK),--stock $(STOCK))

up: ## start the emulator in the background, IAM enforced (PORT=4566, NO_IAM=1, EMULATOR=ministack or localstack)
	@$(PYTHON) tools/run.py emulator up $(if $(PORT),--port $(PORT)) $(if $(NO_IAM),--no-iam) $(if $(EMULATOR),--emulator $(EMULATOR))

watch: ## deploy to the emulator of up, started if need be, and again whatever is saved; with logs (SAGA_ID=, FUNCTION=)
	@$(PYTHON) tools/watch.py $(if $(SAGA_ID),--saga-id $(SAGA_ID)) $(if $(FUNCTION),--function $(FUNCTION))

down: ## stop the emulator that up started
	cargo run -q -p emulator -- down

test: python rust venv lint test-tools ## run everything that CI runs
	PYTHON="$(CURDIR)/.venv/bin/python" $(WHY) cargo test --workspace
	$(MAKE) --no-print-directory lint-templates

# All tests but those that need an emulator. The searches of the checker take longer than all others together, and cargo runs
# one test program after the other.
SEARCHES := --test checks --test trip
OTHERS := --lib --bins $(addprefix --test ,behaviour behaviours check compile_fail facts functions graph load pyyaml runner snapshots stacks template ui upgrade)
test-fast: python rust venv ## run what needs no emulator: unit, property and compile-fail tests, snapshots, checker, runner
	$(WHY) cargo test -q --workspace $(SEARCHES) $(OTHERS) --no-run
	@PYTHON="$(CURDIR)/.venv/bin/python" $(PYTHON) tools/beside.py "cargo test -q --workspace $(SEARCHES)" "cargo test -q --workspace $(OTHERS)" "$(TOOLS)"

TOOLS = $(PYTHON) -m unittest discover -q -s tests/tools
test-tools: ## test what `make` runs of Python and of the shell
	$(TOOLS)

chaos: export FLYOVER_PROFILE ?= release
chaos: rust venv ## run sagas in a storm of faults, on the functions as they are shipped (SAGAS=150, SECONDS=600, SEED= of a run before)
	CHAOS=1 CHAOS_SAGAS=$(SAGAS) CHAOS_SECONDS=$(SECONDS) CHAOS_SEED=$(SEED) cargo test -q --workspace --test chaos

test-localstack: export FLYOVER_PROFILE ?= release
test-localstack: rust venv ## run the end-to-end suite against LocalStack, with the functions as they are shipped (TEST=, LOCALSTACK_ENDPOINT=, LOCALSTACK_DOCKER=0)
	tests/emulator/localstack/test.sh $(TEST)

test-store: venv-localstack ## hold the store in memory against Amazon's DynamoDB Local, with Java (SEED=, DYNAMODB_ENDPOINT=)
	tests/fidelity/dynamodb_local.sh

venv-localstack: .venv-localstack/stamp ## install LocalStack for use without Docker into .venv-localstack

lint: ## check formatting and lints
	cargo fmt --all --check
	$(WHY) cargo clippy --workspace --all-targets -- -D warnings

lint-templates: venv $(LINTERS) ## check the emitted templates and state machines with four linters
	PATH="$(CURDIR)/.venv-checkov/bin:$$PATH" .venv/bin/python stacks/lint/lint.py

bench: ## measure everything that the README quotes and print its table (ONLY=steno,checker for parts of it)
	@$(PYTHON) tools/bench.py $(if $(ONLY),--only "$(ONLY)")

bench-check: ## measure what the README quotes as 'N times', and fail when it is worse by more than a tenth (ONLY=steno)
	@$(PYTHON) tools/bench_check.py $(if $(ONLY),--only "$(ONLY)")

bench-cdk: venv $(LINTERS) benches/peers/cdk/node_modules/.package-lock.json ## measure synth and validation beside aws-cdk-lib's (needs hyperfine)
	cargo build --release -p infra-gen
	cargo build --release -p cfn --example synth_500 --example order_saga
	PATH="$(CURDIR)/.venv-checkov/bin:$$PATH" .venv/bin/python benches/peers/cdk/bench.py $(ARGS)

bench-steno: ## measure the in-memory runner beside crate steno's executor, and fail when it is not 5 times as fast
	cargo run --release --locked --manifest-path benches/peers/steno/Cargo.toml --target-dir target/bench-steno -- $(ARGS)

bench-build: ## measure what it takes to compile everything from nothing, and what is compiled twice
	@$(PYTHON) tools/bench_build.py $(ARGS)

bench-cfn: ## measure how long cfn takes to compile, with default and with all features (several minutes, 5 GB of memory)
	benches/cfn_compile.sh $(ARGS)
	benches/cfn_compile.sh $(ARGS) all

cfn-spec: ## fetch AWS's facts about all resource types again (crates/cfn/spec/services)
	$(PYTHON) crates/cfn/spec/generate.py

cfn-authorization: venv $(LINTERS) ## take over again on which resources AWS lets actions be allowed (crates/cfn/spec/authorization)
	.venv/bin/python crates/cfn/spec/authorization/extract.py

test-cfn-all: ## compile the types of all services, together and each alone (half an hour, 5 GB of memory)
	RUSTFLAGS="-D warnings" cargo check -q -p cfn --no-default-features --features all --target-dir target/cfn
	for facts in crates/cfn/spec/services/*.json; do \
		service=$$(basename $$facts .json); echo $$service; \
		RUSTFLAGS="-D warnings" cargo check -q -p cfn --no-default-features --features $$service --target-dir target/cfn || exit 1; \
	done
	cargo test -p cfn --features all --test facts

clean: ## delete everything that was built or installed
	if [ -e .flyover/emulator.pid ]; then $(MAKE) --no-print-directory down; fi
	cargo clean
	rm -rf .venv .venv-checkov .venv-localstack .flyover stacks/lint/node_modules benches/peers/cdk/node_modules

python rust:
	@PYTHON="$(PYTHON)" sh tools/doctor.sh $@

FORCE:

.venv/stamp: tests/emulator/requirements.txt $(call broken,.venv)
	@PYTHON="$(PYTHON)" sh tools/doctor.sh path python venv
	$(WHY) $(PYTHON) -m venv --clear .venv
	$(WHY) .venv/bin/pip install -q --disable-pip-version-check -r $<
	touch $@

.venv-checkov/stamp: stacks/lint/checkov.txt stacks/lint/node.txt $(call broken,.venv-checkov)
	@PYTHON="$(PYTHON)" sh tools/doctor.sh path python venv
	$(WHY) $(PYTHON) -m venv --clear .venv-checkov
	$(WHY) .venv-checkov/bin/pip install -q --disable-pip-version-check $(addprefix -r ,$(filter %.txt,$^))
	touch $@

.venv/tools: infra-gen/tools.txt .venv/stamp
	$(WHY) .venv/bin/pip install -q --disable-pip-version-check -r $<
	touch $@

# npm, from an environment of ours, writes this file itself when it has installed everything.
%/node_modules/.package-lock.json: %/package-lock.json .venv-checkov/stamp
	PATH="$(CURDIR)/.venv-checkov/bin:$$PATH" npm ci --prefix $* --no-audit --no-fund --loglevel error
	touch $@

.venv-localstack/stamp: $(addprefix tests/emulator/localstack/,requirements.txt package.json package-lock.json) $(call broken,.venv-localstack)
	@PYTHON="$(PYTHON)" sh tools/doctor.sh path python venv
	$(WHY) $(PYTHON) -m venv --clear .venv-localstack
	$(WHY) .venv-localstack/bin/pip install -q --disable-pip-version-check -r $<
	cp $(filter %.json,$^) .venv-localstack
	npm ci --prefix .venv-localstack --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@
