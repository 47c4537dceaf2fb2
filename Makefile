# The commands of the project. They need Python 3.11 or newer and make; what else is needed is
# installed into .venv at the first use, from requirements-dev.lock, checked by its hashes.

PYTHON ?= python3
ARGS ?=
PYTEST_ARGS ?=
# Tests run side by side, each file in one process with a PostgreSQL of its own.
WORKERS ?= -n auto --maxprocesses 4 --dist loadfile
MINUTES ?= 60

BIN := .venv/bin
# The stand-in for Google's Terraform provider has packages that would contradict ours.
TERRAFORM_VENV := .venv-terraform

# A virtual environment holds the path of its folder: a clone that was moved makes its own.
PLACE := $(shell pwd | cksum | cut -d ' ' -f 1)
STAMP := .venv/installed-at-$(PLACE)
TERRAFORM_STAMP := $(TERRAFORM_VENV)/installed-at-$(PLACE)
UV_VERSION := 0.13.8
LOCALSTRIPE := tests/adapters/localstripe.lock

.DEFAULT_GOAL := help
.PHONY: help run test test-pgbouncer check-terraform trust defects lint types check openapi bench \
	audit lock clean

help: ## Show these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

run: $(STAMP) ## Run the whole service here and play a hotel's day and a month (ARGS=--once ends after it)
	@$(BIN)/billing run $(ARGS)

test: $(STAMP) ## Run the tests (PYTEST_ARGS="-k drawer -x" chooses among them)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -m "not pgbouncer and not terraform" $(WORKERS) \
		$(PYTEST_ARGS)

test-pgbouncer: $(STAMP) ## Run the tests that need the program pgbouncer
	@$(BIN)/python -m pytest -q -m pgbouncer $(PYTEST_ARGS)

check-terraform: $(STAMP) $(TERRAFORM_STAMP) ## Plan both environments offline (needs the program terraform)
	@command -v terraform >/dev/null || { echo "The program terraform (1.9 or newer) is missing:" \
		"https://developer.hashicorp.com/terraform/install; nothing else is downloaded."; exit 1; }
	@TERRAFORM_PROVIDER_PYTHON=$(TERRAFORM_VENV)/bin/python \
		$(BIN)/python -m pytest -q -m terraform tests/terraform $(PYTEST_ARGS)

trust: $(STAMP) ## Try to break it for long (MINUTES=60) and write tests/trust-report.md
	@$(BIN)/python -m tests.trust run --minutes $(MINUTES) $(ARGS)

defects: $(STAMP) ## Seed usual mistakes, one at a time, and see each caught (ARGS names some)
	@$(BIN)/python -m tests.trust.defects.runner $(ARGS)

lint: $(STAMP) ## Look for mistakes in style and for likely bugs
	@$(BIN)/ruff check .

types: $(STAMP) ## Check the types, strictly
	@$(BIN)/mypy

check: lint types test ## All three

openapi: $(STAMP) ## Write the documents that are generated from the code
	@$(BIN)/billing openapi --write
	@$(BIN)/billing functions --write

bench: $(STAMP) ## Measure (ARGS chooses what)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

audit: ## Look for known holes in the image's packages, and write its SBOM (build/sbom.json)
	@mkdir -p build
	@$(PYTHON) -m venv --clear build/audit
	@build/audit/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --only-binary :all: -r .ci/audit.lock
	@build/audit/bin/pip-audit --strict --disable-pip --require-hashes -r requirements.lock \
		--format cyclonedx-json --output build/sbom.json

lock: $(STAMP) ## Pin every package that pyproject.toml asks for, with hashes
	@$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	@$(call compile,requirements.lock,)
	@$(call compile,requirements-dev.lock,--extra local --extra dev)
	@$(call compile,tests/terraform/requirements.lock,,tests/terraform/requirements.in)
	@$(call compile,$(LOCALSTRIPE),--no-deps,tests/adapters/localstripe.in)
	@$(call compile,.ci/audit.lock,,.ci/audit.in)
	@echo "The five locks are written; read their diff."

clean: ## Remove the virtual environment and all caches (what `make run` stored in .local stays)
	@rm -rf .venv $(TERRAFORM_VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

compile = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(2) $(or $(3),pyproject.toml) -o $(1)

$(STAMP): requirements-dev.lock $(LOCALSTRIPE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; make PYTHON=python3.12 ... names another."; exit 1; }
	@$(PYTHON) -m venv --clear .venv || \
		{ echo "Python's venv is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing $$(grep -c '==' requirements-dev.lock) packages into .venv," \
		"once for each change of requirements-dev.lock ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --only-binary :all: -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --no-deps --no-build-isolation -r $(LOCALSTRIPE)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--no-deps --no-build-isolation --editable .
	@touch $(STAMP)

$(TERRAFORM_STAMP): tests/terraform/requirements.lock
	@$(PYTHON) -m venv --clear $(TERRAFORM_VENV)
	@echo "Installing what the stand-in for Google's Terraform provider needs ..."
	@$(TERRAFORM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes --only-binary :all: -r tests/terraform/requirements.lock
	@touch $(TERRAFORM_STAMP)
