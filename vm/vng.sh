# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# Engine: virtme-ng, for those who have their machine set up for it. It boots on
# the host's root over 9p, but the tests run in the same root as on the other
# engines, unpacked into a tmpfs: virtiofs is the code under test, and results do
# not belong on the host's root.

VNG=${VNG:-vng}
VNG_ACCEL=()

# What virtme-ng executes in its guest. The tests' init becomes the first process
# of a process name space, so it may end everything that a test leaves behind.
vng_script() {
	cat <<SCRIPT
mkdir -p /tmp/guest
mount -t tmpfs guest /tmp/guest
cd /tmp/guest
python3 $VM/cpio.py --extract $1/initrd
exec unshare --mount --pid --fork chroot /tmp/guest /init
SCRIPT
}

vng_check() {
	[[ -x $(command -v "$VNG") ]] ||
		die "--engine vng: no vng in PATH (VNG=CHECKOUT/vng names another one)"
}

vng_command() {
	local dir=$1
	vng_script /mnt >"$dir/vng-script"
	GUEST_PORTS="virtio:fuse.report"
	GUEST_COMMAND=("$VNG" --run "$KERNEL_IMAGE" --user root --force-9p --disable-microvm
		--no-virtme-ng-init --memory "${QEMU_MEMORY}M" --cpus 2 "${VNG_ACCEL[@]}" --verbose
		--rodir "/mnt=$dir" --append "panic=-1 loglevel=5 $OPT_APPEND"
		"--qemu-opts=-device virtio-serial-pci,id=fuse -chardev file,id=report,path=$dir/port.virtio -device virtserialport,bus=fuse.0,chardev=report,name=fuse.report"
		--exec "bash /mnt/vng-script")
}
