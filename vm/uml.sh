# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# Engine: user-mode Linux. The kernel is a program of the host; it boots from the
# same initramfs in a second. One processor, no transparent huge pages.

readonly UML_MEMORY=1024	# MiB
UML_CPU=
UML_LOCKS=()	# descriptors of the processors taken

# One processor for the guest: at each system call of a process in it UML and that
# process wake each other, several times as slow from one processor to another. Guests
# that run at once take different ones, as long as there are any, until uml_cpus_free().
# Sets UML_CPU.
uml_cpu() {
	local cpu cpus lock
	mapfile -t cpus < <(python3 -c 'import os; print(*os.sched_getaffinity(0), sep="\n")')
	UML_CPU=${cpus[RANDOM % ${#cpus[@]}]}
	mkdir -p "$CACHE/cpu"
	for cpu in "${cpus[@]}"; do
		exec {lock}>"$CACHE/cpu/$cpu"
		if flock -n "$lock"; then
			UML_CPU=$cpu UML_LOCKS+=("$lock")
			return
		fi
		exec {lock}>&-
	done
}

# The guests that this run had are over.
uml_cpus_free() {
	local lock
	for lock in "${UML_LOCKS[@]}"; do
		exec {lock}>&-
	done
	UML_LOCKS=()
}

# The console is standard output, the second serial line the report port. UML keeps
# its memory in a nameless file of TMPDIR, best on tmpfs; its pid file in uml_dir
# goes with the run.
uml_command() {
	local dir=$1 memory=${TMPDIR:-/tmp} input=null
	[[ ! -w /dev/shm ]] || memory=/dev/shm
	[[ -z $OPT_SHELL ]] || input=fd:0
	mkdir "$dir/uml"
	uml_cpu
	# A plain file takes everything at once: UML throws its line buffer away when a
	# write that it had put off fails (line_write_interrupt()), and lines were lost.
	rm "$dir/port.serial"
	: >"$dir/port.serial"
	GUEST_PORTS=/dev/ttyS1
	# shellcheck disable=SC2016 disable=SC2206 # expanded there; words of a command line
	# UML 6.12 unmaps all of a new process, and with it, when it is linked static, where
	# the C library has the host's kernel write at each switch (rseq): that kills it.
	GUEST_COMMAND=(taskset -c "$UML_CPU" env TMPDIR="$memory" GLIBC_TUNABLES=glibc.pthread.rseq=0 bash -c 'exec 9>"$0" "$@"' "$dir/port.serial"
		"$KERNEL_IMAGE" "mem=${UML_MEMORY}M" "initrd=$dir/initrd" "uml_dir=$dir/uml" umid=guest
		con=null "con0=$input,fd:1" ssl=null "ssl1=null,fd:9"
		panic=-1 noreboot loglevel=6 $OPT_APPEND)
}
