# make demo, make test: all that a newcomer needs. `make help` lists the rest.
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 1
GO ?= go
LINT = $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: setup ## run the demo: two phones on a web page; ARGS="--play FILE..." plays chats
	$(GO) run ./cmd/nongxun demo $(ARGS)

test: setup-tests ## every test, with the race detector
	$(GO) vet ./...
	$(GO) test -race -timeout 20m ./...

build: ## bin/nongxun
	$(GO) build -trimpath -o bin/nongxun ./cmd/nongxun

lint: ## golangci-lint (gofumpt, depguard …)
	$(LINT) run ./...

fmt: ## format the code
	$(LINT) fmt ./...

bench: setup-tests ## the figures of docs/performance.md
	$(GO) test -run '^$$' -bench . -benchmem ./...
	cd content/reading/gsebench && $(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## each fuzz target for a minute
	./scripts/fuzz.sh

setup: ## install what is missing (PostgreSQL, Chromium, a Chinese font)
	@./scripts/setup.sh

setup-tests: ## and what only tests need (Kannel, tshark, the npm package smpp)
	@./scripts/setup.sh tests

.PHONY: help demo test build lint fmt bench fuzz setup setup-tests
