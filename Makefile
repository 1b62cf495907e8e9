GO ?= go

# Every tool is pinned here and nowhere else, but for the newest Prometheus: it needs a module
# of its own, e2e/latest, and v0.315.0 there is 3.15.0.
GOLANGCI_LINT_VERSION := v2.15.0
GOTESTSUM_VERSION     := v1.13.0
ACTIONLINT_VERSION    := v1.7.12
BENCHSTAT_VERSION     := v0.0.0-20260908200009-22c9c6c9d4da
ALERTMANAGER_VERSION  := v0.31.1
GORELEASER_VERSION    := v2.16.0
CYCLONEDX_VERSION     := v1.10.0
PROMETHEUS_VERSION    := $(shell sed -nE 's|.*github.com/prometheus/prometheus v0\.([0-9])0?([0-9]+)\.([0-9]+).*|\1.\2.\3|p' e2e/latest/go.mod)

# The revision comes from the ldflags below. Stamping by the go command as well would fail
# in a checkout that belongs to another user and in a repository without commits.
GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -buildvcs=false)
export GOFLAGS

VERSION    = $(shell cat VERSION)
REVISION   = $(shell git rev-parse --quiet --verify HEAD 2>/dev/null || echo unknown)
BRANCH     = $(shell git symbolic-ref --quiet --short HEAD 2>/dev/null || echo unknown)
BUILD_USER = $(shell whoami 2>/dev/null || echo unknown)@$(shell uname -n)
# GNU date takes -d, BSD date -r.
BUILD_TIME = $(or $(SOURCE_DATE_EPOCH),$(shell date +%s))
BUILD_DATE = $(shell date -u -d @$(BUILD_TIME) +%Y%m%d-%H:%M:%S 2>/dev/null || date -u -r $(BUILD_TIME) +%Y%m%d-%H:%M:%S)

VERSION_PKG := github.com/prometheus/common/version
LDFLAGS = -s -w \
	-X $(VERSION_PKG).Version=$(VERSION) \
	-X $(VERSION_PKG).Revision=$(REVISION) \
	-X $(VERSION_PKG).Branch=$(BRANCH) \
	-X $(VERSION_PKG).BuildUser=$(BUILD_USER) \
	-X $(VERSION_PKG).BuildDate=$(BUILD_DATE)

BINARY     = wolkvox_exporter$(shell $(GO) env GOEXE)
PKGS      ?= ./...
MODULES   := e2e examples examples/vmagent internal/bench/growth
TESTFLAGS ?=
DEMOFLAGS ?=

ARCH       ?= $(shell $(GO) env GOARCH)
IMAGE      ?= wolkvox_exporter:$(VERSION)
IMAGEFLAGS ?=
BUILDER    ?= $(shell command -v buildah || command -v docker)

# A tool's file carries its version and Go's, so a change of either fetches it again:
# golangci-lint refuses code for a newer Go than its own.
BIN           := .cache/bin
GO_VERSION    := $(shell $(GO) env GOVERSION)
GOLANGCI_LINT := $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)-$(GO_VERSION)
GOTESTSUM     := $(BIN)/gotestsum-$(GOTESTSUM_VERSION)-$(GO_VERSION)
ACTIONLINT    := $(BIN)/actionlint-$(ACTIONLINT_VERSION)-$(GO_VERSION)
BENCHSTAT     := $(BIN)/benchstat-$(BENCHSTAT_VERSION)-$(GO_VERSION)
GORELEASER    := $(BIN)/goreleaser-$(GORELEASER_VERSION)-$(GO_VERSION)
CYCLONEDX     := $(BIN)/cyclonedx-gomod-$(CYCLONEDX_VERSION)-$(GO_VERSION)

DEBIAN            := .cache/debian
ALERTMANAGER_FILE := $(BIN)/alertmanager-$(ALERTMANAGER_VERSION)-$(GO_VERSION)
AMTOOL_FILE       := $(BIN)/amtool-$(ALERTMANAGER_VERSION)-$(GO_VERSION)
LATEST_PROMETHEUS := $(BIN)/prometheus-$(PROMETHEUS_VERSION)-$(GO_VERSION)
LATEST_PROMTOOL   := $(BIN)/promtool-$(PROMETHEUS_VERSION)-$(GO_VERSION)

# Tests run these programs and never those on the PATH, so that a test does the same on every machine.
# The environment can name others.
export ALERTMANAGER    ?= $(CURDIR)/$(ALERTMANAGER_FILE)
export AMTOOL          ?= $(CURDIR)/$(AMTOOL_FILE)
export PROMETHEUS      ?= $(CURDIR)/$(DEBIAN)/usr/bin/prometheus
export PROMTOOL        ?= $(CURDIR)/$(DEBIAN)/usr/bin/promtool
export SYSTEMD_ANALYZE ?= $(CURDIR)/$(DEBIAN)/systemd-analyze
export POSTGRES_BIN    ?= $(CURDIR)/$(DEBIAN)
export PGBOUNCER       ?= $(CURDIR)/$(DEBIAN)/pgbouncer

.DEFAULT_GOAL := help
.PHONY: help build test unit blackbox whole programs e2e modules e2e-latest torture fuzz bench bench-compare growth plots lint fmt dashboards demo image release-snapshot release-check release clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

build: ## compile ./wolkvox_exporter, static; GOOS and GOARCH cross-compile, BINARY=... names the file
	@echo "building $(BINARY) $(VERSION) for $$($(GO) env GOOS)/$$($(GO) env GOARCH)"
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BINARY) .

# The race detector is tried, not guessed: a compiler without the C library's headers, or a
# platform that cannot do it, shows here and not in the middle of the tests.
# It makes simulations seven times slower. Where it works, all tests but the black-box ones run with it
# and with -short, and the packages that have a test that reads testing.Short run again in full without it.
# Two at a time: tests of the other modules mostly wait.
# -count=1: a cached result is not a test that ran. -vet=off: make lint runs vet with more analyzers.
WHOLE = $(filter ./...,$(PKGS))
SHORTENED = $(sort $(dir $(shell grep -rlF --include='*_test.go' 'testing.Short()' ./collector ./internal ./wolkvox)))
go_test = $(CURDIR)/$(GOTESTSUM) --format pkgname --format-icons text --format-hide-empty-pkg \
	--jsonfile $(CURDIR)/.cache/$(1).json -- -count=1 -vet=off -shuffle=on -timeout=20m $(TESTFLAGS)

test: $(GOTESTSUM) $(if $(WHOLE),programs) ## run every test, with the race detector where it works
	@mkdir -p .cache/race
	@printf 'package main\n\nfunc main() {}\n' >.cache/race/main.go
	@race=; \
	if $(GO) run -race $(WITHOUT_CHECKPTR) .cache/race/main.go >/dev/null 2>&1; then \
		race=-race; echo "race detector: on"; \
	else \
		echo "race detector: off, it needs cgo and a working C compiler"; \
	fi; \
	$(MAKE) --no-print-directory --keep-going -j2 RACE=$$race unit $(if $(WHOLE),blackbox modules $${race:+whole})

# -race turns on checkptr, which checks the use of unsafe.Pointer. The program does not use it, and
# checkptr takes a tenth of the time. In GOFLAGS, because tests build the program with -race as well.
WITHOUT_CHECKPTR := -gcflags=all=-d=checkptr=0
# A process with the race detector waits a second before it ends, and tests start hundreds.
unit blackbox: export GORACE = atexit_sleep_ms=0
unit: GOFLAGS += $(if $(RACE),$(WITHOUT_CHECKPTR))
unit: $(GOTESTSUM)
	@mkdir -p .cache
	@rc=0; $(call go_test,test) $(RACE) $(if $(WHOLE),$(RACE:-race=-short) $$($(GO) list ./... | grep -v '/test$$'),$(PKGS)) || rc=$$?; \
	$(GOTESTSUM) tool slowest --jsonfile .cache/test.json --threshold 5s | sed -n '1,5s/^/slow: /p'; \
	exit $$rc

# The program under test has the race detector; the tests themselves, most of whose time is the fake
# API's, do not. They mostly wait, so more of them run at once than there are processors.
blackbox: $(GOTESTSUM)
	@mkdir -p .cache
	@TEST_BUILD_FLAGS='$(if $(RACE),$(RACE) $(WITHOUT_CHECKPTR))' $(call go_test,blackbox) $(RACE:-race=-short) -parallel=5 ./test

whole: $(GOTESTSUM)
	@mkdir -p .cache
	@$(call go_test,whole) $(SHORTENED)

# Each program is cached. One that cannot be had costs the tests that need it, not all the others.
programs: ## fetch the programs that tests run: Prometheus, PostgreSQL, PgBouncer and systemd-analyze from Debian, Alertmanager from its module
	@sh e2e/debian.sh $(CURDIR)/$(DEBIAN)
	@$(MAKE) --no-print-directory --silent $(ALERTMANAGER_FILE) $(AMTOOL_FILE) || \
		echo "no Alertmanager $(ALERTMANAGER_VERSION): tests that need it are skipped"

# MODULES are modules of their own. What e2e finds out about the figures is shown.
define test_e2e
rc=0; \
for module in $(MODULES); do \
	(cd $$module && $(call go_test,$${module##*/}) ./...) || rc=$$?; \
	sed -n 's/.*"Output":" *[a-z_]*_test.go:[0-9]*: \(Prometheus [0-9].*\)\\n".*/\1/p' .cache/$${module##*/}.json; \
done; \
exit $$rc
endef

e2e: $(GOTESTSUM) programs ## run the tests of rules, dashboards and examples, and those with a real Prometheus and Alertmanager
	@$(MAKE) --no-print-directory modules

modules: $(GOTESTSUM)
	@mkdir -p .cache
	@$(test_e2e)

e2e-latest: $(GOTESTSUM) programs $(LATEST_PROMETHEUS) $(LATEST_PROMTOOL) ## the same with the newest Prometheus, built first, which takes minutes
	@export E2E_REQUIRED=1 PROMETHEUS=$(CURDIR)/$(LATEST_PROMETHEUS) PROMTOOL=$(CURDIR)/$(LATEST_PROMTOOL); $(test_e2e)

# One package after the other, and no race detector: some of it is about memory. What the
# tests measured is shown, the rest is in .cache/torture.json.
torture: $(GOTESTSUM) programs ## run the long tests as well, about half an hour; TORTURE_SEED=... repeats a run
	@mkdir -p .cache
	@TORTURE=1 $(GOTESTSUM) --format standard-verbose --format-hide-empty-pkg --jsonfile .cache/torture.json \
		-- -count=1 -p=1 -timeout=2h $(TESTFLAGS) $(PKGS) >.cache/torture.log 2>&1; rc=$$?; \
	grep -E '^ *(--- FAIL|[a-z_]+_test\.go:[0-9]+:|ok |FAIL|panic:|DONE)' .cache/torture.log; exit $$rc

FUZZTIME ?= 10m
# A worker more than one would share the machine's memory with what the inputs claim.
fuzz: ## run every fuzz target for FUZZTIME (10m) each
	@for package in $$($(GO) list $(PKGS)); do \
		for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$target ($$package)"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -parallel 1 $$package || exit 1; \
		done; \
	done

BENCH ?= .
benchmark = $(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME)

bench: BENCHTIME ?= 1x
bench: ## run every benchmark once; LARGE=1 adds the sizes that take minutes, BENCH, BENCHTIME and PKGS choose
	@$(benchmark) $(PKGS)

# By turns, as a machine's other work changes while they run.
bench-compare: COUNT ?= 10
bench-compare: BENCHTIME ?= 100ms
bench-compare: $(BENCHSTAT) ## compare the benchmarks of BASE=revision with those here, COUNT (10) times each
	$(if $(BASE),,$(error make bench-compare needs BASE=revision))
	@rm -rf .cache/bench && git worktree prune && git worktree add --quiet --detach .cache/bench/tree $(BASE)
	@for n in $$(seq $(COUNT)); do \
		echo "run $$n of $(COUNT)"; \
		(cd .cache/bench/tree && $(benchmark) $(PKGS)) >>.cache/bench/base || { cat .cache/bench/base; exit 1; }; \
		$(benchmark) $(PKGS) >>.cache/bench/head || { cat .cache/bench/head; exit 1; }; \
	done
	@git worktree remove .cache/bench/tree
	@cd .cache/bench && $(CURDIR)/$(BENCHSTAT) base head

growth: PKGS := ./internal/bench ./collector ./test
growth: BENCH := Poll|Save|Load|LabelSets|Operations
growth: BENCHTIME := 10s
growth: ## measure how costs grow and show it in docs/performance.md: twenty minutes and 4 GB
	@mkdir -p .cache
	@LARGE=1 $(benchmark) $(PKGS) >.cache/growth.txt || { cat .cache/growth.txt; exit 1; }
	@mv .cache/growth.txt docs/growth/benchmarks.txt
	@$(MAKE) --no-print-directory plots

plots: ## make the tables of docs/performance.md and the plots of docs/growth/benchmarks.txt
	@cd internal/bench/growth && $(GO) run . $(CURDIR)/docs

# That the tests of e2e do not need every exclusion is no fault: it would say so, unasked.
lint: $(GOLANGCI_LINT) $(ACTIONLINT) ## run the linters, check the formatting and the style of names and prose
	$(GOLANGCI_LINT) run --allow-serial-runners
	@mkdir -p .cache
	for module in $(MODULES); do \
		(cd $$module && $(CURDIR)/$(GOLANGCI_LINT) run --allow-serial-runners) 2>.cache/lint.log || { cat .cache/lint.log; exit 1; }; \
	done
	$(ACTIONLINT) -shellcheck= -pyflakes= .github/workflows/*.yml
	$(GO) test -count=1 -vet=off -run '^TestStyle_' ./test

fmt: $(GOLANGCI_LINT) ## format the code
	$(GOLANGCI_LINT) fmt
	for module in $(MODULES); do (cd $$module && $(CURDIR)/$(GOLANGCI_LINT) fmt) || exit 1; done

dashboards: ## make dashboards/*.json of their source, and copy them and the rules into the chart
	$(GO) run ./dashboards/generate
	sh charts/copy.sh

demo: build ## run the exporter against a built-in wolkvox; DEMOFLAGS=... adds flags
	./$(BINARY) demo $(DEMOFLAGS)

# The binary goes where `promu crossbuild` puts its own, so that one Dockerfile serves both.
image: ## build a container image with buildah, or docker where there is none; ARCH=... for another machine
	$(if $(BUILDER),,$(error make image needs buildah or docker))
	@GOOS=linux GOARCH=$(ARCH) $(MAKE) --no-print-directory build BINARY=.build/linux-$(ARCH)/wolkvox_exporter
	$(BUILDER) build --platform linux/$(ARCH) --build-arg ARCH=$(ARCH) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) \
		-t $(IMAGE) $(IMAGEFLAGS) .

# The tools take minutes the first time.
release_env = export TZ=UTC SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) COMMIT_DATE=$$(TZ=UTC git log -1 --date=format-local:%FT%TZ --format=%cd) \
	VERSION=$(VERSION) REVISION=$(REVISION) BRANCH=$(BRANCH) CYCLONEDX_GOMOD=$(CURDIR)/$(CYCLONEDX) GOFLAGS=;
release-snapshot: $(GORELEASER) $(CYCLONEDX) ## make all files of a release in dist, without a tag: archives, packages, SBOMs, images
	@$(release_env) $(GORELEASER) release --snapshot --clean --skip=sign
	@sh packaging/image.sh $(VERSION)-snapshot

# It must be root, as it installs the packages in a folder of its own.
release-check: release-snapshot ## the same, and install, upgrade and purge the package in a fresh Debian (needs root and debootstrap)
	@$(GO) test -count=1 -vet=off -tags release ./packaging
	@bash packaging/check.sh

release: $(GORELEASER) $(CYCLONEDX) ## publish the tag of this commit as a draft: .github/workflows/release.yml runs it
	@$(release_env) $(GORELEASER) release --clean
	@sh packaging/image.sh $(VERSION)

clean: ## remove what was built; the tools and programs in .cache stay
	rm -rf wolkvox_exporter wolkvox_exporter.exe .build .tarballs dist .cache/race .cache/test.json .cache/blackbox.json .cache/whole.json .cache/e2e.json .cache/examples.json .cache/vmagent.json .cache/growth.json .cache/growth.txt .cache/lint.log .cache/torture.json .cache/torture.log .cache/bench

# fetch: name, version, package. The product's GOOS, GOARCH and GOFLAGS are not the tool's.
define fetch
@echo "fetching $(1) $(2) into $(BIN)"
@rm -f $(BIN)/$(1)-*
@GOOS= GOARCH= GOFLAGS= CGO_ENABLED=0 GOBIN=$(CURDIR)/$(BIN) $(GO) install $(3)@$(2)
@mv $(BIN)/$(1) $@
endef

$(GOLANGCI_LINT):
	$(call fetch,golangci-lint,$(GOLANGCI_LINT_VERSION),github.com/golangci/golangci-lint/v2/cmd/golangci-lint)

$(GOTESTSUM):
	$(call fetch,gotestsum,$(GOTESTSUM_VERSION),gotest.tools/gotestsum)

$(ACTIONLINT):
	$(call fetch,actionlint,$(ACTIONLINT_VERSION),github.com/rhysd/actionlint/cmd/actionlint)

$(BENCHSTAT):
	$(call fetch,benchstat,$(BENCHSTAT_VERSION),golang.org/x/perf/cmd/benchstat)

$(GORELEASER):
	$(call fetch,goreleaser,$(GORELEASER_VERSION),github.com/goreleaser/goreleaser/v2)

$(CYCLONEDX):
	$(call fetch,cyclonedx-gomod,$(CYCLONEDX_VERSION),github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod)

$(ALERTMANAGER_FILE):
	$(call fetch,alertmanager,$(ALERTMANAGER_VERSION),github.com/prometheus/alertmanager/cmd/alertmanager)

$(AMTOOL_FILE):
	$(call fetch,amtool,$(ALERTMANAGER_VERSION),github.com/prometheus/alertmanager/cmd/amtool)

$(LATEST_PROMETHEUS) $(LATEST_PROMTOOL): $(BIN)/%-$(PROMETHEUS_VERSION)-$(GO_VERSION):
	@echo "building $* $(PROMETHEUS_VERSION) into $(BIN)"
	@mkdir -p $(BIN)
	@rm -f $(BIN)/$*-*
	@cd e2e/latest && GOOS= GOARCH= GOFLAGS=-buildvcs=false $(GO) build -ldflags '-s -w -X $(VERSION_PKG).Version=$(PROMETHEUS_VERSION)' \
		-o $(CURDIR)/$@ github.com/prometheus/prometheus/cmd/$*
