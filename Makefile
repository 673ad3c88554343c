# Everything a newcomer needs: `make demo` to see it, `make test` to trust it, `make setup` to install only.
SHELL := /bin/bash
ARGS ?=
SET ?= product
RELEASE ?= bookworm
T ?=

.PHONY: help setup demo test unit lint fmt web fuzz audit test-bare wheel deb bundle test-deb clean
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
	@echo "make deb        build the Debian packages into dist/ (as root; make deb RELEASE=trixie for Debian 13)"
	@echo "make bundle     pack them with all that they need of Debian, for courts without a network (as root; behind make deb)"
	@echo "make test-deb   install, upgrade in a hearing, remove and purge them in a bare Debian (as root; minutes)"
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

deb:
	@tools/setup.sh $(SET)
	@tools/deb.sh $(RELEASE)

bundle:
	@tools/bundle.sh $(RELEASE)

test-deb:
	@tools/setup.sh $(SET)
	@tools/deb_check.sh $(RELEASE)

clean:
	rm -rf .venv .setup web/node_modules web/dist dist
