# make run: everything on this machine, with a demo review.   make test: lint, types, tests.
# make semantic: adds sentence vectors to the ranking.   make sbom: what the product is made of.
# The first that is new enough; else tools/install.py says what to do.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))) python3)
VENV := .venv
BIN := $(VENV)/bin
export TANDEM_DATA_DIR ?= $(CURDIR)/.tandem
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DELETE_ON_ERROR:
.PHONY: run test semantic lint sbom clean

run: $(VENV)/.installed
	@exec $(BIN)/tandem up --demo

test: $(VENV)/.installed-test
	$(MAKE) lint
	@# One process for each core; a server that a test starts keeps some of another one busy.
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

semantic: $(VENV)/.installed
	@$(PYTHON) tools/install.py $(VENV) semantic

# In CycloneDX form, of what an installation without extras has, and of nothing else.
sbom:
	$(PYTHON) -m venv --clear build/sbom/tool
	build/sbom/tool/bin/python -m pip install --quiet cyclonedx-bom==7.5.0
	$(PYTHON) -m venv --clear --without-pip build/sbom/product
	build/sbom/tool/bin/python -m pip --python build/sbom/product/bin/python install --quiet -c constraints.txt .
	version="$$(build/sbom/product/bin/tandem --version)" && \
	  sed "s/^dynamic = .*/version = \"$${version#tandem }\"/" pyproject.toml > build/sbom/pyproject.toml
	build/sbom/tool/bin/cyclonedx-py environment --pyproject build/sbom/pyproject.toml --output-reproducible \
	  --validate --output-format JSON --output-file build/sbom/tandem.cdx.json build/sbom/product
	@echo "build/sbom/tandem.cdx.json"

clean:
	rm -rf $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) tools/install.py $(VENV)
	@touch $@

$(VENV)/.installed-test: pyproject.toml constraints.txt
	@$(PYTHON) tools/install.py $(VENV) test
	@touch $@ $(VENV)/.installed
