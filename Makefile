# SPDX-License-Identifier: LGPL-2.1-or-later
# The short names of everyday commands. The work is in CMake (CMakePresets.json) and in scripts/.
PREFIX  ?= /usr/local
SECONDS ?= 60
MODE    ?= v2
WERROR  ?= OFF

.PHONY: help build test test-long demo lab lab-shell bench fuzz asan lint format install uninstall clean deps

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

lab-shell: ## a shell in the lab's guest: MODE=v1|v2|hybrid, or one command there: CMD='...'
	@scripts/deps.sh lab
	@python3 -B tests/lab/lab.py shell $(MODE) $(if $(CMD),'$(subst ','\'',$(CMD))')
