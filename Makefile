# Everything a fresh machine needs is Python 3.11 (or newer) and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RUN := runs/quickstart
# the HR-only run differs from experiments/quickstart.yaml in this alone
HR_ONLY := --data.cross_resolution null \
	--trainer.default_root_dir $(RUN)/hr-only \
	--trainer.logger.init_args.save_dir $(RUN)/hr-only \
	--trainer.callbacks.init_args.dirpath $(RUN)/hr-only

.PHONY: quickstart test lint clean

quickstart: $(VENV)/.installed  ## train two small models on embedded faces and compare them
	$(BIN)/lrfr fit --config experiments/quickstart.yaml $(HR_ONLY)
	$(BIN)/lrfr fit --config experiments/quickstart.yaml
	$(BIN)/lrfr evaluate --config experiments/evaluation/quickstart.yaml --output $(RUN)/results.json
	$(BIN)/lrfr report $(RUN)/results.json

test: lint  ## linter, types, layers, tests
	$(BIN)/pytest

lint: $(VENV)/.developer
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

$(VENV)/.installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --upgrade pip
	$(BIN)/pip install torch torchvision
	$(BIN)/pip install --editable .
	touch $@

$(VENV)/.developer: $(VENV)/.installed
	$(BIN)/pip install --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) runs
