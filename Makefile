.PHONY: help build demo test race lint e2e check bench soak fuzz update record

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/galbuild and bin/galshim
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

test: ## everything that needs only Go
	go test ./...

race: ## the same under the race detector
	GORACE=atexit_sleep_ms=0 go test -race ./...

lint: ## format, vet, staticcheck
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo 'run gofmt -w on these'; exit 1; }
	go vet ./...
	go vet -tags e2e ./...
	go tool staticcheck -tags e2e ./...

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/galbuild-e2e
e2e: ## the real editor, browser, web server, packager and S3 server; installs what it needs
	bash cmd/e2e/installed/install.sh $(CACHE) >/dev/null
	PATH="$(CACHE)/nginx/usr/sbin:$$PATH" go test -tags e2e -count=1 -timeout 25m -p 1 ./build/pack/... ./build/vsix/... ./render/deploy/... ./publish/bundle ./publish/s3 ./cmd/internal/galbuild ./cmd/e2e/...

check: lint test race e2e ## all of it: what continuous integration runs

BENCH ?= .
BENCHTIME ?= 0.2s
COUNT ?= 6
bench: ## benchmarks beside their floors, with ratios; builds are of made-up packages, or of those in VSIX=folder
	VSIX='$(abspath $(VSIX))' go test -tags e2e -run '^$$' -bench '$(BENCH)' -benchmem -benchtime=$(BENCHTIME) -count=$(COUNT) -timeout 0 ./index ./build/pack/... ./publish/bundle ./cmd/internal/... | tee bench.txt
	go tool benchstat -col /of bench.txt

DURATION ?= 10m
soak: ## load for DURATION while the site is replaced every second
	go test -run '^TestSoak$$' -count=1 -timeout 0 -v ./cmd -soak $(DURATION)

FUZZTIME ?= 20s
fuzz: ## every fuzzer for FUZZTIME
	@for package in $$(go list ./...); do \
	  for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
	  done; \
	done

update: ## rewrite golden files and transcripts after a wanted change
	UPDATE=1 go test ./render/... ./build/pack ./build/pack/modules ./build/vsix/manifest ./cmd -update

record: ## ask the real vsce, npm and yarn again and rewrite what was recorded of them
	go test -tags e2e -count=1 -p 1 ./build/pack ./build/pack/check ./build/pack/glob ./build/pack/ignore ./build/pack/mime ./build/pack/modules ./build/pack/npmrange ./build/pack/readme ./build/pack/secret ./build/vsix/manifest -update
