# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# The command line. Every option is a variable OPT_*.

OPT_KERNEL='' OPT_MODULES='' OPT_DEB='' OPT_HOST=''
OPT_SOURCE='' OPT_TREE='' OPT_BASE='' OPT_CONFIG='' OPT_DEBUG_KERNEL=''
OPT_CHANGES=()		# KIND:FILE, kind patch, mbox or cocci, in the order given
OPT_COMPARE='' OPT_BISECT=''
OPT_ENGINE=auto OPT_OUT='' OPT_TIMEOUT=1800
OPT_PROGRAM_TIMEOUT='' OPT_GUESTS='' OPT_SUITE='' OPT_APPEND='' OPT_FS='' OPT_STRICT='' OPT_SHELL='' OPT_SELFTEST='' OPT_BENCH=''
OPT_TESTS=()
OPT_AGAIN=./run_vm.sh	# what was asked for, without --test, --out and --timeout

usage() {
	cat <<'HELP'
usage: run_vm.sh [option ...]
Boots a kernel in a virtual machine, runs the FUSE passthrough tests there and
gives a verdict. Without options: Debian's 6.12, downloaded but not installed.
 which kernel
  --kernel FILE      bzImage, vmlinux or UML executable; --modules DIR has its modules
  --deb WHAT         Debian's: a version (6.12, 6.1), package or .deb file
  --host             the kernel this machine runs
  --source 6.12|6.1  built from Debian's linux-source
  --tree DIR         built from a kernel tree, out of tree; --base REF: of that revision
    --patch FILE, --mbox FILE, --cocci FILE   changes to a copy of it (repeatable, - = stdin)
    --config FILE    more configuration        --debug-kernel   KASAN, lockdep, kmemleak ...
 on what
  --engine E         auto, kvm, tcg, uml, vng. auto: KVM if a real boot works, else TCG;
                     UML for kernels built here
 which tests
  --test PROG[:NAME] only this program or test (repeatable)
  --fs LIST          only these backing file systems: tmpfs,ext4,xfs,btrfs,overlayfs
  --suite DIR        programs built before (make static OUTPUT=DIR)
  --strict           known deviations of the kernel are failures
 which verdict
  --compare          before and after the changes; fails only if something broke
  --bisect           for git bisect run; --bisect-test PROG:NAME judges one test only
 what else
  --out DIR          ktap.log console.log dmesg.txt junit.xml summary.json repro.txt
  --timeout S        of the guest, 1800; --program-timeout S: 300, slow engines 900
  --guests N         that share the tests, file system by file system, and run at once;
                     2 if there are two processors, 1 with --suite, vng and :NAME.
                     --guests 1 with TCG has two processors, for races
  --append WORDS     for the kernel's command line
  --bench            measure instead of testing: bench/ in the results; --fs names one (ext4)
  --shell            a shell in the guest     --help
  --selftest         prove the verdict with canned guests; with --engine uml also the builds
KTAP and verdict go to standard output, progress to standard error. Cache and
results without --out: $FUSE_CACHE_DIR, else ~/.cache/fuse-selftests.
exit: 0 pass   1 failure (test, splat, crash, hang, no boot, no build)   4 all skipped
      125 with --bisect: no verdict possible   130, 143 interrupted
      200 trouble of this machine or the command line
HELP
}

option_number() {
	[[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || die "$1 wants a number of seconds, not '$2'"
}

option_guests() {
	[[ $1 =~ ^[1-5]$ ]] || die "--guests wants a number from 1 to 5, not '$1'"
	OPT_GUESTS=$1
}

option_engine() {
	case $1 in
	auto | kvm | tcg | uml | vng) OPT_ENGINE=$1 ;;
	*) die "unknown engine '$1': auto, kvm, tcg, uml or vng" ;;
	esac
}

option_fs() {
	local fs
	for fs in ${1//,/ }; do
		case $fs in
		tmpfs | ext4 | xfs | btrfs | overlayfs) ;;
		*) die "unknown backing file system '$fs': tmpfs, ext4, xfs, btrfs or overlayfs" ;;
		esac
	done
	OPT_FS=$1
}

option_test_name() {
	[[ $2 =~ ^[A-Za-z0-9_-]+(:[^[:space:]]+)?$ ]] ||
		die "$1 wants PROGRAM or PROGRAM:NAME, not '$2'"
}

option_source() {
	[[ $1 == 6.12 || $1 == 6.1 ]] || die "--source wants 6.12 or 6.1, not '$1'"
	OPT_SOURCE=$1
}

option_file() {
	[[ -f $2 && -r $2 ]] || die "$1 $2: no such file"
}

option_change() {
	if [[ $2 == - && $1 != cocci ]]; then
		[[ " ${OPT_CHANGES[*]}" != *:-* ]] || die "standard input holds one --patch or --mbox, not two"
	else
		option_file "--$1" "$2"
	fi
	OPT_CHANGES+=("$1:$2")
}

readonly OPTIONS_WITH_VALUE=' --kernel --modules --deb --engine --out --timeout
	--program-timeout --guests --test --fs --suite --append --source --tree --base --patch --mbox
	--cocci --config --bisect-test '

option_known() {
	[[ $OPTIONS_WITH_VALUE =~ [[:space:]]$1[[:space:]] ]] ||
		die "unknown option $1 (--help shows them)"
}

# For pasting into a shell; printf %q would quote a comma as well.
option_quoted() {
	if [[ $1 =~ ^[A-Za-z0-9_.,:/=+@%-]+$ ]]; then
		echo "$1"
	else
		printf '%q\n' "$1"
	fi
}

# option_take OPTION VALUE: an option that wants a value.
option_take() {
	case $1 in
	--kernel) OPT_KERNEL=$2 ;;
	--modules) OPT_MODULES=$2 ;;
	--deb) OPT_DEB=$2 ;;
	--source) option_source "$2" ;;
	--tree) OPT_TREE=$2 ;;
	--base) OPT_BASE=$2 ;;
	--config) option_file "$1" "$2"; OPT_CONFIG=$2 ;;
	--patch | --mbox | --cocci) option_change "${1#--}" "$2" ;;
	--bisect-test) option_test_name "$1" "$2"; OPT_BISECT=1 OPT_TESTS+=("$2") ;;
	--engine) option_engine "$2" ;;
	--out) OPT_OUT=$2 ;;
	--timeout) option_number "$1" "$2"; OPT_TIMEOUT=$2 ;;
	--program-timeout) option_number "$1" "$2"; OPT_PROGRAM_TIMEOUT=$2 ;;
	--guests) option_guests "$2" ;;
	--suite) OPT_SUITE=$2 ;;
	--append) OPT_APPEND=$2 ;;
	--test) option_test_name "$1" "$2"; OPT_TESTS+=("$2") ;;
	--fs) option_fs "$2" ;;
	esac
	case $1 in
	--test | --out | --timeout | --guests | --bisect-test) ;;
	*) OPT_AGAIN+=" $1 $(option_quoted "$2")" ;;
	esac
}

options_read() {
	while [[ $# -gt 0 ]]; do
		case $1 in
		--help | -h) usage; exit "$EXIT_PASS" ;;
		--strict) OPT_STRICT=1; OPT_AGAIN+=" $1" ;;
		--host) OPT_HOST=1; OPT_AGAIN+=" $1" ;;
		--debug-kernel) OPT_DEBUG_KERNEL=1; OPT_AGAIN+=" $1" ;;
		--compare) OPT_COMPARE=1 ;;
		--bisect) OPT_BISECT=1 ;;
		--shell) OPT_SHELL=1 ;;
		--bench) OPT_BENCH=1; OPT_AGAIN+=" $1" ;;
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
	local kernels=("$OPT_KERNEL" "$OPT_DEB" "$OPT_HOST" "$OPT_SOURCE" "$OPT_TREE") given=0 kernel
	for kernel in "${kernels[@]}"; do
		[[ -z $kernel ]] || given=$((given + 1))
	done
	[[ $given -le 1 ]] || die "give one of --kernel, --deb, --host, --source and --tree"
	[[ -z $OPT_MODULES || -n $OPT_KERNEL ]] || die "--modules goes with --kernel"
	[[ -z $OPT_BASE || -n $OPT_TREE ]] || die "--base goes with --tree"
	if [[ $given -eq 0 && ( ${#OPT_CHANGES[@]} -gt 0 || -n $OPT_DEBUG_KERNEL$OPT_CONFIG ) ]]; then
		OPT_SOURCE=6.12
	fi
	if [[ ${#OPT_CHANGES[@]} -gt 0 || -n $OPT_DEBUG_KERNEL$OPT_CONFIG ]]; then
		[[ -n $OPT_SOURCE$OPT_TREE ]] ||
			die "--patch, --mbox, --cocci, --config and --debug-kernel want --tree or --source"
	fi
	[[ -z $OPT_COMPARE || ${#OPT_CHANGES[@]} -gt 0 || -n $OPT_BASE ]] ||
		die "--compare wants something to compare: --patch, --mbox, --cocci or --base"
	[[ -z $OPT_COMPARE || -z $OPT_BISECT$OPT_SHELL ]] || die "--compare, --bisect and --shell exclude each other"
	[[ -z $OPT_BENCH || -z $OPT_COMPARE$OPT_BISECT$OPT_SHELL ]] ||
		die "--bench goes with none of --compare, --bisect and --shell"
	[[ -z $OPT_BENCH || ${#OPT_TESTS[@]} -eq 0 ]] || die "--bench runs no tests: leave out --test"
	[[ -z $OPT_GUESTS || $OPT_GUESTS -eq 1 || -z $OPT_BENCH$OPT_SHELL ]] ||
		die "--guests goes with neither --bench nor --shell"
	[[ -z $OPT_GUESTS || $OPT_GUESTS -eq 1 || "${OPT_TESTS[*]}" != *:* ]] ||
		die "--guests divides whole programs: --test without :NAME"
	[[ -z $OPT_BENCH || $OPT_FS != *,* ]] || die "--bench measures on one file system, not on '$OPT_FS'"
}
