# `make` and `make run` start everything on this machine; `make help` lists the rest.
# The first that is new enough; else tools/install.py says what to do.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))) python3)
VENV := .venv
BIN := $(VENV)/bin
export TANDEM_DATA_DIR ?= $(CURDIR)/.tandem
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# More processes than some machines have cores: many tests wait for a server or a browser.
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n 4 --dist worksteal

.DELETE_ON_ERROR:
.PHONY: run page test quick blinding soak coverage lint format openapi migration figures sbom clean help

# What the page is built of. Others' files in its folder are no part of it.
PAGE := services/api/tandem_api/web/index.html
PAGE_SOURCES := $(shell find services/web -name node_modules -prune -o -type f -print)

run: $(VENV)/.installed $(PAGE) ## Start Tandem on this machine, with a demo review. Ctrl-C stops it.
	@exec $(BIN)/tandem up --demo

$(PAGE): $(PAGE_SOURCES) | $(VENV)/.installed
	@$(BIN)/python tools/build_page.py --or-go-on

page: $(VENV)/.installed ## Build the page that the API serves.
	@$(BIN)/python tools/build_page.py

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

ifdef T
test: $(VENV)/.installed-test
	$(PYTEST) $(T)
else
test: $(VENV)/.installed-test ## Run lint, types and all tests. T=tests/unit/x.py::test_y runs only that one.
	$(MAKE) lint
	@$(MAKE) --no-print-directory $(PAGE)
	$(PYTEST) $(PARALLEL)
endif

quick: $(VENV)/.installed-test ## Run lint, types and the tests without I/O: under 90 seconds.
	$(MAKE) lint
	$(PYTEST) $(PARALLEL) tests/unit

blinding: $(VENV)/.installed-test ## Compare worlds that differ in others' votes alone: before a change of what people see.
	$(PYTEST) $(PARALLEL) tests/service/api/test_independence.py \
		tests/service/api/test_adjudicators_view.py $(wildcard tests/service/api/test_worlds_*.py)

soak: $(VENV)/.installed-test ## Run all tests with their whole budget, and those that take long.
	$(PYTEST) $(PARALLEL) --hypothesis-profile soak --timeout 3600 $(T)

coverage: $(VENV)/.installed-test ## Run all tests and print which lines they do not reach.
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL) $(T)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: $(VENV)/.installed-test ## Check style, types and who imports whom.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-test ## Format the code and mend what ruff can mend.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(VENV)/.installed-test ## Write docs/openapi.json, docs/asyncapi.yaml and the tables of docs/ from the code.
	$(BIN)/python tools/documents.py

migration: $(VENV)/.installed-test ## Write a migration for what the models have and the last one lacks: M="what it does".
	@$(BIN)/python tools/migration.py "$(M)"
	@$(BIN)/ruff format --quiet migrations/versions

figures: $(VENV)/.installed-test ## Count what the design is held to: lines, circles, the way of a decision. V=-v lists them.
	@$(BIN)/python tools/figures.py $(ROOT) $(V)

# In CycloneDX form, of what an installation without extras has, and of nothing else.
sbom: ## Write build/sbom/tandem.cdx.json: what the product is made of.
	$(PYTHON) -m venv --clear build/sbom/tool
	build/sbom/tool/bin/python -m pip install --quiet cyclonedx-bom==7.5.0
	$(PYTHON) -m venv --clear --without-pip build/sbom/product
	build/sbom/tool/bin/python -m pip --python build/sbom/product/bin/python install --quiet -c constraints.txt .
	version="$$(build/sbom/product/bin/tandem --version)" && \
	  sed "s/^dynamic = .*/version = \"$${version#tandem }\"/" pyproject.toml > build/sbom/pyproject.toml
	build/sbom/tool/bin/cyclonedx-py environment --pyproject build/sbom/pyproject.toml --output-reproducible \
	  --validate --output-format JSON --output-file build/sbom/tandem.cdx.json build/sbom/product
	@echo "build/sbom/tandem.cdx.json"

clean: ## Remove the installation (.venv), not the data.
	rm -rf $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) tools/install.py $(VENV)
	@touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt
	@$(PYTHON) tools/install.py $(VENV) test
	@touch $@ $(VENV)/.installed
