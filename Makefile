# Everything a newcomer needs: `make demo` to see it, `make test` to trust it, `make setup` to install only.
SHELL := /bin/bash
ARGS ?=
SET ?= product

.PHONY: help setup demo test test-bare wheel clean
help:
	@echo "make demo       install what is missing, then one courtroom live (options: make demo ARGS='--rooms 2 --manual')"
	@echo "make test       install what is missing, then every check and test, the browser's included"
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
	@tools/check.sh

test-bare:
	@tools/bare_all.sh

wheel:
	@tools/setup.sh $(SET)
	@tools/wheel.sh

clean:
	rm -rf .venv .setup web/node_modules web/dist dist
