# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# What every other part uses: words for the user, exit codes, children and the
# cleanup. Sourced by run_vm.sh.

readonly EXIT_PASS=0 EXIT_FAIL=1 EXIT_SKIP=4
readonly EXIT_UNTESTABLE=125		# git bisect run: skip this revision
readonly EXIT_TROUBLE=200		# the machine or the command line, not the kernel
# vm/verdict.py's own, turned into one of the above
readonly VERDICT_NO_BOOT=5 VERDICT_HOST=6

STARTED=$(date +%s.%N)
WORK=			# private directory of this run
OUT=			# directory of the results
PARTIAL=		# what is being made in the cache
CHILD=			# process group that runs right now

say() {
	[[ -z ${QUIET:-} ]] || return 0
	printf '[%4d s] %s\n' "$SECONDS" "$*" >&2
}

die() {
	printf 'run_vm.sh: %s\n' "$*" >&2
	exit "$EXIT_TROUBLE"
}

# The kernel under test cannot be judged: no verdict on the suite or the machine.
untestable() {
	printf 'run_vm.sh: %s\n' "$*" >&2
	if [[ -n ${OPT_BISECT:-} ]]; then
		exit "$EXIT_UNTESTABLE"
	fi
	exit "$EXIT_FAIL"
}

# Why a command failed, from what it wrote to LOG.
reason_in() {
	grep -om1 'No space left on device' "$1" || tail -n 1 "$1"
}

# Run a command in a process group of its own. bash would sit out a foreground
# command before it runs a trap; this way a signal ends both at once. Job control
# makes the group before anybody could look for it; setsid(1) would make it later.
child() {
	local status=0
	set -m
	"$@" </dev/null &
	CHILD=$!
	set +m
	wait "$CHILD" || status=$?
	CHILD=
	return "$status"
}

end_child() {
	[[ -n $CHILD ]] || return 0
	kill -TERM -- "-$CHILD" 2>/dev/null || true
	wait "$CHILD" 2>/dev/null || true
	kill -KILL -- "-$CHILD" 2>/dev/null || true
	CHILD=
}

cleanup() {
	local status=$?
	trap '' INT TERM HUP
	end_child
	[[ -z $PARTIAL ]] || rm -rf "$PARTIAL"
	[[ -z $WORK ]] || rm -rf "$WORK"
	# A run that ended early has no results to keep a directory for.
	if [[ -n $OUT && -z ${OPT_OUT:-} ]]; then
		rmdir "$OUT" 2>/dev/null || true
	fi
	exit "$status"
}

begin() {
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 129' HUP
	WORK=$(mktemp -d "${TMPDIR:-/tmp}/run_vm.XXXXXX" 2>/dev/null) ||
		die "cannot make a directory in ${TMPDIR:-/tmp}"
}

# need GROUP...: packages of host/packages, installed when this user may.
need() {
	child "$TOP/host/need" "$@" || exit "$EXIT_TROUBLE"
}

# One word out of any number of arguments and files' contents.
hash_of() {
	sha256sum | cut -c1-16
}
