# Run `make help` for the targets.

UV_VERSION := 0.13.8
PYTHON := .venv/bin/python
PORT ?= 8000

UV := $(or $(shell command -v uv),.tools/bin/uv)
READY := .venv/.ready
SAM := .tools/sam/bin/sam
PUBLISHED := dist/.published
SOURCES := $(wildcard $(foreach depth,* */* */*/*,training/$(depth).py wine-classifier/chalicelib/$(depth).py))
STORE := .model-store
STAGE ?= dev
ARCH ?= x86_64
RUNTIME ?= onnx
CLIENTS := kserve_rest mlflow_scoring mlserver_infer openapi_generated sagemaker_local triton
SHIPPED = --stage $(STAGE) --arch $(ARCH) --runtime $(RUNTIME) $(if $(BUCKET),--bucket $(BUCKET)) $(if $(API_KEY),--api-key) $(if $(PROJECT),--project $(PROJECT))

.DEFAULT_GOAL := help
.PHONY: help serve test clients fuzz catboost check sam format train publish package deploy bench policy pins clean
.DELETE_ON_ERROR:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(READY) $(if $(MODEL_URL),,$(PUBLISHED)) ## serve with chalice local (PORT=8000, MODEL_URL= another store)
	@$(PYTHON) wine-classifier/serve_local.py --port $(PORT) --store "$(or $(MODEL_URL),$(STORE))"

test: $(READY) ## run the tests
	@$(PYTHON) -m pytest $(PYTEST_ARGS)

clients: $(READY) ## run the clients that people already have against the app, unmodified
	@UV=$(UV) $(PYTHON) -m tests.clients $(CLIENTS)

fuzz: $(READY) ## let schemathesis look for what the API's description does not say
	@UV=$(UV) $(PYTHON) -m tests.fuzz

catboost: $(READY) ## compare CatBoost's classifiers, in an environment with it
	@UV=$(UV) $(PYTHON) -m tests.catboost

check: $(READY) ## ruff, ruff format and mypy
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

sam: $(SAM) ## check the SAM templates with AWS's own command line, which needs no account for it
	@for options in "--stage dev" "--stage prod" "--stage prod --api-key"; do \
	  $(PYTHON) -m deployment package $$options --out dist/.sam || exit 1; \
	  SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --template dist/.sam/sam.json || exit 1; \
	done

format: $(READY) ## let ruff rewrite what it can
	@.venv/bin/ruff check --quiet --fix --exit-zero .
	@.venv/bin/ruff format .

train: $(READY) ## train and evaluate the wine model (writes dist/wine.onnx)
	@$(PYTHON) -m training train

publish: $(READY) ## publish dist/wine.onnx (MODEL_URL= the store)
	@$(PYTHON) -m training publish --to "$(or $(MODEL_URL),$(STORE))"

package: $(READY) ## write the lean package and the SAM template to dist/STAGE (STAGE=dev, ARCH=, RUNTIME=, BUCKET=, API_KEY=)
	@$(PYTHON) -m deployment package $(SHIPPED)

deploy: $(READY) ## chalice deploy with the lean package (STAGE=dev, ARCH=, BUCKET= where the models are)
	@$(PYTHON) -m deployment deploy $(SHIPPED)

bench: $(READY) ## compare with other ways to serve, on the Lambda emulator (writes docs/benchmark.* and the README's table)
	@$(PYTHON) -m benchmarks

policy: $(READY) ## print the IAM policy that Chalice writes for stage dev
	@cd wine-classifier && ../.venv/bin/chalice gen-policy

pins: $(READY) ## compile the requirements anew, to the newest versions
	@$(UV) pip compile --quiet --upgrade --no-header --python-version 3.13 wine-classifier/requirements.in -o wine-classifier/requirements.txt
	@$(UV) pip compile --quiet --upgrade --no-header --python-version 3.12 --universal -c wine-classifier/requirements.txt requirements-dev.in -o requirements-dev.txt
	@$(UV) pip compile --quiet --upgrade --no-header --python-version 3.13 -c requirements-dev.txt \
	  --no-emit-package prettytable --no-emit-package wcwidth \
	  deployment/requirements-sklearn.in -o deployment/requirements-sklearn.txt

clean: ## remove everything that make made
	@rm -rf .venv .tools $(STORE) dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(PUBLISHED): $(READY) $(SOURCES)
	@$(PYTHON) -m training train
	@$(PYTHON) -m training publish --to $(STORE)
	@touch $@

$(READY): requirements-dev.txt wine-classifier/requirements.txt pyproject.toml .python-version | $(UV)
	@$(UV) venv --quiet --allow-existing .venv || { \
	  echo "Python $$(cat .python-version) is needed, and uv can neither find nor fetch it: install it and try again." >&2; exit 1; }
	@$(UV) pip sync --quiet --python $(PYTHON) requirements-dev.txt
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@touch $@

$(SAM): deployment/requirements-sam.txt $(READY)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .tools/sam
	@$(UV) pip install --quiet --python .tools/sam/bin/python -r $<
	@touch $@

# From / so that a .python-version that pyenv cannot meet does not stand in the way.
.tools/bin/uv:
	@command -v python3 >/dev/null || { echo "python3 is needed to fetch uv: install it and try again." >&2; exit 1; }
	@cd / && python3 -m venv "$(CURDIR)/.tools" && "$(CURDIR)/.tools/bin/pip" install -qq uv==$(UV_VERSION) || { \
	  echo "uv could not be fetched with python3's venv and pip: install uv and try again." >&2; exit 1; }
