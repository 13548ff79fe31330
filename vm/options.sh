# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# The command line. Every option is a variable OPT_*.

OPT_KERNEL='' OPT_MODULES='' OPT_DEB='' OPT_ENGINE=auto OPT_OUT='' OPT_TIMEOUT=1800
OPT_PROGRAM_TIMEOUT='' OPT_SUITE='' OPT_APPEND='' OPT_FS='' OPT_STRICT='' OPT_SHELL='' OPT_SELFTEST=''
OPT_TESTS=()
OPT_AGAIN=./run_vm.sh	# what was asked for, without --test, --out and --timeout

usage() {
	cat <<'HELP'
usage: run_vm.sh [option ...]
Boots a kernel in a virtual machine, runs the FUSE passthrough tests there and
gives a verdict. Without options: Debian's 6.12, downloaded but not installed.

 what kernel (one of)
  --kernel FILE      bzImage, vmlinux or UML executable; --modules DIR: its modules
  --deb WHAT         version (6.12, 6.1), package or .deb file of Debian's kernel
 what machine
  --engine E         auto (default), kvm, tcg, uml; auto tries KVM by a real boot
 what tests
  --test PROG[:NAME] only this program or test (repeatable)
  --fs LIST          only these backing file systems: tmpfs,ext4,xfs,btrfs,overlay
  --suite DIR        programs built before: make static OUTPUT=DIR
  --strict           known deviations of the kernel are failures
 what else
  --out DIR          results: ktap.log console.log dmesg.txt junit.xml summary.json
                     repro.txt (default: results/ in the cache)
  --timeout S        limit of the whole guest run, default 1800
  --program-timeout S  limit of one program, default 300 (slow engines: 900)
  --append WORDS     more of the kernel's command line
  --shell            a shell in the guest instead of the tests
  --selftest         prove the verdict with canned guests
  --help
KTAP and verdict go to standard output, progress to standard error.
Cache: $FUSE_CACHE_DIR, default ~/.cache/fuse-selftests.

exit: 0 pass   1 failure (test, splat, crash, hang, no boot)   4 all skipped
      130, 143 interrupted   200 trouble of this machine or command line
HELP
}

option_number() {
	[[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || die "$1 wants a number of seconds, not '$2'"
}

option_engine() {
	case $1 in
	auto | kvm | tcg | uml) OPT_ENGINE=$1 ;;
	*) die "unknown engine '$1': auto, kvm, tcg or uml" ;;
	esac
}

option_fs() {
	local fs
	for fs in ${1//,/ }; do
		case $fs in
		tmpfs | ext4 | xfs | btrfs | overlay | overlayfs) ;;
		*) die "unknown backing file system '$fs': tmpfs, ext4, xfs, btrfs or overlay" ;;
		esac
	done
	OPT_FS=$1
}

option_test() {
	[[ $1 =~ ^[A-Za-z0-9_-]+(:[^[:space:]]+)?$ ]] || die "--test wants PROGRAM or PROGRAM:NAME, not '$1'"
	OPT_TESTS+=("$1")
}

readonly OPTIONS_WITH_VALUE=' --kernel --modules --deb --engine --out --timeout
	--program-timeout --test --fs --suite --append '

option_known() {
	[[ $OPTIONS_WITH_VALUE =~ [[:space:]]$1[[:space:]] ]] ||
		die "unknown option $1 (--help shows them)"
}

# option_take OPTION VALUE: an option that wants a value.
option_take() {
	case $1 in
	--kernel) OPT_KERNEL=$2 ;;
	--modules) OPT_MODULES=$2 ;;
	--deb) OPT_DEB=$2 ;;
	--engine) option_engine "$2" ;;
	--out) OPT_OUT=$2 ;;
	--timeout) option_number "$1" "$2"; OPT_TIMEOUT=$2 ;;
	--program-timeout) option_number "$1" "$2"; OPT_PROGRAM_TIMEOUT=$2 ;;
	--suite) OPT_SUITE=$2 ;;
	--append) OPT_APPEND=$2 ;;
	--test) option_test "$2" ;;
	--fs) option_fs "$2" ;;
	esac
	case $1 in
	--test | --out | --timeout) ;;
	*) OPT_AGAIN+=" $1 $(printf '%q' "$2")" ;;
	esac
}

options_read() {
	while [[ $# -gt 0 ]]; do
		case $1 in
		--help | -h) usage; exit "$EXIT_PASS" ;;
		--strict) OPT_STRICT=1; OPT_AGAIN+=" $1" ;;
		--shell) OPT_SHELL=1 ;;
		--selftest) OPT_SELFTEST=1 ;;
		--*=*)
			option_known "${1%%=*}"
			option_take "${1%%=*}" "${1#*=}"
			;;
		-*)
			option_known "$1"
			[[ $# -ge 2 ]] || die "$1 wants a value"
			option_take "$1" "$2"
			shift
			;;
		*) die "what is '$1'? (--help shows the options)" ;;
		esac
		shift
	done
	options_check
}

options_check() {
	[[ -z $OPT_KERNEL || -z $OPT_DEB ]] || die "give one kernel: --kernel or --deb"
	[[ -z $OPT_MODULES || -n $OPT_KERNEL ]] || die "--modules goes with --kernel"
}
