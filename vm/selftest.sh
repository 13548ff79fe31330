# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# run_vm.sh --selftest: guests whose end is known, and what the verdict must be.

SELFTEST_PASSED=0 SELFTEST_FAILED=0

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

# expect NAME EXIT TEXT OPTION...: run_vm.sh with these options must exit so and
# say TEXT (extended regular expression).
expect() {
	local name=$1 code=$2 text=$3 status=0 begun=$SECONDS
	shift 3
	child "$TOP/run_vm.sh" "$@" >"$WORK/said" 2>&1 || status=$?
	if [[ $status -eq $code ]] && grep -qE -- "$text" "$WORK/said"; then
		SELFTEST_PASSED=$((SELFTEST_PASSED + 1))
		printf 'ok   %-22s exit %-3d %3d s  %s\n' "$name" "$status" $((SECONDS - begun)) \
			"$(grep -oE -m1 -- "$text" "$WORK/said" | head -n 1)"
	else
		SELFTEST_FAILED=$((SELFTEST_FAILED + 1))
		printf 'FAIL %-22s exit %d, expected %d and: %s\n' "$name" "$status" "$code" "$text"
		sed 's/^/     | /' "$WORK/said" | tail -n 15
	fi
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
	canned halt 1 'the guest (hung in|ended without its end marker during) halt: canned.halt' --program-timeout 1
	canned silent 1 'ended without its end marker during silent'
	canned truncated 1 'truncated: planned 3 tests, reported 2'
	canned empty 1 'empty: printed no plan'
	canned liar 1 'liar: exited 0 with 1 failed tests'
	canned killed 1 'problem: killed: .*exit=134|killed: planned 1 tests, reported 0'
	canned warn 1 'splat during warn: canned.warn: WARNING: CPU: 0'
	canned taint 1 'tainted by taint: warning'
	canned orphan 0 'verdict: PASS'
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
		--suite "$SELFTEST_SUITE" --engine kvm --out "$WORK/out"
}

# Kernels that are built, or cannot be. Needs Debian's source and one UML build.
selftest_sources() {
	local made=$VM/selftest guest=(--suite "$SELFTEST_SUITE" --out "$WORK/out" --test pass)
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
		--out "$WORK/out" --bisect --test skip
}

# interrupt NAME SECONDS OPTION...: SIGTERM after so long leaves nothing behind.
interrupt() {
	local name=$1 after=$2 status=0 left
	shift 2
	mkdir -p "$WORK/tmp"
	TMPDIR=$WORK/tmp child timeout --foreground -s TERM "$after" "$TOP/run_vm.sh" "$@" >"$WORK/said" 2>&1 || status=$?
	left=$(find "$WORK/tmp" -mindepth 1 -maxdepth 1; pgrep -f -- "$WORK/tmp/run_vm" || true)
	# timeout(1) says 124 when the command ended by its signal.
	if [[ $status -eq 124 && -z $left ]]; then
		SELFTEST_PASSED=$((SELFTEST_PASSED + 1))
		printf 'ok   %-22s after %s s nothing is left\n' "$name" "$after"
	else
		SELFTEST_FAILED=$((SELFTEST_FAILED + 1))
		printf 'FAIL %-22s exit %d, left behind: %s\n' "$name" "$status" "$left"
	fi
}

selftest_interrupts() {
	local after
	for after in 0.2 0.7 1.5 3 6; do
		interrupt interrupted "$after" "${SELFTEST_GUEST[@]}" --test hang
	done
}

selftest() {
	local dir
	need build vm
	cache_begin
	dir=selftest/$(hash_of <"$VM/selftest/canned.c")
	cache_make "$dir" selftest_suite
	SELFTEST_SUITE=$CACHE/$dir
	SELFTEST_GUEST=(--suite "$SELFTEST_SUITE" --engine "$OPT_ENGINE" --out "$WORK/out")
	if [[ -n $OPT_KERNEL ]]; then
		SELFTEST_GUEST+=(--kernel "$OPT_KERNEL")
	elif [[ $OPT_ENGINE == uml ]]; then
		SELFTEST_GUEST+=(--source 6.12)
	fi
	selftest_bad_input
	selftest_hanging_kvm
	[[ $OPT_ENGINE != uml ]] || selftest_sources
	selftest_verdicts
	selftest_interrupts
	echo "$SELFTEST_PASSED passed, $SELFTEST_FAILED failed"
	[[ $SELFTEST_FAILED -eq 0 ]] || exit "$EXIT_FAIL"
	exit "$EXIT_PASS"
}
