# SPDX-License-Identifier: LGPL-2.1-or-later
# The short names of everyday commands. The work is in CMake (CMakePresets.json) and in scripts/.
PREFIX  ?= /usr/local
SECONDS ?= 60
MODE    ?= v2
WERROR  ?= OFF

.PHONY: help build test test-long demo lab lab-shell bench fuzz asan lint format install uninstall clean deps

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

build: ## programs and tests, in build/dev
	@scripts/deps.sh build test bench
	@scripts/build.sh dev

test: ## everything that proves it: unit tests, this kernel, the lab, real clients
	@CGM_WERROR=$(WERROR) scripts/test.sh

test-long: ## the same with the tests labelled long, then asan and fuzz
	@CGM_WERROR=$(WERROR) scripts/test.sh --long
	@$(MAKE) --no-print-directory asan fuzz

demo: ## a plain user's cgroup with a limit that bites, in a minute
	@scripts/deps.sh build
	@scripts/build.sh release -D CGM_TESTS=OFF -D CGM_BENCH=OFF
	@scripts/demo.sh

lab: ## the host's tests on Linux 6.1 under pure v1, v2 and hybrid, and beside systemd, in virtual machines
	@scripts/test.sh lab

lab-shell: ## a shell in the lab's guest: MODE=v1|v2|hybrid|systemd, or one command there: CMD='...'
	@scripts/deps.sh lab
	@python3 -B tests/lab/lab.py shell $(MODE) $(if $(CMD),'$(subst ','\'',$(value CMD))')

bench: ## requests per second and CPU per request, beside the raw kernel work
	@scripts/deps.sh build bench
	@scripts/build.sh release -D CGM_TESTS=OFF -D CGM_BENCH=ON
	@cmake --build --preset release --target bench

fuzz: ## each fuzz target for SECONDS=60
	@scripts/deps.sh build test fuzz
	@scripts/fuzz.sh $(SECONDS)

asan: ## unit and host tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/test.sh --preset asan unit host

lint: ## layout and curated clang-tidy
	@scripts/deps.sh build test bench lint
	@python3 -B scripts/lint.py format
	@scripts/build.sh dev
	@python3 -B scripts/lint.py tidy build/dev

format: ## lay out every C++ file
	@scripts/deps.sh lint
	@python3 -B scripts/lint.py format --fix

install: ## programs, manual pages, completions: PREFIX=/usr/local DESTDIR=
	@scripts/deps.sh build
	@scripts/build.sh release -D CGM_TESTS=OFF -D CGM_BENCH=OFF -D CMAKE_INSTALL_PREFIX=$(PREFIX)
	@DESTDIR=$(DESTDIR) cmake --install build/release

uninstall: ## what `make install` installed from this tree
	@scripts/uninstall.sh build/release/install_manifest.txt "$(DESTDIR)"

clean: ## remove the build trees (the lab's kernel stays in ~/.cache/cgmanager)
	rm -rf build

deps: ## install all Debian packages that any of these needs
	@scripts/deps.sh build test bench lab lint fuzz
