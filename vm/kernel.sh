# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# Which kernel is tested. Sets
#	KERNEL_IMAGE	file to boot
#	KERNEL_KIND	bzImage, vmlinux or uml
#	KERNEL_VERSION	as uname -r has it
#	KERNEL_MODULES	directory with lib/modules/$KERNEL_VERSION, or nothing
#	KERNEL_NAME	for people

KERNEL_IMAGE='' KERNEL_KIND='' KERNEL_VERSION='' KERNEL_MODULES='' KERNEL_NAME=''

# Set KERNEL_KIND and KERNEL_VERSION from the file itself.
kernel_examine() {
	local found
	[[ -f $KERNEL_IMAGE ]] || die "$KERNEL_IMAGE: no such file"
	found=$(python3 "$VM/kernel_file.py" "$KERNEL_IMAGE" 2>&1) || die "$found"
	read -r KERNEL_KIND KERNEL_VERSION <<<"$found"
}

# A tree of modules the user named: its root, or lib/modules/VERSION itself.
kernel_modules_at() {
	local dir=$1
	[[ ! -e $dir/modules.dep ]] || dir=${dir%/*/*/*}
	[[ -d $dir/lib/modules/$KERNEL_VERSION ]] ||
		die "$1 holds no modules of $KERNEL_VERSION"
	KERNEL_MODULES=$dir
}

kernel_from_file() {
	KERNEL_IMAGE=$(realpath -- "$1")
	kernel_examine
	KERNEL_NAME="$(basename "$1") $KERNEL_VERSION"
	if [[ -n $OPT_MODULES ]]; then
		kernel_modules_at "$(realpath -- "$OPT_MODULES")"
	elif [[ -e /lib/modules/$KERNEL_VERSION/modules.dep ]]; then
		KERNEL_MODULES=/
	fi
}

kernel_from_host() {
	KERNEL_IMAGE=/boot/vmlinuz-$(uname -r)
	[[ -r $KERNEL_IMAGE ]] ||
		die "--host: the running kernel has no readable image $KERNEL_IMAGE; 'make run' tests it without a guest"
	kernel_from_file "$KERNEL_IMAGE"
}

# kernel_select [base|patched]: which of the two when the kernel is built here.
kernel_select() {
	if [[ -n $OPT_SOURCE$OPT_TREE ]]; then
		source_select "${1:-patched}"
		build_kernel "$(engine_machine)"
	elif [[ -n $OPT_KERNEL ]]; then
		[[ -n $KERNEL_KIND ]] || kernel_from_file "$OPT_KERNEL"
	elif [[ -n $OPT_HOST ]]; then
		kernel_from_host
	else
		kernel_debian "$OPT_DEB"
		kernel_examine
	fi
	say "kernel: $KERNEL_NAME ($KERNEL_KIND)"
}
