# Every verb does the set-up it needs. `make help` lists them.
PYTHON ?= python3
SEED ?= 0
RUN ?= runs/quickstart
PYTEST_ARGS ?= -n 2 --dist loadfile

BIN := .venv/bin
INSTALLED := .venv/.installed
TRAIN := $(BIN)/accelerate launch --quiet --config_file configs/accelerate/cpu.yaml scripts/train_grpo.py

.DEFAULT_GOAL := help
.PHONY: help setup quickstart test check smoke demo clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(INSTALLED) ## make the environment in .venv (PYTHON=python3.12 chooses the interpreter)

quickstart: setup ## train the built-in model with GRPO on this machine, in minutes (SEED=1 sets the seed)
	$(TRAIN) --config configs/train/quickstart.yaml --seed $(SEED)

test: setup ## run all tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(PYTEST_ARGS)

check: setup ## lint, format, types, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_layers.py

smoke: setup ## three GRPO steps
	$(TRAIN) --config configs/train/smoke.yaml

demo: setup ## open the rollout inspector (RUN=runs/mine chooses the run)
	$(BIN)/python -m demo.app $(RUN)

clean: ## remove the environment and the caches; runs/ stays, because results are yours to delete
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "vlrl needs Python 3.11 or newer, but $(PYTHON) is: $$($(PYTHON) --version 2>&1)." \
		"Name another one: make setup PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -e '.[dev]'
	@touch $@
