# demo, test: do all set-up and run. check: format, lint, types, import contracts. bench: ratios to plain Celery.
# chaos: 500 jobs while workers and Redis are killed. up: Redis, a worker and Flower on this machine.

SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
PYTEST_OPTIONS ?= -n 3 --dist worksteal

.PHONY: demo test check bench chaos up format clean

demo: .venv/.demo
	$(BIN)/outrider demo

test: .venv/.test .venv/.programs
	$(BIN)/python -m pytest $(PYTEST_OPTIONS)
	@echo "The fault tests again, with slots in child processes:"
	TEST_POOL=prefork $(BIN)/python -m pytest $(PYTEST_OPTIONS) -k "not prefork and not threads" \
		tests/acceptance/test_nothing_is_lost.py tests/acceptance/test_nothing_left_running.py

check: .venv/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	@rm -rf build && mkdir -p build  # mypy reads an installed package, not an editable one
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --target build/installed .
	@rm -rf build/lib build/bdist*
	cd build/installed && ../../$(BIN)/mypy --config-file ../../pyproject.toml --python-executable ../../$(BIN)/python \
		--cache-dir ../mypy -p outrider
	@rm -rf build/installed
	$(BIN)/lint-imports

bench: .venv/.test
	$(BIN)/python bench/run.py

chaos: .venv/.test
	$(BIN)/python tests/chaos/run.py --jobs 500

up: .venv/.demo
	$(BIN)/outrider up

format: .venv/.test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build *.egg-info

.venv/.made:
	@sh .ci/make-venv $(PYTHON)
	@touch $@

.venv/.demo: .venv/.made pyproject.toml
	@sh .ci/install demo
	@touch $@

.venv/.test: .venv/.made pyproject.toml
	@sh .ci/install demo,dev
	@touch $@

.venv/.programs: .venv/.made .ci/install-programs
	@sh .ci/install-programs $@
