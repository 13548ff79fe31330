#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the FUSE passthrough tests on a kernel in a virtual machine: see --help.
# This file is the order of events; each part has its file in vm/.
set -euo pipefail

TOP=$(dirname "$(realpath "$0")")
VM=$TOP/vm
for part in common options cache out debian source build kernel suite image \
	engine qemu uml vng guest run selftest; do
	# shellcheck disable=SC1090 # all of them are listed
	source "$VM/$part.sh"
done

main() {
	options_read "$@"
	begin
	if [[ -n $OPT_SELFTEST ]]; then
		selftest
	fi
	# What is wrong with a file should be said before anything is installed or built.
	[[ -z $OPT_KERNEL ]] || kernel_from_file "$OPT_KERNEL"
	[[ -z $OPT_TREE ]] || source_tree "$OPT_TREE"
	need build vm
	[[ -z $OPT_BENCH ]] || need fio
	cache_begin
	out_begin
	source_keep_stdin
	suite_build
	suite_check_tests
	if [[ -n $OPT_COMPARE ]]; then
		run_compare
	fi
	kernel_select
	if [[ -n $OPT_SHELL ]]; then
		guest_shell
	elif [[ -n $OPT_BENCH ]]; then
		run_bench
	else
		run_suite
	fi
}

main "$@"
