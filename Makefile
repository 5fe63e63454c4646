# Two commands do everything on a machine with Python 3.11+, make and a package index: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
DATA ?=

.PHONY: demo test bench fuzz lock clean

demo: $(VENV)/.ready
	$(VENV)/bin/ouvrage demo $(if $(DATA),--data $(DATA))

test: $(VENV)/.ready-dev tests/npm/node_modules/.ready
	$(RUN) -m pytest -n auto --dist worksteal $(ARGS)

bench: $(VENV)/.ready-dev
	$(RUN) -m bench

# Ten minutes over every parser and every verification; SECONDS=60 for one. Linux on x86-64.
SECONDS ?= 600
fuzz: $(VENV)/.ready-dev
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.lock
	$(RUN) -m fuzz --seconds $(SECONDS)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ouvrage needs Python 3.11 or later: make demo PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.ready

# What the tests run from npm; a machine without it skips those tests, and they say so.
tests/npm/node_modules/.ready: tests/npm/package.json
	@if command -v npm >/dev/null; then cd tests/npm && npm install --silent && touch node_modules/.ready; \
	else echo "no npm here: tests with programs from there are skipped" >&2; fi

# Pins every dependency by hash, for every Python that we support. Needs `pip install uv`.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra build \
	    pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra build --extra dev \
	    -c requirements.lock pyproject.toml -o requirements-dev.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra fuzz \
	    -c requirements-dev.lock pyproject.toml -o requirements-fuzz.lock

clean:
	rm -rf $(VENV) demo-output
