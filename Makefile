# Jupyter ML Workspace. `make help` tells what there is; each target sets up what it needs in ./.venv and ./node_modules.

SHELL := bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PYTEST ?= $(BIN)/pytest
PYTEST_ARGS ?=
WORKERS ?= 2
UI_ARGS ?=
BENCH ?= $(sort $(wildcard bench/[a-z]*.py))

MLFLOW := 3.17.2
MLFLOW2 := 2.2.2 2.9.2 2.22.5
ENTERPRISE := jupyter_enterprise_gateway==3.3.0 ipykernel==6.29.5
KERNEL_GATEWAY := jupyter_kernel_gateway==3.0.1
UV := uv>=0.9

# jlpm, ruff and the rest come from the venv.
export PATH := $(abspath $(BIN)):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# The demo and `make lab` keep their runs here, apart from your own (set MLWS_DATA_DIR to see those instead).
DEMO_DATA := $(if $(MLWS_DATA_DIR),$(MLWS_DATA_DIR),$(CURDIR)/.demo)

HAVE_NODE := node -e "const [a, b] = process.versions.node.split('.'); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)" >/dev/null 2>&1
NODE_TROUBLE := node --version >/dev/null 2>&1 && echo "Node $$(node --version) is too old, 20.19 or newer is needed" || echo "Node is not installed, 20.19 or newer is needed"
CHROMIUM := for c in "$${MLWS_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do [ -n "$$c" ] && command -v "$$c" && break; done
SKIPS := $(VENV)/skipped

# $(call skip,what,why): says what is left out; with CI=true leaving anything out is a failure.
define skip
{ echo "SKIPPED $(1): $(2)" | tee -a $(SKIPS); [ "$${CI:-}" != true ] || { echo "CI=true: nothing may be skipped" >&2; exit 1; }; }
endef

# $(call install,venv,packages): with uv, in seconds. Where it is not there yet, or this fails (it reads no settings of pip), pip does it.
define install
{ { [ -x $(BIN)/uv ] && $(BIN)/uv pip install --quiet --python $(1)/bin/python $(2) 2>/dev/null; } || $(1)/bin/python -m pip install -qq $(2); }
endef

# A file of ours: an installation writes to those of the extension, and they would look newer than the sources.
PAGES := lib/.built
PAGE_SOURCES := $(shell find src style schema -type f 2>/dev/null) package.json $(wildcard tsconfig*.json)

.PHONY: help demo lab test test-py test-ts test-ui shots lint fix types gen gen-check revision frozen soak bench docs docs-serve clean pages wheel

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- what people run -----------------------------------------------------------------------------------------------

demo: $(VENV)/.stamp-demo pages  ## train the shipped notebook twice as tracked jobs and compare the runs
	@MLWS_DATA_DIR="$(DEMO_DATA)" $(PY) examples/demo.py
	@$(MAKE) -s --no-print-directory exports

lab: $(VENV)/.stamp-demo pages  ## open JupyterLab with the demo's workspace (LAB_ARGS="--no-browser")
	@$(MAKE) -s --no-print-directory exports
	@MLWS_DATA_DIR="$(DEMO_DATA)" $(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.default_url=/lab/tree/examples/digits.ipynb $(if $(filter 0,$(shell id -u)),--allow-root) $(LAB_ARGS)

.PHONY: exports
exports:
	@echo
	@echo "# \`mlws\` finds these runs in a terminal of JupyterLab (File > New > Terminal); in any other, first:"
	@echo "export PATH=\"$(abspath $(BIN)):\$$PATH\""
	@echo "export MLWS_DATA_DIR=\"$(abspath $(DEMO_DATA))\""

test: clear-skips lint types gen-check test-py test-ts test-ui  ## all checks: lint, types, generated files, pytest, jest, UI tests in Chromium
	@if [ -s $(SKIPS) ]; then echo; echo "All that ran is green, but not all ran:"; cat $(SKIPS); else echo; echo "All green."; fi

test-py: $(VENV)/.stamp-dev $(VENV)-mlflow/.stamp $(VENV)-mlflow2/.stamp $(VENV)-gateway/.stamp  ## Python tests, two files at a time (PYTEST_ARGS="tests/domain -x", WORKERS=0 for one after the other)
	$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

test-ts: $(VENV)/.stamp-dev  ## TypeScript unit tests
	@if $(HAVE_NODE); then $(MAKE) -s --no-print-directory node_modules/.stamp && jlpm test; \
	else $(call skip,jest,$$($(NODE_TROUBLE))); fi

test-ui: $(VENV)/.stamp-dev $(VENV)-mlflow/.stamp  ## what a person does, in a real Chromium (UI_ARGS="-g submit")
	@if ! $(HAVE_NODE); then $(call skip,UI tests,$$($(NODE_TROUBLE))); \
	elif [ -z "$$($(CHROMIUM))" ]; then $(call skip,UI tests,no Chromium found: install it (Debian: apt install chromium) or set MLWS_CHROMIUM); \
	else $(MAKE) -s --no-print-directory pages ui-tests/node_modules/.stamp && cd ui-tests && MLWS_CHROMIUM="$$($(CHROMIUM))" jlpm playwright test $(UI_ARGS); fi

shots:  ## take the pictures of the documentation anew
	@MLWS_DOC_SHOTS=1 $(MAKE) -s --no-print-directory test-ui UI_ARGS="submit.spec.ts experiments.spec.ts --retries=0"

lint: $(VENV)/.stamp-dev  ## style, import rules, dependencies; nothing is changed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/deptry .
	@if $(HAVE_NODE); then $(MAKE) -s --no-print-directory node_modules/.stamp ui-tests/node_modules/.stamp && jlpm lint:check && jlpm lint:deps; \
	else $(call skip,lint of the pages,$$($(NODE_TROUBLE))); fi

fix: $(VENV)/.stamp-dev  ## mend what the linters can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@if $(HAVE_NODE); then $(MAKE) -s --no-print-directory node_modules/.stamp && jlpm lint; fi

types: $(VENV)/.stamp-dev  ## mypy, strict; tsc
	@if $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then echo $(BIN)/mypy && $(BIN)/mypy; \
	else $(call skip,mypy,it needs Python 3.11 or newer: for 3.10 there is SQLAlchemy 2.0 alone whose types are others); fi
	@if $(HAVE_NODE); then $(MAKE) -s --no-print-directory node_modules/.stamp && jlpm typecheck; \
	else $(call skip,tsc,$$($(NODE_TROUBLE))); fi

gen: $(VENV)/.stamp-dev  ## write openapi.json and src/api/schema.d.ts anew from the Python wire types
	@$(PY) -m jupyter_mlws.server.openapi > openapi.json.new || { rm -f openapi.json.new; exit 1; }
	@mv openapi.json.new openapi.json
	@if $(HAVE_NODE); then $(MAKE) -s --no-print-directory node_modules/.stamp && jlpm gen:api; \
	else $(call skip,src/api/schema.d.ts,$$($(NODE_TROUBLE))); fi

gen-check: $(VENV)/.stamp-dev
	@old=$$(mktemp -d) && trap 'rm -rf "$$old"' EXIT && cp openapi.json src/api/schema.d.ts "$$old" && $(MAKE) -s --no-print-directory gen && \
	if ! cmp -s openapi.json "$$old/openapi.json" || ! cmp -s src/api/schema.d.ts "$$old/schema.d.ts"; then \
	echo "The Python wire types have changed: openapi.json and src/api/schema.d.ts were just written anew. Look at them and commit." >&2; exit 1; fi

revision: $(VENV)/.stamp-dev  ## draft the next version of the database schema (SAYS='runs have a colour')
	@$(PY) -m tests.migrations.revise '$(SAYS)'
	@$(BIN)/ruff check --quiet --fix-only jupyter_mlws/migrations && $(BIN)/ruff format --quiet jupyter_mlws/migrations

frozen: $(VENV)/.stamp-dev  ## keep a small database of the present schema version for the tests of upgrades
	@$(PY) -m tests.migrations.frozen $(AGAIN)

soak: $(VENV)/.stamp-dev $(VENV)-mlflow/.stamp  ## the crash tests, and random calls compared with MLflow's server, with their full numbers
	MLWS_SOAK=1 $(BIN)/pytest -m soak -s --timeout=0 $(PYTEST_ARGS)

bench: $(VENV)/.stamp-dev $(VENV)-mlflow/.stamp  ## measure; each number in the docs is printed by this (BENCH=bench/log_metric.py)
	@over=; for script in $(BENCH); do echo "== $$script"; $(PY) $$script || over="$$over $$script"; done; \
	if [ -n "$$over" ]; then echo "Over a limit, or failed:$$over" >&2; exit 1; fi

docs: $(VENV)/.stamp-dev  ## build the documentation into build/docs; broken links are errors
	$(BIN)/mkdocs build --strict --quiet
	@echo "build/docs/index.html"

docs-serve: $(VENV)/.stamp-dev
	$(BIN)/mkdocs serve

clean:  ## remove what was built, and caches (keeps .venv, node_modules and the demo's runs)
	rm -rf build dist lib coverage junit.xml *.egg-info *.tsbuildinfo jupyter_mlws/labextension openapi.json.new
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .eslintcache .stylelintcache
	rm -rf ui-tests/test-results ui-tests/playwright-report
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -not -path './node_modules/*' -prune -exec rm -rf {} +

# --- set-up --------------------------------------------------------------------------------------------------------

.PHONY: clear-skips
clear-skips: $(PY)
	@rm -f $(SKIPS)

$(PY):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed. Python 3.10 or newer is needed; name another with \`make PYTHON=...\`." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "$$($(PYTHON) --version) is too old, 3.10 or newer is needed; name another with \`make PYTHON=...\`." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) cannot make a virtual environment (Debian and Ubuntu: apt install python3-venv)." >&2; rm -rf $(VENV); exit 1; }

# The pages are built by the rule below, not by pip.
$(VENV)/.stamp-demo: pyproject.toml package.json | $(PY)
	@echo "Installing into $(VENV) ..."
	@$(PY) -m pip install -qq --editable '.[demo]'
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml package.json | $(PY)
	@echo "Installing with the tools of development into $(VENV) ..."
	@[ -x $(BIN)/uv ] || $(PY) -m pip install -qq '$(UV)'
	@$(call install,$(VENV),--editable '.[dev]')
	@touch $@ $(VENV)/.stamp-demo

# MLflow stands apart: its own server is what ours is compared with, and its packages are not ours to live with.
$(VENV)-mlflow/.stamp: | $(PY)
	@echo "Installing MLflow, for the tests of its protocol, into $(VENV)-mlflow ..."
	@rm -rf $(VENV)-mlflow && $(PY) -m venv $(VENV)-mlflow && $(call install,$(VENV)-mlflow,'mlflow==$(MLFLOW)' ipykernel lightgbm psutil)
	@touch $@

$(VENV)-mlflow2/.stamp: | $(PY)
	@echo "Installing the oldest MLflow 2 that this Python takes into $(VENV)-mlflow2 ..."
	@rm -rf $(VENV)-mlflow2 && $(PY) -m venv $(VENV)-mlflow2 && for version in $(MLFLOW2); do \
	$(call install,$(VENV)-mlflow2,--only-binary :all: "mlflow==$$version" 'setuptools<81') >/dev/null 2>&1 && touch $@ && break; done; \
	[ -e $@ ] || { rm -rf $(VENV)-mlflow2; $(call skip,tests with MLflow 2,none of $(MLFLOW2) can be installed for $$($(PY) --version)); }

# Jupyter's gateways: Enterprise Gateway needs the Jupyter Server and the pyzmq of some years ago, Kernel Gateway runs with the one of today.
$(VENV)-gateway/.stamp: | $(PY)
	@echo "Installing Jupyter's gateways, whose kernels jobs of the tests have, into $(VENV)-gateway ..."
	@export PIP_PREFER_BINARY=1; rm -rf $(VENV)-gateway && $(PY) -m venv $(VENV)-gateway && \
	$(call install,$(VENV)-gateway,$(ENTERPRISE)) && \
	$(call install,$(VENV)-gateway,--no-deps --target $(VENV)-gateway/kernel-gateway $(KERNEL_GATEWAY)) && touch $@ || \
	{ rm -rf $(VENV)-gateway; $(call skip,tests with Jupyter's gateways,$(ENTERPRISE) cannot be installed for $$($(PY) --version)); }

node_modules/.stamp: package.json yarn.lock .yarnrc.yml | $(VENV)/.stamp-demo
	@echo "Installing the packages of the pages (some minutes, the first time) ..."
	@log=$$(mktemp); jlpm install >"$$log" 2>&1 || { cat "$$log" >&2; rm -f "$$log"; exit 1; }; rm -f "$$log"
	@touch $@

ui-tests/node_modules/.stamp: ui-tests/package.json ui-tests/yarn.lock | $(VENV)/.stamp-demo
	@log=$$(mktemp); (cd ui-tests && jlpm install) >"$$log" 2>&1 || { cat "$$log" >&2; rm -f "$$log"; exit 1; }; rm -f "$$log"
	@touch $@

pages: $(VENV)/.stamp-demo
	@if $(HAVE_NODE); then $(MAKE) -s --no-print-directory $(VENV)/.stamp-pages; \
	else echo "$$($(NODE_TROUBLE)): JupyterLab's pages were not built. Everything else works."; fi

$(VENV)/.stamp-pages: $(PAGES)
	@$(BIN)/jupyter-builder develop . --overwrite >/dev/null
	@touch $@

$(PAGES): node_modules/.stamp $(PAGE_SOURCES) $(if $(wildcard jupyter_mlws/labextension/package.json),,always)
	@echo "Building JupyterLab's pages ..."
	@log=$$(mktemp); jlpm build:prod >"$$log" 2>&1 || { cat "$$log" >&2; rm -f "$$log"; exit 1; }; rm -f "$$log"
	@touch $@

.PHONY: always
always:

wheel: $(VENV)/.stamp-dev pages
	@rm -rf dist && $(PY) -m build --wheel --outdir dist . >/dev/null && ls dist
