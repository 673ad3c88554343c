# Everything a newcomer needs: `make demo` to see it, `make test` to trust it, `make setup` to install only.
SHELL := /bin/bash
ARGS ?=

.PHONY: help setup demo test clean
help:
	@echo "make demo    install what is missing, then one courtroom live (options: make demo ARGS='--rooms 2 --manual')"
	@echo "make test    install what is missing, then every check and test, the browser's included"
	@echo "make setup   only install; leaves .venv/bin/wutong"
	@echo "make clean   remove what setup made (.venv, web/node_modules, web/dist)"

setup:
	@tools/setup.sh

demo: setup
	@.venv/bin/wutong demo $(ARGS)

test:
	@tools/setup.sh --with-tests
	@tools/check.sh

clean:
	rm -rf .venv .setup web/node_modules web/dist
