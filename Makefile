# Every target builds .venv from the lock when it is missing or stale.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.built

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s'|'

$(STAMP): requirements.lock pyproject.toml
	@echo "building .venv from requirements.lock"
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v <= (3, 13) and f"Sendtrail needs Python 3.11, 3.12 or 3.13; {sys.executable} is {v[0]}.{v[1]}. Name another with PYTHON=python3.12")'
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

install: $(STAMP) ## build .venv from the lock

demo: $(STAMP) ## the whole line with live traffic; ONCE=1 ends by itself with a ledger
	@$(BIN)/sendtrail demo $(if $(ONCE),--once)

up: $(STAMP) ## the whole line, empty, in this terminal
	@$(BIN)/sendtrail up

# Files stay in order, so that each process makes what a folder's tests share (package fixtures) once.
test: $(STAMP) ## all tests, on a real Kafka and the real ClickHouse engine; ARGS="…" chooses
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),-n 2 --dist loadfile --no-loadscope-reorder)

chaos: $(STAMP) ## the line on three brokers, broken by a seed, and a ledger: MINUTES=5 SEED=… ARGS="--rate 40"
	@$(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED)) $(ARGS)

lint: $(STAMP) ## ruff, mypy --strict, import rules, schema of the compose file
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

docs: $(STAMP) ## the generated parts of the docs
	@$(BIN)/python docs/generate.py

grafana: $(STAMP) ## dashboards/grafana/json from its Python
	@$(BIN)/python -m dashboards.grafana

screenshots: $(STAMP) ## pictures of the report pages in docs/img, on a stack of its own; needs Chromium
	@$(BIN)/python docs/screenshots.py

bench: $(STAMP) ## every benchmark, as recorded in docs/benchmarks.md
	@$(BIN)/python -m bench

bench-reports: $(STAMP) ## report queries on 100 M events, made the first time; ARGS="--events 1000000 --runs 5"
	@$(BIN)/python -m bench reports $(ARGS)

COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --quiet

lock: $(STAMP) ## make the lock files anew from pyproject.toml
	@$(COMPILE) --all-extras --output-file requirements.lock
	@$(COMPILE) --constraint requirements.lock --output-file requirements-run.lock
	@$(COMPILE) --constraint requirements.lock --extra local --output-file requirements-micro.lock

clean: ## remove .venv, caches and local data
	@rm -rf .venv .venv-engines .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .sendtrail .sendtrail-*

.PHONY: help install demo up test chaos lint docs grafana screenshots bench bench-reports lock clean
