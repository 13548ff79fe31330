# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The test programs, linked static so that they run on any guest. Sets SUITE to a
# directory with the programs and programs.list, one name a line in run order.

SUITE=

# Two checkouts must not share objects.
suite_build() {
	local lock name start=$SECONDS
	if [[ -n $OPT_SUITE ]]; then
		SUITE=$(realpath -- "$OPT_SUITE")
		[[ -s $SUITE/programs.list ]] || die "--suite $OPT_SUITE: no programs.list there"
		return
	fi
	name=suite/$(echo "$TOP ${CC:-}" | hash_of)
	SUITE=$CACHE/$name
	cache_lock lock "$name"
	mkdir -p "$SUITE"
	say "building the suite (static)"
	if ! child make -s -C "$TOP" static OUTPUT="$SUITE" >"$WORK/suite.log" 2>&1; then
		tail -n 20 "$WORK/suite.log" >&2
		die "the suite does not build"
	fi
	exec {lock}>&-
	[[ -s $SUITE/programs.list ]] || die "the build left no list of programs"
	say "suite: $(wc -l <"$SUITE/programs.list") programs ($((SECONDS - start)) s)"
}

# Every program named by --test must be one of the suite.
suite_check_tests() {
	local test
	for test in "${OPT_TESTS[@]}"; do
		grep -qxF -- "${test%%:*}" "$SUITE/programs.list" ||
			die "no program '${test%%:*}': there are $(paste -sd' ' "$SUITE/programs.list")"
	done
}
