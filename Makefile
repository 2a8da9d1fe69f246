# SPDX-License-Identifier: GPL-3.0-or-later
# One task file. `make demo` and `make test` set everything up first; a second run finds it done and needs no network.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-ape setup-cluster build demo test test-python test-contracts test-ape test-cluster test-full sanitize bench bench-large lint lock clean
.NOTPARALLEL:

PYTHON ?= python3
export PYTHON
PROFILE ?= small
JOBS ?= 2
PACKAGE_INPUTS = pyproject.toml requirements.lock $(wildcard setup.py) $(wildcard prover/native)
FORGE = node_modules/@foundry-rs/forge-linux-amd64/bin/forge

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## virtual environment, packages, native kernel
	@tools/check_platform
	@tools/stamp python .venv/bin/python requirements.lock tools/make_venv -- tools/make_venv .venv requirements.lock
	@tools/stamp npm node_modules/snarkjs package-lock.json package.json .npmrc -- npm ci --no-progress --loglevel=error
	@tools/stamp package .venv/bin/zkmargin $(PACKAGE_INPUTS) -- \
		.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --no-index --editable .

setup-ape: setup ## the separate environment of Ape, whose pins conflict with the package's
	@tools/stamp python-ape .venv-ape/bin/ape requirements-ape.lock tools/make_venv -- tools/make_venv .venv-ape requirements-ape.lock

setup-cluster: setup ## Ray, for proofs on a cluster: 76 MB to load, 210 MB on disk
	@tools/stamp cluster .venv/bin/ray requirements.lock requirements-cluster.lock tools/add_packages -- tools/add_packages .venv requirements-cluster.lock

build: setup ## contracts, circuits and development keys of PROFILE (default small)
	@tools/stamp contracts build/forge foundry.toml tools/solc package-lock.json $(wildcard contracts/src) -- $(FORGE) build --skip test --skip script
	@.venv/bin/python -m zkmargin.proving.profile $(PROFILE)

demo: build ## replay a crash, prove every margin update, post it to a local chain, audit it
	@.venv/bin/zkmargin demo

test: build test-python test-contracts test-ape ## everything that must hold

test-python: build
	.venv/bin/python -m pytest -n $(JOBS) --dist loadgroup -m "not slow"

test-contracts: build
	$(FORGE) test

test-ape: build setup-ape
	@tools/stamp ape .build/__local__.json ape-config.yaml package-lock.json $(wildcard contracts/src) -- tools/ape compile --force
	tools/ape test contracts/ape --network ethereum:local:foundry

test-cluster: build setup-cluster ## proofs on a Ray cluster of this machine, its processes and machines killed
	.venv/bin/python -m pytest tests/proving/test_cluster.py tests/proving/test_tick_on_cluster.py

test-full: build setup-ape setup-cluster ## the long runs as well, proofs on a cluster, and the kernel sanitized
	.venv/bin/python -m pytest -n $(JOBS) --dist loadgroup
	FOUNDRY_PROFILE=full $(FORGE) test
	$(MAKE) --no-print-directory test-ape
	$(MAKE) --no-print-directory sanitize

sanitize: setup ## tests/native with the kernel built with address and undefined-behaviour sanitizers; minutes
	tests/native/sanitize --planted -m "not slow"

bench: build ## measure every claim of speed, size and cost; build/bench.json
	.venv/bin/python -m zkmargin.bench

bench-large: build ## and prove a ledger of 65,536 accounts whole, row by row into the same file
	.venv/bin/python -m zkmargin.bench large

lint: setup ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/mypy

lock: setup ## resolve requirements*.in into requirements*.lock and package.json into package-lock.json
	.venv/bin/uv pip compile --quiet --upgrade --python-version 3.11 --no-header --no-annotate --no-emit-index-url requirements.in -o requirements.lock
	.venv/bin/uv pip compile --quiet --upgrade --python-version 3.11 --no-header --no-annotate --no-emit-index-url requirements-ape.in -o requirements-ape.lock
	.venv/bin/uv pip compile --quiet --upgrade --python-version 3.11 --no-header --no-annotate --no-emit-index-url --constraints requirements.lock requirements-cluster.in -o requirements-cluster.lock
	npm install --package-lock-only

clean: ## remove what was built; packages stay
	find build -mindepth 1 -maxdepth 1 ! -name stamps -exec rm -rf {} +
	rm -rf .pytest_cache .mypy_cache .ruff_cache
