# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The test programs, linked static so that they run on any guest. Sets SUITE to a
# directory with the programs and programs.list, one name a line in run order.

SUITE=

# Is nothing newer than the last build? make would take seconds to say so.
suite_is_fresh() {
	[[ -s $SUITE/programs.list && -e $SUITE/.built && -z ${KSFT_TREE:-} ]] &&
		[[ -z $(find "$TOP/tools/testing/selftests/fuse" "$TOP/Makefile" "$TOP/host" \
			-newer "$SUITE/.built" -print -quit) ]]
}

# Two checkouts must not share objects.
suite_build() {
	local lock name start=$SECONDS
	if [[ -n $OPT_SUITE ]]; then
		SUITE=$(realpath -- "$OPT_SUITE")
		[[ -s $SUITE/programs.list ]] || die "--suite $OPT_SUITE: no programs.list there"
		return
	fi
	name=suite/$(echo "$TOP ${CC:-} ${CFLAGS:-} ${KSFT_TREE:-}" | hash_of)
	SUITE=$CACHE/$name
	cache_lock lock "$name"
	mkdir -p "$SUITE"
	if suite_is_fresh; then
		exec {lock}>&-
		return
	fi
	touch "$WORK/built"
	say "building the suite (static)"
	if ! child make -s -j"$(nproc)" -C "$TOP" static OUTPUT="$SUITE" >"$WORK/suite.log" 2>&1; then
		tail -n 20 "$WORK/suite.log" >&2
		die "the suite does not build"
	fi
	[[ -s $SUITE/programs.list ]] || die "the build left no list of programs"
	mv "$WORK/built" "$SUITE/.built"
	exec {lock}>&-
	say "suite: $(wc -l <"$SUITE/programs.list") programs ($((SECONDS - start)) s)"
}

# Every program and test named by --test must be one of the suite.
suite_check_tests() {
	local test program list
	for test in "${OPT_TESTS[@]}"; do
		program=${test%%:*}
		grep -qxF -- "$program" "$SUITE/programs.list" ||
			die "no program '$program': there are $(paste -sd' ' "$SUITE/programs.list")"
		[[ $test == *:* ]] || continue
		list=$(timeout 10 "$SUITE/$program" -l 2>/dev/null </dev/null || true)
		[[ $list != *.* || $list == *"${test#*:}"* ]] ||
			die "$program has no test '${test#*:}' ($program -l lists them)"
	done
}
