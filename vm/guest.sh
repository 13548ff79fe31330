# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# One run of a guest: what it is told, its start, its verdict.

readonly BOOT_LIMIT=120	# seconds to the test init
readonly PROGRAM_LIMIT=300	# seconds of one program; slow engines get SLOW_FACTOR times that
readonly SLOW_FACTOR=3
GUESTS=()	# DIR=NONCE of each
GUEST_CPUS=2	# of an emulated one

# Where the time of an emulated guest goes; "rest" is tests of no file system.
readonly GUEST_LOAD=('btrfs 4' 'xfs 4' 'overlayfs 4' 'ext4 3' 'tmpfs 2' 'rest 1')

# How many guests share the tests. More than two are not worth their memory.
# shellcheck disable=SC2153 # there are OPT_GUESTS and OPT_TESTS
guest_number() {
	if [[ -n $OPT_GUESTS ]]; then
		echo "$OPT_GUESTS"
	elif [[ $(nproc) -lt 2 || $ENGINE == vng || -n $OPT_BENCH$OPT_SUITE || "${OPT_TESTS[*]}" == *:* ]]; then
		echo 1
	else
		echo 2
	fi
}

# guest_parts N: what each of at most N guests tests, one line a guest, like "ext4,rest".
guest_parts() {
	local of=() load=() name weight i least
	while read -r name weight; do
		[[ $name == rest || -z $OPT_FS || ,$OPT_FS, == *,$name,* ]] || continue
		least=${#of[@]}
		if [[ $least -eq $1 || $name == rest ]]; then
			least=0
			for i in "${!of[@]}"; do
				[[ ${load[i]} -ge ${load[least]} ]] || least=$i
			done
		fi
		of[least]+=${of[least]:+,}$name
		load[least]=$((${load[least]:-0} + weight))
	done < <(printf '%s\n' "${GUEST_LOAD[@]}")
	printf '%s\n' "${of[@]}"
}

# guest_plan [PART]: what init shall do, from the options; see vm/guest/plan.h.
guest_plan() {
	local limit=$PROGRAM_LIMIT name
	[[ $ENGINE == kvm ]] || limit=$((limit * SLOW_FACTOR))
	limit=${OPT_PROGRAM_TIMEOUT:-$limit}
	[[ $limit -le $OPT_TIMEOUT ]] || limit=$OPT_TIMEOUT
	echo "timeout $limit"
	echo "set PATH=/bin"
	echo "set HOME=/root"
	echo "set TERM=${TERM:-dumb}"
	[[ $ENGINE == kvm ]] || echo "set KSFT_MACHINE_SLOW=yes"
	[[ -z $OPT_FS ]] || echo "set FUSE_TEST_FS=$OPT_FS"
	[[ -z ${1:-} ]] || echo "set FUSE_TEST_PART=$1"
	[[ -z $OPT_STRICT ]] || echo "set FUSE_STRICT=1"
	for name in FUSE_TEST_CASE FUSE_TEST_FAULT FUSE_TEST_DEADLOCK; do
		[[ -z ${!name:-} ]] || echo "set $name=${!name}"
	done
	if [[ -n $OPT_SHELL ]]; then
		echo shell
	elif [[ -n $OPT_BENCH ]]; then
		guest_bench
	else
		guest_programs
	fi
}

# An emulated processor needs longer to show a rate, and to start fio. Each page that
# a process of User-mode Linux maps is a mapping of the host, vm.max_map_count of them.
guest_bench() {
	local samples="-n 3 -t 200"
	case $ENGINE in
	uml) samples="-n 1 -t 200 -m 8" ;;
	tcg) samples="-n 1 -t 1000" ;;
	esac
	echo "program measure -f ${OPT_FS:-ext4} $samples"
}

# Run program $1, unless it is one the engine cannot stand and nobody asked for it.
guest_program() {
	local why=''
	if [[ ${#OPT_TESTS[@]} -eq 0 && -e $VM/$ENGINE.skip ]]; then
		why=$(awk -F'\t' -v name="$1" '$1 == name { print $2 }' "$VM/$ENGINE.skip")
	fi
	if [[ -n $why ]]; then
		echo "skip $1 $why"
	else
		echo "program $1"
	fi
}

# All programs, or what --test named: PROGRAM or PROGRAM:NAME.
guest_programs() {
	local test program
	local -A names=() whole=()
	for test in "${OPT_TESTS[@]}"; do
		program=${test%%:*}
		if [[ $test == *:* ]]; then
			names[$program]+=" -r ${test#*:}"
		else
			whole[$program]=1
		fi
	done
	while read -r program; do
		if [[ ${#OPT_TESTS[@]} -eq 0 || -n ${whole[$program]:-} ]]; then
			guest_program "$program"
		elif [[ -n ${names[$program]:-} ]]; then
			echo "program $program${names[$program]}"
		fi
	done <"$SUITE/programs.list"
}

# guest_prepare DIR: everything a start needs in DIR; the plan comes on stdin.
guest_prepare() {
	local dir=$1 nonce
	nonce=$(od -An -N8 -tx8 /dev/urandom | tr -d ' ')
	GUESTS+=("$dir=$nonce")
	mkfifo "$dir/port.virtio" "$dir/port.serial"
	"${ENGINE}_command" "$dir"
	printf '%s\0' "${GUEST_COMMAND[@]}" >"$dir/command"
	{
		echo "nonce $nonce"
		echo "report $GUEST_PORTS"
		cat
	} >"$dir/run.conf"
	# The kernel unpacks archives one after the other: the big one stays as it is.
	{
		python3 "$VM/cpio.py" "$dir/conf.cpio" <<<"file /run.conf 644 $dir/run.conf" &&
			cat "$IMAGE" "$dir/conf.cpio" >"$dir/initrd"
	} || die "cannot write to $dir: is the disk full?"
}

# guest_start DIR OPTION...: run it, options as of vm/watch.py.
guest_start() {
	local dir=$1
	shift
	child python3 "$VM/watch.py" --dir "$dir" --port "$dir/port.virtio" --port "$dir/port.serial" \
		"$@" -- "${GUEST_COMMAND[@]}" || die "the guest could not be run"
	rm -f "$dir/initrd" "$dir/conf.cpio"
}

# guests_run DIR OPTION...: prepare and run as many as share the tests.
guests_run() {
	local dir=$1 part parts=()
	shift
	GUESTS=()
	uml_cpus_free
	mapfile -t parts < <(guest_parts "$(guest_number)")
	if [[ ${#parts[@]} -lt 2 ]]; then
		guest_plan >"$dir/plan"
		guest_prepare "$dir" <"$dir/plan"
		say "booting with $ENGINE_NAME"
		guest_start "$dir" "$@"
		return
	fi
	GUEST_CPUS=1
	for part in "${parts[@]}"; do
		mkdir "$dir/${#GUESTS[@]}"
		guest_plan "$part" >"$dir/${#GUESTS[@]}/plan"
		guest_prepare "$dir/${#GUESTS[@]}" <"$dir/${#GUESTS[@]}/plan"
	done
	say "booting ${#parts[@]} guests with $ENGINE_NAME: ${parts[*]}"
	child python3 "$VM/parts.py" --dir "$dir" "${GUESTS[@]%=*}" -- "$@" ||
		die "the guests could not be run"
	rm -f "$dir"/*/initrd "$dir"/*/conf.cpio
}

# guest_judge DIR: print the verdict; returns what vm/verdict.py returns.
guest_judge() {
	python3 "$VM/verdict.py" --dir "$1" "${GUESTS[@]/#/--guest=}" \
		--deny "$VM/splat.deny" --known "$VM/splat.known" ${OPT_STRICT:+--strict} \
		--kernel "$KERNEL_NAME" --engine "$ENGINE" --again "$OPT_AGAIN" --started "$STARTED"
}

# A person at the console: no report, no verdict.
guest_shell() {
	local dir=$WORK/guest
	image_build
	engine_select
	mkdir "$dir"
	guest_plan >"$dir/plan"
	guest_prepare "$dir" <"$dir/plan"
	say "a shell in the guest; exit ends it"
	"${GUEST_COMMAND[@]}" || die "the guest could not be run"
}
