# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# run_vm.sh --selftest: guests whose end is known, and what the verdict must be.

# Some only wait for a deadline: one more at a time than there are processors.
SELFTEST_JOBS=$(($(nproc) + 1))
SELFTEST_STARTED=0

# The canned programs, as a suite of their own in directory $1.
selftest_suite() {
	local name
	child gcc -static -O2 -Wall -Wextra -Werror -D_GNU_SOURCE "$VM/selftest/canned.c" -o "$1/canned" ||
		die "the canned programs do not build"
	"$1/canned" --list >"$1/programs.list"
	while read -r name; do
		cp "$1/canned" "$1/$name"
	done <"$1/programs.list"
}

# parallel COMMAND...: run it beside others in a directory of its own, $HERE.
parallel() {
	while [[ $(jobs -pr | wc -l) -ge $SELFTEST_JOBS ]]; do
		wait -n || true
	done
	SELFTEST_STARTED=$((SELFTEST_STARTED + 1))
	HERE=$WORK/check.$SELFTEST_STARTED
	mkdir "$HERE"
	(
		trap 'end_child; exit 143' TERM
		"$@"
	) &
}

# Whatever was started is over after this.
parallel_end() {
	wait
}

# result ok|FAIL TEXT: one line at the end of a check.
result() {
	touch "$HERE/$1"
	printf '%-4s %s\n' "$1" "$2"
}

# expect NAME EXIT TEXT OPTION...: run_vm.sh with these options must exit so and
# say TEXT (extended regular expression).
expect() {
	parallel expect_run "$@"
}

expect_run() {
	local name=$1 code=$2 text=$3 status=0 begun=$SECONDS
	shift 3
	child "$TOP/run_vm.sh" --out "$HERE/out" "$@" >"$HERE/said" 2>&1 || status=$?
	if [[ $status -eq $code ]] && grep -qE -- "$text" "$HERE/said"; then
		result ok "$(printf '%-22s exit %-3d %3d s  %s' "$name" "$status" $((SECONDS - begun)) \
			"$(grep -oE -m1 -- "$text" "$HERE/said" | head -n 1)")"
	else
		result FAIL "$(printf '%-22s exit %d, expected %d and: %s\n' "$name" "$status" "$code" "$text"
			sed 's/^/     | /' "$HERE/said" | tail -n 15)"
	fi
	rm -rf "$HERE/out"
}

# canned NAME EXIT TEXT OPTION...: the same, with canned program NAME in a guest.
canned() {
	local program=$1 code=$2 text=$3
	shift 3
	expect "$program${*:+ $1}" "$code" "$text" "${SELFTEST_GUEST[@]}" --test "$program" "$@"
}

selftest_verdicts() {
	canned pass 0 'verdict: PASS  1 passed, 0 failed, 1 skipped'
	canned fail 1 'again: .*--test fail:canned.tmpfs.bad'
	canned skip 4 'skipped: kernel without CONFIG_FUSE_PASSTHROUGH'
	canned skip_each 4 'verdict: SKIP'
	canned known 0 'known deviation D1 of this kernel: stat shows an old mtime'
	canned known 1 'verdict: FAIL' --strict
	canned gone 0 'DEVIATION GONE: D1'
	canned crash 1 'the kernel panicked \(.*\) during crash: canned.crash'
	canned hang 1 'TIMEOUT 5 seconds' --program-timeout 5
	canned halt 1 'the guest (hung in|ended without its end marker during) halt' --program-timeout 1
	canned silent 1 'ended without its end marker during silent'
	canned truncated 1 'truncated: planned 3 tests, reported 2'
	canned empty 1 'empty: printed no plan'
	canned liar 1 'liar: exited 0 with 1 failed tests'
	canned killed 1 'problem: killed: .*exit=134|killed: planned 1 tests, reported 0'
	canned warn 1 'splat during warn: canned.warn: WARNING: CPU: 0'
	canned known_cycle 0 'known complaint of this kernel: fuse_.*during known_cycle'
	canned known_cycle 1 'splat during known_cycle: canned.cycle: WARNING: possible' --strict
	canned other_cycle 1 'splat during other_cycle: canned.cycle: WARNING: possible'
	canned taint 1 'tainted by taint: warning'
	canned orphan 0 'verdict: PASS'
	canned pass 0 'verdict: PASS  2 passed, 0 failed, 2 skipped' --guests 2
	canned fail 1 'again: .*--test fail:canned.tmpfs.bad' --guests 2
	canned skip 4 'skipped: kernel without CONFIG_FUSE_PASSTHROUGH' --guests 2
	canned truncated 1 'truncated: planned 6 tests, reported 4' --guests 2
	canned crash 1 'guest 2: the kernel panicked \(.*\) during crash: canned.crash' --guests 2
	canned hang 1 'TIMEOUT 5 seconds' --program-timeout 5 --guests 2
	expect 'boot: panic' 1 'the kernel panicked at boot' "${SELFTEST_GUEST[@]}" --append rdinit=/none
	expect 'boot: hang' 1 'the kernel hung at boot' "${SELFTEST_GUEST[@]}" \
		--append rdinit=/suite/hang --timeout 25
}

selftest_bad_input() {
	: >"$WORK/empty"
	expect 'unknown option' 200 'unknown option --frobnicate' --frobnicate
	expect 'value missing' 200 'kernel wants a value' --kernel
	expect 'stray word' 200 "what is 'bzImage'" bzImage
	expect 'kernel: missing' 200 'no such file' --kernel "$WORK/none"
	expect 'kernel: no kernel' 200 'is no kernel image' --kernel "$TOP/run_vm.sh"
	expect 'kernel: empty' 200 'is no kernel image' --kernel "$WORK/empty"
	expect 'engine: unknown' 200 "unknown engine 'xen'" --engine xen
	expect 'fs: unknown' 200 "unknown backing file system 'fat'" --fs fat
	expect 'guests: too many' 200 "wants a number from 1 to 5, not '9'" --guests 9
	expect 'guests: one test' 200 'divides whole programs' --guests 2 --test pass:canned.tmpfs.good
	expect 'timeout: no number' 200 "wants a number of seconds, not 'soon'" --timeout soon
	expect 'test: no program' 200 "no program 'none'" "${SELFTEST_GUEST[@]}" --test none
	expect 'out: not a directory' 200 'cannot make the output directory' --out /dev/null/x
	expect 'out: read-only' 200 'cannot write to the output directory' --out /proc
	expect 'help' 0 'usage: run_vm.sh' --help
}

# A machine whose KVM takes a guest and never runs it.
selftest_hanging_kvm() {
	local fake=$WORK/fake
	mkdir -p "$fake"
	cat >"$fake/qemu-system-x86_64" <<FAKE
#!/bin/bash
[[ \$* != *--version* ]] || { echo "QEMU of the selftest \$\$"; exit; }
[[ \$* != *"-accel kvm"* ]] || exec sleep 1000
exec $(command -v qemu-system-x86_64) "\$@"
FAKE
	chmod +x "$fake/qemu-system-x86_64"
	PATH=$fake:$PATH expect 'kvm hangs: asked for' 200 'a guest on KVM does not boot within|/dev/kvm' \
		--suite "$SELFTEST_SUITE" --engine kvm
}

# Kernels that are built, or cannot be. Needs Debian's source and one UML build.
selftest_sources() {
	local made=$VM/selftest guest=(--suite "$SELFTEST_SUITE" --test pass)
	expect 'tree: none' 200 'no such directory' --tree "$WORK/none"
	expect 'tree: no kernel' 200 'is no kernel tree' --tree "$VM"
	expect 'patch: missing' 200 'no such file' --patch "$WORK/none"
	expect 'patch: no patch' 200 'holds no patch' "${guest[@]}" --patch "$TOP/COPYING"
	expect 'patch: no kernel' 200 'want --tree or --source' --deb 6.12 --patch "$TOP/COPYING"
	expect 'source' 0 'verdict: PASS' "${guest[@]}" --source 6.12
	expect 'mbox: does not apply' 1 "'\[PATCH 1/1\] .*fs/fuse/passthrough.c: hunk 1 \(line 10\)" \
		"${guest[@]}" --mbox "$made/does_not_apply.mbox"
	expect 'same, --bisect' 125 'does not apply' "${guest[@]}" --bisect --mbox "$made/does_not_apply.mbox"
	expect 'cocci: no change' 1 'changes nothing' "${guest[@]}" --cocci "$made/changes_nothing.cocci"
	expect 'does not build' 1 'does not build; log: ' "${guest[@]}" --cocci "$made/does_not_build.cocci"
	expect 'same, --bisect' 125 'does not build' "${guest[@]}" --bisect --cocci "$made/does_not_build.cocci"
	expect 'panics at boot' 1 'panicked at boot: as the selftest' "${guest[@]}" --cocci "$made/panics_at_boot.cocci"
	expect 'same, --bisect' 125 'panicked at boot' "${guest[@]}" --bisect --cocci "$made/panics_at_boot.cocci"
	expect 'compare: broken' 1 'the patched kernel does not boot' "${guest[@]}" --compare \
		--cocci "$made/panics_at_boot.cocci"
	expect 'everything skipped' 125 'everything was skipped' --source 6.12 --suite "$SELFTEST_SUITE" \
		--bisect --test skip
	# Mounting takes root.
	[[ $EUID -ne 0 ]] || parallel full_cache
}

# A cache on a file system that is too small for the source.
full_cache() {
	local status=0
	mkdir "$HERE/cache"
	# shellcheck disable=SC2016 # for the inner shell
	child unshare --mount sh -c '
		mount -t tmpfs -o size=64m none "$0" || exit
		FUSE_CACHE_DIR=$0 "$@" || status=$?
		find "$0" -name ".partial*"
		exit "$status"' "$HERE/cache" "$TOP/run_vm.sh" --out "$HERE/out" \
		--suite "$SELFTEST_SUITE" --source 6.12 >"$HERE/said" 2>&1 || status=$?
	if [[ $status -eq $EXIT_TROUBLE ]] && grep -q 'No space left on device' "$HERE/said" &&
		! grep -q '\.partial' "$HERE/said"; then
		result ok "full cache: exit $status, nothing is left"
	else
		result FAIL "full cache: exit $status: $(tail -n 2 "$HERE/said")"
	fi
}

# Files and processes of the interrupted run that are still there.
left_behind() {
	find "$HERE/tmp" -mindepth 1 -maxdepth 1
	pgrep -f -- "$HERE/tmp/run_vm" || true
}

# interrupt NAME WHEN OPTION...: SIGTERM after WHEN seconds, or once run_vm.sh has
# said WHEN, must end it and leave nothing behind.
interrupt() {
	parallel interrupt_run "$@"
}

interrupt_run() {
	local name=$1 when=$2 status=0 line='' said left
	shift 2
	mkdir "$HERE/tmp"
	exec {said}< <(TMPDIR=$HERE/tmp exec setsid "$TOP/run_vm.sh" --out "$HERE/out" "$@" 2>&1)
	CHILD=$!
	if [[ $when == [0-9]* ]]; then
		sleep "$when"
	else
		while [[ $line != *"$when"* ]] && read -r line <&"$said"; do :; done
	fi
	kill -TERM "$CHILD" 2>/dev/null || true
	wait "$CHILD" || status=$?
	CHILD=
	left=$(left_behind)
	if [[ $status -eq 143 && -z $left ]]; then
		result ok "$(printf '%-22s exit %d after %s, nothing is left' "$name" "$status" "$when")"
	else
		result FAIL "$(printf '%-22s exit %d, left behind: %s' "$name" "$status" "$left")"
	fi
}

selftest_interrupts() {
	local after
	for after in 0.2 0.7 1.5 3 6; do
		interrupt interrupted "$after" "${SELFTEST_GUEST[@]}" --test hang
	done
	interrupt 'two guests' booting "${SELFTEST_GUEST[@]}" --test hang --guests 2
}

# A build that was cut off, and the same one again: the cache is still good.
selftest_interrupted_build() {
	local change=$WORK/new.cocci
	sed "s/panic(.*)/pr_info(\"selftest $$ $RANDOM\\\\n\")/" "$VM/selftest/panics_at_boot.cocci" >"$change"
	interrupt 'in a build' 'building' --suite "$SELFTEST_SUITE" --cocci "$change" --test pass
	parallel_end
	# Twice at once: one builds, the other one waits.
	expect 'built after all' 0 'verdict: PASS' --suite "$SELFTEST_SUITE" --cocci "$change" --test pass
	expect 'and for a second run' 0 'verdict: PASS' --suite "$SELFTEST_SUITE" --cocci "$change" --test pass
}

# An interrupted selftest ends the checks that run.
selftest_cancel() {
	local running
	mapfile -t running < <(jobs -p)
	[[ ${#running[@]} -eq 0 ]] || kill "${running[@]}" 2>/dev/null || true
	wait
}

selftest_sum() {
	local passed
	passed=$(find "$WORK"/check.* -maxdepth 1 -name ok | wc -l)
	echo "$passed passed, $((SELFTEST_STARTED - passed)) failed"
	[[ $passed -eq $SELFTEST_STARTED ]] || exit "$EXIT_FAIL"
	exit "$EXIT_PASS"
}

selftest() {
	local dir
	need build vm
	cache_begin
	dir=selftest/$(hash_of <"$VM/selftest/canned.c")
	cache_make "$dir" selftest_suite
	SELFTEST_SUITE=$CACHE/$dir
	SELFTEST_GUEST=(--suite "$SELFTEST_SUITE" --engine "$OPT_ENGINE")
	if [[ -n $OPT_KERNEL ]]; then
		SELFTEST_GUEST+=(--kernel "$OPT_KERNEL")
	elif [[ $OPT_ENGINE == uml ]]; then
		SELFTEST_GUEST+=(--source 6.12)
	fi
	trap 'selftest_cancel; cleanup' EXIT
	# Those that only wait for a deadline first.
	selftest_hanging_kvm
	selftest_verdicts
	selftest_interrupts
	selftest_bad_input
	if [[ $OPT_ENGINE == uml ]]; then
		selftest_sources
		selftest_interrupted_build
	fi
	parallel_end
	selftest_sum
}
