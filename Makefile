# Run `make help` for the targets.

PYTHON := .venv/bin/python
PORT ?= 8000

UV := $(or $(shell command -v uv),.tools/bin/uv)
VENV := .venv/.ready
BROWSER := .tools/browser/.ready
SAM := .tools/sam/bin/sam
CHECKOV := .tools/checkov/bin/checkov
TEMPLATES := dist/.sam
MODEL_SOURCES := $(wildcard $(foreach depth,* */* */*/*,training/$(depth).py wine-classifier/chalicelib/$(depth).py))
# Not from the environment, where some systems hold variables of these names.
NAME := wine
MODEL :=
DATA :=
TARGET :=
TEST_DATA :=
PRIVATE :=
TRUST_PICKLE :=
PUBLIC :=
AUTH :=
URL :=
API_KEY :=
BULK :=
LOCAL_STORE := .model-store/$(NAME)
STAGE ?= dev
ARCH ?= x86_64
RUNTIME ?= onnx
COMPILE = $(UV) pip compile --quiet --upgrade --no-header --generate-hashes
TOOL_PINS := $(filter-out %-sklearn %/catboost,$(basename $(wildcard deployment/*.in tests/*/*.in benchmarks/*/*.in)))
PEERS := $(basename $(wildcard benchmarks/apps/*/*.in))
CLIENTS := kserve_rest mlflow_scoring mlserver_infer openapi_generated sagemaker_local triton
PACKAGE_OPTIONS = --stage $(STAGE) --name "$(NAME)" --arch $(ARCH) --runtime $(RUNTIME) $(if $(BUCKET),--bucket $(BUCKET)) $(ACCESS) $(if $(filter yes,$(UNSIGNED)),--unsigned) $(if $(filter yes,$(BULK)),--bulk) $(if $(filter yes,$(TRACING)),--tracing) $(if $(filter yes,$(SNAPSTART)),--snapstart) $(if $(URL),--url $(URL)) $(if $(CORS_ORIGINS),--cors-origins "$(CORS_ORIGINS)") $(if $(PROJECT),--project $(PROJECT))
# Closed unless PUBLIC is yes. API_KEY=yes names the default of package.
ACCESS = $(if $(AUTH)$(API_KEY),--auth $(or $(AUTH),key)$(if $(filter yes,$(PUBLIC)),$(error PUBLIC=yes contradicts $(if $(AUTH),AUTH=$(AUTH),API_KEY=$(API_KEY)))),$(if $(filter yes,$(PUBLIC)),--auth none))
# A stage that somebody named; the default is for packages.
PUBLISH_STAGE = $(if $(filter command environment override,$(firstword $(origin STAGE))),--stage $(STAGE))
PUBLISH_OPTIONS = $(if $(MODEL),--model "$(MODEL)" --name "$(NAME)" $(if $(DATA),--data "$(DATA)") $(if $(TARGET),--target "$(TARGET)") $(if $(TEST_DATA),--test-data "$(TEST_DATA)") $(if $(PRIVATE),--private $(PRIVATE)) $(if $(TRUST_PICKLE),--trust-pickle),"dist/$(NAME).onnx")

.DEFAULT_GOAL := help
.PHONY: help serve test clients versions browser screenshots fuzz catboost fidelity mutants check sam format train publish package deploy bench policy pins clean
.DELETE_ON_ERROR:
.PRECIOUS: .model-store/%/current

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: $(VENV) $(if $(MODEL_URL),,$(LOCAL_STORE)/current) ## serve a model with chalice local (NAME=wine, PORT=8000, MODEL_URL=another store)
	@$(PYTHON) wine-classifier/serve_local.py --port $(PORT) --store "$(or $(MODEL_URL),$(LOCAL_STORE))"

test: export OMP_NUM_THREADS := 1
test: export OPENBLAS_NUM_THREADS := 1
test: $(VENV) ## run the tests on all cores (PYTEST_ARGS=)
	@$(PYTHON) -m pytest --numprocesses auto --dist loadfile $(PYTEST_ARGS)

clients: $(VENV) ## call the app with existing clients, such as KServe's and MLflow's (CLIENTS=)
	@UV=$(UV) $(PYTHON) -m tests.clients $(CLIENTS)

versions: $(VENV) ## publish under each minor release of scikit-learn (writes docs/versions.md; RELEASES=)
	@UV=$(UV) $(PYTHON) -m tests.versions $(RELEASES)

browser: $(VENV) $(BROWSER) ## test the page in a real browser, Chromium (PYTEST_ARGS=)
	@PYTHONPATH=$(dir $(BROWSER)) $(PYTHON) -m pytest tests/browser $(PYTEST_ARGS)

screenshots: $(VENV) $(BROWSER) ## write the pictures of the page in docs
	@PYTHONPATH=$(dir $(BROWSER)) $(PYTHON) -m tests.browser

fuzz: $(VENV) ## test the API against its OpenAPI document with schemathesis, and search for the most expensive request
	@UV=$(UV) $(PYTHON) -m tests.fuzz

catboost: $(VENV) ## compare CatBoost's classifiers, in an environment with it
	@UV=$(UV) $(PYTHON) -m tests.catboost

fidelity: $(VENV) ## compare hundreds of pipelines with scikit-learn (writes docs/coverage.md)
	@$(PYTHON) -W ignore -m tests.fidelity

mutants: $(VENV) ## try a sample of single changes to the code, which the tests should notice (SAMPLE=300, SEED=0)
	@UV=$(UV) $(PYTHON) -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

check: $(VENV) ## check style, format, types and the layers of imports
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

sam: $(SAM) $(CHECKOV) ## validate the SAM templates with the AWS SAM CLI and checkov (needs no account)
	@rm -rf $(TEMPLATES)
	@for options in "--stage dev" "--stage prod" "--stage prod --auth iam --tracing" "--stage prod --auth none --unsigned" "--stage prod --bulk" "--stage prod --url function" "--stage prod --url http" "--stage prod --snapstart" "--stage prod --url function --snapstart" "--stage prod --url http --bulk --snapstart"; do \
	  $(PYTHON) -m deployment package $$options --out $(TEMPLATES) || exit 1; \
	  SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --template $(TEMPLATES)/sam.json || exit 1; \
	  $(PYTHON) -m tests.support.translation $(TEMPLATES)/sam.json > "$(TEMPLATES)/translated $$options.json" || exit 1; \
	done
	@$(CHECKOV) --config-file deployment/checkov.yaml --file $(TEMPLATES)/translated*.json
	@echo "checkov: $$(ls $(TEMPLATES)/translated*.json | wc -l) templates checked, nothing found"

format: $(VENV) ## format the code and apply ruff's fixes
	@.venv/bin/ruff check --quiet --fix --exit-zero .
	@.venv/bin/ruff format .

train: $(VENV) ## train and evaluate the wine model (writes dist/wine.onnx)
	@$(PYTHON) -m training train

publish: $(VENV) ## publish a fitted model, or dist/NAME.onnx (MODEL=, DATA=, TARGET=, TEST_DATA=, NAME=wine, MODEL_URL=the store, BUCKET=, STAGE=, TRUST_PICKLE=)
	@$(PYTHON) -m training publish $(PUBLISH_OPTIONS) $(PUBLISH_STAGE) --to "$(or $(MODEL_URL),$(if $(BUCKET),s3://$(BUCKET)/$(NAME)),$(LOCAL_STORE))"

package: $(VENV) ## build the Lambda package and the SAM template in dist/STAGE (STAGE=dev, NAME=wine, ARCH=, RUNTIME=, BUCKET=, PUBLIC=, AUTH=, UNSIGNED=, BULK=, TRACING=, SNAPSTART=, URL=, CORS_ORIGINS=)
	@$(PYTHON) -m deployment package $(PACKAGE_OPTIONS)

deploy: $(VENV) ## deploy the Lambda package with chalice deploy (STAGE=dev, NAME=wine, ARCH=, BUCKET=the models' bucket, CORS_ORIGINS=)
	@$(PYTHON) -m deployment deploy $(PACKAGE_OPTIONS)

bench: $(VENV) ## benchmark on the Lambda emulator (writes docs/benchmark.* and the README's table)
	@$(PYTHON) -m benchmarks

policy: $(VENV) ## print the IAM policy of stage dev
	@cd wine-classifier && ../.venv/bin/chalice gen-policy

pins: $(UV) ## update the pinned requirements to the newest versions, with their hashes
	@$(COMPILE) --python-version 3.13 wine-classifier/requirements.in -o wine-classifier/requirements.txt
	@$(COMPILE) --python-version 3.12 --universal -c wine-classifier/requirements.txt requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) --python-version 3.13 -c requirements-dev.txt --no-emit-package prettytable --no-emit-package wcwidth \
	  deployment/requirements-sklearn.in -o deployment/requirements-sklearn.txt
	@for name in $(PEERS); do \
	  $(COMPILE) --python-version 3.13 -c wine-classifier/requirements.txt $$name.in -o $$name.txt || exit 1; \
	done
	@for name in $(TOOL_PINS); do \
	  $(COMPILE) --python-version 3.12 --universal $$name.in -o $$name.txt || exit 1; \
	done
	@$(COMPILE) --python-version 3.12 --universal -c requirements-dev.txt tests/catboost/catboost.in -o tests/catboost/catboost.txt

clean: ## remove everything that make creates
	@rm -rf .venv .tools .model-store dist build *.egg-info .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis

.model-store/wine/current: $(VENV) $(MODEL_SOURCES)
	@$(PYTHON) -m training train
	@$(PYTHON) -m training publish --to $(@D)

.model-store/%/current:
	@echo "There is no model $*: make publish MODEL=fitted.skops DATA=table.csv TARGET=label NAME=$*" >&2; exit 2

$(VENV): requirements-dev.txt wine-classifier/requirements.txt pyproject.toml .python-version | $(UV)
	@$(UV) venv --quiet --allow-existing .venv || { \
	  echo "Python $$(cat .python-version) is needed, and uv can neither find nor download it: install it and try again." >&2; exit 1; }
	@$(UV) pip sync --quiet --require-hashes --python $(PYTHON) requirements-dev.txt
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@touch $@

$(SAM): deployment/requirements-sam.txt
$(CHECKOV): deployment/requirements-checkov.txt
$(SAM) $(CHECKOV): $(VENV)
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(patsubst %/bin/,%,$(@D)/)
	@$(UV) pip sync --quiet --require-hashes --python $(@D)/python $(filter %.txt,$^)
	@touch $@

# Playwright for Python, and Debian's Chromium if there is no browser.
$(BROWSER): tests/browser/requirements.txt $(VENV)
	@$(UV) pip install --quiet --python $(PYTHON) --target $(@D) --require-hashes -r $<
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium >/dev/null; } || { \
	  echo "Chromium is needed: install it and try again." >&2; exit 1; }
	@touch $@

# In /, where no .python-version stops pyenv's python3.
.tools/bin/uv: | deployment/requirements-uv.txt
	@command -v python3 >/dev/null || { echo "python3 is needed to fetch uv: install it and try again." >&2; exit 1; }
	@cd / && python3 -m venv "$(CURDIR)/.tools" && "$(CURDIR)/.tools/bin/pip" install -qq --require-hashes -r "$(CURDIR)/deployment/requirements-uv.txt" || { \
	  echo "uv cannot be downloaded with python3's venv and pip: install uv and try again." >&2; exit 1; }
