# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# Engine: QEMU, with KVM or with TCG.

readonly QEMU=qemu-system-x86_64
readonly QEMU_MEMORY=2048	# MiB

qemu_version() {
	"$QEMU" --version | head -n 1
}

# No firmware screen, no network, no disk: a console and the report port. The
# report has a virtio port and, for kernels without one, the second serial line.
qemu_command() {
	local dir=$1 accel=$2
	GUEST_PORTS="virtio:fuse.report /dev/ttyS1"
	GUEST_COMMAND=("$QEMU" -nodefaults -no-user-config -no-reboot -display none
		-m "$QEMU_MEMORY" -accel "$accel" -rtc base=utc
		-kernel "$KERNEL_IMAGE" -initrd "$dir/initrd"
		-append "console=ttyS0 panic=-1 loglevel=5 mitigations=off $OPT_APPEND"
		-device virtio-rng-pci
		-device virtio-serial-pci
		-chardev "file,id=virtio,path=$dir/port.virtio"
		-device "virtserialport,chardev=virtio,name=fuse.report"
		-chardev "file,id=serial,path=$dir/port.serial")
	if [[ -n $OPT_SHELL ]]; then
		GUEST_COMMAND+=(-serial mon:stdio)
	else
		GUEST_COMMAND+=(-chardev "stdio,id=console,signal=off" -serial chardev:console)
	fi
	GUEST_COMMAND+=(-serial chardev:serial)
}

kvm_command() {
	qemu_command "$1" kvm
	GUEST_COMMAND+=(-cpu host -smp 2)
}

# More threads than processors wait for each other most of the time: guests that run at
# once have one processor each, and QEMU one thread. "rep movsb" is emulated byte by
# byte: without its bits the kernel copies in words.
tcg_command() {
	local threads=multi
	[[ $GUEST_CPUS -gt 1 ]] || threads=single
	qemu_command "$1" "tcg,thread=$threads"
	GUEST_COMMAND+=(-cpu "max,-erms,-fsrm" -smp "$GUEST_CPUS")
}
