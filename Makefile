# SPDX-License-Identifier: GPL-2.0
# The tests without a kernel tree, and the proof that they are good. Inside a
# kernel tree only tools/testing/selftests/fuse is needed.

SUITE := tools/testing/selftests/fuse
OUTPUT ?= $(CURDIR)/build
override OUTPUT := $(abspath $(OUTPUT))

# One place decides how the suite is built here; $(1): goals and variables.
suite = dir=$$(host/provision) && $(MAKE) --no-print-directory -C $(SUITE) KSFT_DIR="$$dir" $(1)
programs_of = $(call suite,-s OUTPUT=$(1) COLLECTION=fuse emit_tests | cut -d: -f2 >$(1)/programs.list)

all: programs

help:
	@sed 's/^/  /' host/help.txt

programs:
	@host/need build
	@mkdir -p $(OUTPUT)
	+@$(call suite,OUTPUT=$(OUTPUT) all)
	+@$(call programs_of,$(OUTPUT))

# Programs that run anywhere: no shared library is needed in a guest.
static:
	@host/need build
	@mkdir -p $(OUTPUT)
	+@$(call suite,OUTPUT=$(OUTPUT) USERLDFLAGS="-static $(USERLDFLAGS)" all)
	+@$(call programs_of,$(OUTPUT))

# T: one or more programs, all of them by default.
run: programs
	@host/run $(OUTPUT) $(T)

# Everything that proves the project; single scripts of check/ run by themselves.
test:
	@check/all

lint sanitize:
	@check/$@

# The bug the suite was born from, its fix, the objection: five kernels, one table.
seed:
	@host/need build vm kernel
	@kernels/seed.py

# Does the suite notice when the kernel is broken? M: some mutants, all by default;
# MUTANT_OPTIONS: see mutants/run --help.
mutants:
	@host/need build vm kernel cocci
	@mutants/run --out $(OUTPUT)/mutants $(MUTANT_OPTIONS) $(M)

# Which lines of the kernel does the suite reach?
coverage:
	@host/need build vm kernel coverage
	@mutants/coverage --out $(OUTPUT)/coverage

# fio verifies mounts of every backing file system, on more data than in `make run`.
FUSE_FIO_MIB ?= 16
fio: programs
	@host/need fio
	@FUSE_FIO_MIB=$(FUSE_FIO_MIB) host/run $(OUTPUT) fio_verify

# How fast passthrough is beside its backing file system; BENCH_OPTIONS: see bench/run --help.
bench: programs
	@host/need fio plot
	@bench/run --build $(OUTPUT) $(BENCH_OPTIONS)

# Random histories for EXPLORE_SECONDS on each backing file system, from EXPLORE_SEED on:
# one test of `histories`, given more time than it has in `make run`.
EXPLORE_SECONDS ?= 120
EXPLORE_SEED ?= $(shell date +%s)
explore: programs
	@FUSE_EXPLORE_SECONDS=$(EXPLORE_SECONDS) FUSE_EXPLORE_SEED=$(EXPLORE_SEED) \
		kselftest_override_timeout=$$((5 * ($(EXPLORE_SECONDS) + 120))) \
		host/run $(OUTPUT) histories -- -t drawn_at_random_find_nothing

# Explorer and fsx on the same kind of mount: FSX=/path/to/fsx
bench-explore: programs
	@$(call suite,OUTPUT=$(OUTPUT) FSX="$(FSX)" $@)

# The explorer on the kernel with the bug (KERNEL=/path/to/linux), and on known deviations.
explore-yanwu: programs
	@$(call suite,OUTPUT=$(OUTPUT) KERNEL="$(KERNEL)" $@)

explore-deviations: programs
	@$(call suite,OUTPUT=$(OUTPUT) $@)

# Fuzz the reader of traces for FUZZ_SECONDS.
fuzz-trace:
	@mkdir -p $(OUTPUT)
	@$(call suite,OUTPUT=$(OUTPUT) $@)

# docs/results.md, measured anew: rules x kernels x backing file systems.
# TABLE_FROM: directories with the results of earlier runs instead.
TABLE_FROM ?=
ifeq ($(TABLE_FROM),)
table: programs
	-@host/run $(OUTPUT) >/dev/null
	-@./run_vm.sh --out $(OUTPUT)/table/6.12 >/dev/null
	-@./run_vm.sh --deb 6.1 --out $(OUTPUT)/table/6.1 >/dev/null
	@host/table docs/results.md $(OUTPUT)/results $(OUTPUT)/table/6.12 $(OUTPUT)/table/6.1
else
table:
	@host/table docs/results.md $(TABLE_FROM)
endif

.PHONY: fio bench table explore bench-explore fuzz-trace explore-yanwu explore-deviations

clean:
	@rm -rf $(CURDIR)/build

.PHONY: all help programs static run test lint sanitize seed mutants coverage clean
