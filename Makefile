# Everything a newcomer needs: `make demo` to see it, `make test` to trust it, `make setup` to install only.
SHELL := /bin/bash
ARGS ?=
SET ?= product
T ?=

.PHONY: help setup demo test unit lint fmt web fuzz audit test-bare wheel clean
help:
	@echo "make demo       install what is missing, then one courtroom live (options: make demo ARGS='--rooms 2 --manual')"
	@echo "make test       install what is missing, then every check and test, the browser's included"
	@echo "make test T=…   only these tests: a path, or an expression (make test T=tests/sync; make test T='seal and not token')"
	@echo "make unit       the tests that need no device, broker, browser, model or process: about two minutes"
	@echo "make lint       style, types and the direction of imports, of Python and of the pages"
	@echo "make fmt        mend what can be mended of that by itself, and format (Python only)"
	@echo "make web        build, check and test the pages"
	@echo "make fuzz       every reader of foreign bytes, for ten minutes (make fuzz T=3600; ARGS='boxes leaf' for these alone)"
	@echo "make audit      ask the package indexes whether anything that is pinned has known vulnerabilities"
	@echo "make test-bare  make demo and make test on a bare Debian 12 and a bare Debian 13 (as root; about an hour)"
	@echo "make setup      only install; leaves .venv/bin/wutong (make setup SET=bench: what wutong bench needs, too)"
	@echo "make wheel      build the package for a court's machines, into dist/ (docs/operations.md)"
	@echo "make clean      remove what setup made (.venv, .setup, web/node_modules, web/dist)"

setup:
	@tools/setup.sh $(SET)

demo:
	@tools/setup.sh product
	@.venv/bin/wutong demo $(ARGS)

test:
	@tools/setup.sh tests
	@tools/check.sh $(if $(T),only '$(T)')

unit lint web:
	@tools/setup.sh tests
	@tools/check.sh $@

fmt:
	@tools/setup.sh tests
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

fuzz:
	@tools/setup.sh tests
	@.venv/bin/python -m tests.fuzz.run --seconds $(or $(T),600) $(ARGS)

audit:
	@tools/setup.sh tests
	@.venv/bin/python tools/audit.py $(ARGS)

test-bare:
	@tools/bare_all.sh

wheel:
	@tools/setup.sh $(SET)
	@tools/wheel.sh

clean:
	rm -rf .venv .setup web/node_modules web/dist dist
