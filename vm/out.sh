# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The directory of results. summary.json comes last: where it is, all is.

readonly OUT_FILES=(console.log dmesg.txt guest.json ktap.log junit.xml repro.txt summary.json)

readonly OUT_KEPT=20	# runs without --out whose results stay in the cache

# Find out before a long run whether the results can be kept.
out_begin() {
	local probe
	OUT=${OPT_OUT:-$CACHE/results/$(date +%Y%m%d-%H%M%S).$$}
	mkdir -p -- "$OUT" 2>/dev/null || die "cannot make the output directory $OUT"
	probe=$OUT/.probe.$$
	if ! (echo probe >"$probe") 2>/dev/null; then
		rm -f "$probe" 2>/dev/null || true
		die "cannot write to the output directory $OUT (read-only or full)"
	fi
	rm -f "$probe"
	[[ -n $OPT_OUT ]] || out_prune
}

# Names sort by time, and end with the process that may still write there.
out_prune() {
	local old
	find "$CACHE/results" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort -r |
		tail -n +"$((OUT_KEPT + 1))" | while read -r old; do
		[[ -d /proc/${old##*.} ]] || rm -rf "$CACHE/results/$old"
	done
}

# out_publish FROM: every file appears whole or not at all.
out_publish() {
	local from=$1 file
	rm -f -- "$OUT/summary.json" 2>/dev/null || true
	for file in "${OUT_FILES[@]}"; do
		[[ -e $from/$file ]] || continue
		if ! cp -- "$from/$file" "$OUT/.$file.$$" 2>/dev/null; then
			rm -f "$OUT/.$file.$$"
			die "cannot write $file to $OUT (read-only or full)"
		fi
		mv -f -- "$OUT/.$file.$$" "$OUT/$file"
	done
	say "results: $OUT"
}
