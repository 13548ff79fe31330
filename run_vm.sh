#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the FUSE passthrough tests on a kernel in a virtual machine: see --help.
# This file is the order of events; each part has its file in vm/.
set -euo pipefail

TOP=$(dirname "$(realpath "$0")")
VM=$TOP/vm
for part in common options cache out debian kernel suite image engine qemu uml guest selftest; do
	# shellcheck disable=SC1090 # all of them are listed
	source "$VM/$part.sh"
done

# Run the suite on the selected kernel; exits with the verdict.
run_suite() {
	local dir=$WORK/guest status=0
	mkdir "$dir"
	guest_plan >"$dir/plan"
	guest_prepare "$dir" <"$dir/plan"
	say "booting with $ENGINE_NAME"
	guest_start "$dir" --boot-limit "$BOOT_LIMIT" --limit "$OPT_TIMEOUT"
	guest_judge "$dir" || status=$?
	out_publish "$dir"
	verdict_exit "$status"
}

# Turn vm/verdict.py's result into the documented exit code.
verdict_exit() {
	case $1 in
	"$EXIT_PASS" | "$EXIT_FAIL" | "$EXIT_SKIP") exit "$1" ;;
	"$VERDICT_NO_BOOT") exit "$EXIT_FAIL" ;;
	*) exit "$EXIT_TROUBLE" ;;
	esac
}

main() {
	options_read "$@"
	begin
	if [[ -n $OPT_SELFTEST ]]; then
		selftest
	fi
	[[ -z $OPT_KERNEL ]] || kernel_select
	need build vm
	cache_begin
	out_begin
	[[ -n $OPT_KERNEL ]] || kernel_select
	suite_build
	suite_check_tests
	image_build
	engine_select
	if [[ -n $OPT_SHELL ]]; then
		guest_shell
	else
		run_suite
	fi
}

main "$@"
