# Each target prepares .venv itself, so that a fresh machine needs python3 (3.11 or newer), make, and no more.

PYTHON ?= python3
BIN := .venv/bin
TOOLS := iptables nft ipset tshark
PACKAGES := iptables nftables ipset tshark

.PHONY: run test oracle check bench kernel clean tools qemu

# A first walk. The browser lab will start here, too.
run: .venv/ready
	$(BIN)/python -m packetsim trace shop.yaml --from shop/client --to shop/web

test: .venv/ready-dev tools
	$(BIN)/pytest -n 2 --cov=packetsim --cov-report=term --cov-fail-under=95

# The tests that ask a real kernel, in the virtual machine of `make kernel`: one at a time, since they share it.
oracle: .venv/ready-dev kernel
	$(BIN)/pytest tests/oracle -m judge

check: .venv/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run --verbosity 0
	$(BIN)/python manage.py wire --check

bench: .venv/ready
	$(BIN)/python -m packetsim bench

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
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
