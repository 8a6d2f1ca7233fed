# The commands of this project; `make help` lists them. Variables can be set on the command line, such as
# make test TESTFLAGS=-race

GO         ?= go
TESTFLAGS  ?=
PACKAGES   ?= ./...
BENCHTIME  ?= 100x
FUZZTIME   ?= 20s
MINIMIZE   ?= 1s
RUNS       ?= 200
MUTANTS    ?= all
TOPOLOGIES ?= 200
SEED       ?= 0

.DEFAULT_GOAL := help

.PHONY: build
build: ## build the static binary bin/harness, which needs no other file
	CGO_ENABLED=0 $(GO) build -buildvcs=auto -trimpath -ldflags '-s -w' -o bin/harness ./harness

.PHONY: run
run: ## run the whole catalogue on this kernel (the same as: go run ./harness)
	$(GO) run ./harness

.PHONY: test
test: ## run all tests in random order, as root or as an ordinary user; PACKAGES for some of them
	$(GO) test -shuffle=on $(TESTFLAGS) $(PACKAGES)

.PHONY: bare
bare: ## run the harness and the tests with programs hidden, as on a machine that lacks them (as root)
	.ci/bare

.PHONY: box
box: ## make bin/netnscheck.box, a Vagrant box for libvirt that needs no network (as root, on Debian)
	.ci/box

.PHONY: vagrant-test
vagrant-test: ## try the Vagrantfile with that box in a real virtual machine, emulated without KVM (as root)
	.ci/vagrant

.PHONY: dist
dist: ## make what a release has, in dist, and try it: archives, packages, sums (as root, on Debian; takes minutes)
	.ci/dist

.PHONY: bench
bench: ## measure the speed: labs against a shell script, stars of up to 1,000 namespaces, whole runs, learners' labs
	$(GO) test -run '^$$' -bench 'Tutorial|Direct' -benchtime $(BENCHTIME) ./harness/lab
	$(GO) test -run '^$$' -bench 'Cycles' -benchtime 1x ./harness/lab
	$(GO) test -run '^$$' -bench 'Live' -benchtime $(BENCHTIME) ./harness/lab
	$(GO) test -run '^$$' -bench 'Star' -benchtime 3x -timeout 30m ./harness/lab
	$(GO) test -run '^$$' -bench 'FirstSpec|WholeRun' -benchtime 10x ./harness
	$(GO) test -run '^$$' -bench 'LabStart|LabGreen|LabCheck' -benchtime $(BENCHTIME) ./harness
	$(GO) test -run '^$$' -bench 'LabsTogether' -benchtime 5x ./harness
	$(GO) test -run '^$$' -bench 'LabAtRest' -benchtime 60x ./harness
	$(GO) test -run '^$$' -bench . ./harness/internal/observe
	$(GO) test -run '^$$' -bench . -benchtime 20x ./harness/state/drawing

.PHONY: mutants
mutants: ## break the lab behind every check of the catalogue, which has to turn red; MUTANTS=ID for one scenario
	@$(GO) test -c -o bin/mutants.test ./harness/lab
	@cd harness/lab && ../../bin/mutants.test -test.timeout 60m -test.parallel 12 -test.run '^TestMutants$$' \
	  -mutants $(MUTANTS) # most of the time is waiting

.PHONY: diagnose-score
diagnose-score: ## break random networks and print how often the diagnosis is right; TOPOLOGIES=200, SEED=N
	@$(GO) test -v -count=1 -timeout 60m -run '^TestProperty' ./harness/diagnose/proof \
	  -args -topologies $(TOPOLOGIES) -seed $(SEED)

.PHONY: diagnose-capture
diagnose-capture: ## capture a state for each cause from this kernel, for the tests without a kernel
	@mkdir -p harness/diagnose/testdata
	@$(GO) test -v -count=1 -run '^TestCapture$$' ./harness/diagnose/proof -args -capture | \
	while read -r mark name state; do case "$$mark" in \
	  captured) printf '%s\n' "$$state" >harness/diagnose/testdata/$$name.json;; \
	  ---) echo "$$mark $$name $$state";; \
	  FAIL) exit 1;; \
	esac; done
	@$(GO) test ./harness/diagnose -args -update

.PHONY: kernels
kernels: build ## play the whole catalogue on the kernels of kernels.yaml, in qemu; about 45 minutes in emulation
	bin/harness vm --output results/kernels

.PHONY: features
features: build ## try the features of the kernels of kernels.yaml, in qemu, and write features.yaml
	bin/harness vm --features --output results/kernels

.PHONY: coverage
coverage: ## print where each measured failure mode is encoded; fails if one is missing
	@$(GO) run ./docs/generate -cases

.PHONY: docs
docs: ## write docs/*.md and scenarios/catalogue.json as far as they are made from the scenarios and the code
	$(GO) run ./docs/generate

.PHONY: pictures
pictures: ## take README's pictures anew, screens of the real program, into docs/pictures
	$(GO) test -count=1 -run '^TestPictures$$' ./harness/internal/session/proof -update
	$(GO) test -count=1 -run '^TestPageOfALie$$' ./harness -picture

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (20s), with at most MINIMIZE (1s) to minimize an input
	@set -e; for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime $(MINIMIZE) $$package; \
	  done; \
	done

.PHONY: soak
soak: ## run everything RUNS times (200) in random orders under load, then diagnose 2,000 random networks
	$(GO) test -count=1 -timeout 0 -v -run '^TestSoak$$' ./harness -soak $(RUNS)
	$(MAKE) diagnose-score TOPOLOGIES=2000

.PHONY: lint
lint: ## gofmt, go vet, staticcheck, and golangci-lint where it is installed
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt wants to change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run; \
	else echo "golangci-lint is not installed: left out"; fi

.PHONY: tidy
tidy: ## update go.mod and go.sum, here and in docs/example-suite
	$(GO) mod tidy
	cd docs/example-suite && $(GO) mod tidy

.PHONY: clean
clean: ## remove bin, dist and results
	rm -rf bin dist results

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
