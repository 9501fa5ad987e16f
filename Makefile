.PHONY: help build demo test race portable lint components e2e check bench soak worst fuzz update record dist

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# $(call needs,PROGRAM,HINT): fails with one line where the program is missing.
needs = command -v $(1) >/dev/null || { echo '$(1) is missing: $(2)' >&2; exit 1; }
needs-go = $(call needs,go,install Go as https://go.dev/doc/install says)

build: ## bin/galbuild and bin/galshim
	@$(needs-go)
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/galbuild ./cmd/galshim

VSIX ?=
LISTEN ?= 127.0.0.1:8080
demo: build ## a gallery of the sample extensions, or of VSIX=folder, served on LISTEN
	@mkdir -p demo/vsix
	@[ -n "$(VSIX)" ] || for folder in testdata/samples/*/; do bin/galbuild package -q "$$folder" -o demo/vsix || exit 1; done
	-bin/galbuild $(if $(VSIX),'$(VSIX)',demo/vsix) -o demo/site
	@bin/galbuild config code-server --base-url http://$(LISTEN)
	@echo
	@echo "The gallery: http://$(LISTEN)/   (Ctrl-C ends it)"
	bin/galshim --index demo/site --listen $(LISTEN)

# The packages that test and race test, and the only tests that race runs.
TESTED := ./...
RUN := .
test: ## everything that needs only Go
	@$(needs-go)
	go test -timeout 25m $(TESTED)

race: ## the same under the race detector
	@$(needs-go)
	@$(call needs,$(or $(firstword $(shell go env CC 2>&1)),gcc),the race detector needs a C compiler; apt-get install gcc libc6-dev)
	GORACE=atexit_sleep_ms=0 go test -race -timeout 25m -run '$(RUN)' $(TESTED)

# No file is excluded by the tag e2e, so vet reads all of them at once.
portable: ## the code for systems without mmap and without file handles of folders, such as Windows
	@$(needs-go)
	go test -tags portable ./build/blob ./index/internal/mmap

lint: ## format, vet, staticcheck, known vulnerabilities
	@$(needs-go)
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these'; exit 1; }
	go vet -tags e2e ./...
	go tool staticcheck -tags e2e ./...
	.ci/govulncheck

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/galbuild-e2e
components: ## install the editor, browser, web server and packager for e2e into ~/.cache/galbuild-e2e
	bash cmd/e2e/toolchain/install.sh '$(CACHE)' >/dev/null

# MASKED runs a command as on a new machine: without the system's own nginx, node and so on.
MASKED = bash cmd/e2e/toolchain/masked.sh '$(CACHE)'
e2e: components ## tests with the real editor, browser, web server, packager and S3 server
	packages=$$(.ci/packages e2e) && tests=$$(.ci/packages e2e-tests) && \
		$(MASKED) go test -tags e2e -count=1 -timeout 25m -p 2 -run "$$tests" $$packages

# The first line runs two steps at once: one waits for the network while the other computes.
# Each test runs once. The race detector, with which tests take three times as long, is used for
# packages that start goroutines. The scripts of ./cmd start the programs thousands of times, so of
# that package it is used for the commands in the documents only, and not for cmd/internal/galbuild,
# whose goroutines only show progress. Add steps that need only Go, and take less than two minutes,
# to the last of the lines with MASKED.
check: ## all of it: what continuous integration runs
	$(MAKE) -j 2 lint components
	$(MASKED) $(MAKE) race TESTED="$$(.ci/packages concurrent | grep -vx $(UNRACED) | xargs)"
	$(MASKED) $(MAKE) race TESTED=./cmd RUN=TestTranscripts
	$(MASKED) $(MAKE) test TESTED="./cmd $(UNRACED) $$(.ci/packages sequential | xargs)"
	$(MASKED) $(MAKE) portable
	$(MAKE) e2e

UNRACED := galbuild/cmd/internal/galbuild

BENCH ?= .
BENCHTIME ?= 0.2s
COUNT ?= 6
bench: ## benchmarks next to their lower bounds, with ratios; builds are of generated packages, or of those in VSIX=folder
	packages=$$(.ci/packages bench) && VSIX="$$([ -z '$(VSIX)' ] || realpath '$(VSIX)')" \
		go test -tags e2e -run '^$$' -bench '$(BENCH)' -benchmem -benchtime=$(BENCHTIME) -count=$(COUNT) -timeout 0 $$packages | tee bench.txt
	go tool benchstat -col /of bench.txt

DURATION ?= 10m
soak: ## load for DURATION while the site is replaced every second
	go test -run '^TestSoak$$' -count=1 -timeout 0 -v ./cmd -soak $(DURATION)

WORST ?= 20s
SEED ?= 1
worst: ## search for WORST (a time), beginning with SEED, for the request that costs galshim most
	go test -run '^TestWorst$$' -count=1 -timeout 0 -v ./index -worst $(WORST) -worst-seed $(SEED)

FUZZTIME ?= 20s
fuzz: ## every fuzzer for FUZZTIME
	@$(needs-go)
	.ci/fuzz $(FUZZTIME)

PACKAGES ?=
update: ## rewrite golden files after an intended change, of all packages or of PACKAGES=./render/deploy
	packages=$${PACKAGES:-$$(.ci/packages update)} && go test $$packages -update

record: ## run the real vsce, npm and yarn again, and rewrite the recorded results, of all packages or of PACKAGES
	packages=$${PACKAGES:-$$(.ci/packages record)} && go test -tags e2e -count=1 -p 1 $$packages -update

PLATFORMS ?=
dist: ## the files of a release in the folder dist, for all platforms or for PLATFORMS="linux/amd64 windows/arm64"
	@$(needs-go)
	.ci/dist dist $(PLATFORMS)
