# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# From a selected kernel to an exit code: one run, a comparison, a bisect step.

# run_once WHICH OPTION...: boot the selected kernel, run and judge, keep the results.
# Returns what vm/verdict.py returns. Options as of vm/watch.py.
run_once() {
	local dir=$WORK/guest.$1 status=0 boot=$BOOT_LIMIT
	shift
	image_build
	engine_select
	mkdir "$dir"
	# virtme-ng brings up a whole distribution before it starts our init.
	[[ $ENGINE != vng ]] || boot=$((boot * 3))
	guests_run "$dir" --boot-limit "$boot" --limit "$OPT_TIMEOUT" "$@"
	guest_judge "$dir" || status=$?
	out_publish "$dir"
	return "$status"
}

# Turn vm/verdict.py's result into the documented exit code.
run_exit() {
	local status=$1
	case $status in
	"$EXIT_PASS" | "$EXIT_FAIL" | "$EXIT_SKIP") ;;
	"$VERDICT_NO_BOOT") untestable "the kernel does not boot" ;;
	*) exit "$EXIT_TROUBLE" ;;
	esac
	if [[ -n $OPT_BISECT && $status -eq $EXIT_SKIP ]]; then
		untestable "everything was skipped: nothing to judge this revision by"
	fi
	exit "$status"
}

run_suite() {
	local status=0
	run_once single || status=$?
	run_exit "$status"
}

# Rates instead of tests; the ratios are made of what the guest reported.
run_bench() {
	local status=0
	run_once single --quiet || status=$?
	[[ $status -eq $EXIT_PASS ]] || run_exit "$status"
	child "$TOP/bench/run" --from "$OUT/ktap.log" --out "$OUT/bench" || exit "$EXIT_TROUBLE"
}

# Before and after the changes. The KTAP of both is in the results; standard output
# gets both verdicts and what differs.
run_compare() {
	local out=$OUT which status
	for which in base patched; do
		OUT=$out/$which status=0
		mkdir -p "$OUT" || die "cannot make $OUT"
		kernel_select "$which"
		echo "# $which: $KERNEL_NAME"
		run_once "$which" --quiet || status=$?
		case $status in
		"$VERDICT_NO_BOOT") untestable "the $which kernel does not boot" ;;
		"$VERDICT_HOST") exit "$EXIT_TROUBLE" ;;
		esac
	done
	python3 "$VM/compare.py" "$out/base/summary.json" "$out/patched/summary.json" || exit "$EXIT_FAIL"
	exit "$EXIT_PASS"
}
