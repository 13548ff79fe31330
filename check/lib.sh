# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by every script in check/: runs checks, prints one result line each and
# ends with their sum. A script decides nothing but what to check.

set -euo pipefail

TOP=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")
# shellcheck disable=SC2034 # for the scripts
SUITE=$TOP/tools/testing/selftests/fuse
SHOWN_LINES=25

# Checks run make as a user would, whatever make started them.
unset MAKEFLAGS MAKELEVEL MFLAGS MAKEOVERRIDES O KBUILD_OUTPUT OUTPUT LLVM CROSS_COMPILE
unset FUSE_STRICT FUSE_TEST_FS FUSE_TEST_PART FUSE_TEST_CASE FUSE_TEST_FAULT

# Kernel headers and programs are built many times over.
MAKEFLAGS=-j$(nproc)
export MAKEFLAGS

passed=0 failed=0 skipped=0
child=
tmp=$(mktemp -d "${TMPDIR:-/tmp}/fuse-check.XXXXXX")
log=$tmp/log

finish() {
	local status=$?
	trap - EXIT
	# What an interrupted check was doing.
	[[ -z $child ]] || kill -- "-$child" 2>/dev/null || true
	rm -rf "$tmp"
	[[ $status -eq 0 ]] || { echo "not ok - ${0##*/} ended early, status $status"; failed=$((failed + 1)); }
	echo "$passed passed, $failed failed$([[ $skipped -eq 0 ]] || echo ", $skipped skipped")"
	[[ $failed -eq 0 ]] || exit 1
	exit 0
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Milliseconds since some start.
now() {
	echo $((${EPOCHREALTIME/[.,]/} / 1000))
}

took() {
	local ms=$(($(now) - $1))
	printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# check NAME COMMAND...: passes when the command does; its output is shown when not.
check() {
	local name=$1 start status=0
	shift
	start=$(now)
	# A subshell with errexit: functions stop at their first failing command. Job
	# control gives it a process group, which an interrupt ends as a whole.
	set -m
	(
		set -e
		"$@"
	) >"$log" 2>&1 </dev/null &
	child=$!
	set +m
	wait "$child" || status=$?
	child=
	if [[ $status -eq 0 ]]; then
		passed=$((passed + 1))
		echo "ok - $name # $(took "$start")"
	else
		failed=$((failed + 1))
		echo "not ok - $name # $(took "$start"), status $status"
		tail -n "$SHOWN_LINES" "$log" | sed 's/^/#   /'
	fi
	return 0
}

# skip NAME REASON
skip() {
	skipped=$((skipped + 1))
	echo "ok - $1 # SKIP $2"
}

# expect_status STATUS COMMAND...: the command must end with just this status.
expect_status() {
	local want=$1 status=0
	shift
	"$@" || status=$?
	[[ $status -eq $want ]] || {
		echo "status $status, expected $want: $*"
		return 1
	}
}
