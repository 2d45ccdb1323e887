# Countersign. `make help` lists the verbs; each works on a fresh clone.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
TOOLS := $(TARGET)/tools
CARGO_DENY_VERSION := 0.20.2

.PHONY: help demo controlplane build bench bench-path test lint fmt check-pure deny bless doc ci

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: controlplane ## A real API server, a kubelet-shaped request: watch it go Pending, Approved, Issued
	$(CARGO) build --locked --quiet --package controller
	$(CARGO) run --locked --quiet --package countersign-e2e --bin demo

controlplane: ## Build etcd, kube-apiserver, kube-controller-manager, kubelet and kubectl for the tests (once)
	tests/controlplane/build.sh

build: ## Build countersign, optimised, into target/release
	COUNTERSIGN_COMMIT=$$(git rev-parse --short HEAD) $(CARGO) build --locked --release --package controller

bench: controlplane build ## Measure beside kube-controller-manager on one API server; BENCH="storm --pairs 2" for a part
	$(CARGO) build --locked --release --package countersign-bench
	$(TARGET)/release/countersign-bench run --out $(TARGET)/bench $(BENCH)

bench-path: ## Measure the path from a request to its certificate beside the cryptography in it
	$(CARGO) bench --locked --package countersign-bench --bench issuance

test: controlplane ## Run every test, those against a real control plane included
	tests/controlplane/build.sh test
	$(CARGO) build --locked --package controller
	$(CARGO) test --locked --workspace

lint: ## Formatting and clippy, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- --deny warnings

fmt: ## Format the Rust code
	$(CARGO) fmt --all

check-pure: ## Check that no crate depends on what its place forbids
	.ci/check-pure

deny: $(TOOLS)/bin/cargo-deny ## Check bans, licences and sources; with ADVISORIES=1 the advisory database too
	$(TOOLS)/bin/cargo-deny --locked check bans licenses sources $(if $(ADVISORIES),advisories)

$(TOOLS)/bin/cargo-deny:
	$(CARGO) install cargo-deny --version $(CARGO_DENY_VERSION) --locked --debug --root $(TOOLS)

bless: ## Write the generated documents and golden files anew, then look at the diff
	BLESS=1 $(CARGO) test --locked --package approver --package config --package controller --package csr --package engine --package signer

doc: ## Build the API documentation
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items

ci: ## What the continuous integration runs
	.ci/run
