# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# The guest's initramfs: init, the programs, modules of the kernel and the tools
# that make backing file systems, with their libraries. Kept by the hash of all
# that goes in. Sets IMAGE.

IMAGE=
readonly IMAGE_TOOLS=(mkfs.ext4 mkfs.xfs mkfs.btrfs)
readonly IMAGE_SHELL=(bash ls cat dmesg mount umount grep stat strace)
# What the programs and init use when the kernel does not have it built in: for all
# tests, or for those of one backing file system.
readonly IMAGE_MODULES=('all virtio_pci virtio_console fuse loop overlay'
	'ext4 ext4 quota_v2' 'overlayfs ext4' 'xfs xfs' 'btrfs btrfs')

# --- init -----------------------------------------------------------------

guest_init_make() {
	child gcc -static -O2 -Wall -Wextra -Werror -D_GNU_SOURCE \
		"$VM"/guest/*.c -o "$1/init" 2>"$WORK/init.log" || {
		tail -n 5 "$WORK/init.log" >&2
		die "the guest's init does not build"
	}
}

# Prints the entries of the list for vm/cpio.py.
image_skeleton() {
	printf 'dir /%s\n' bin dev proc sys tmp suite lib modules etc root run
	echo "link /sbin bin"
	echo "link /usr ."
	echo "node /dev/console 5 1"
	echo "node /dev/null 1 3"
	echo "file /init 755 $1/init"
}

# --- programs and tools ---------------------------------------------------

image_programs() {
	local name
	while read -r name; do
		echo "file /suite/$name 755 $SUITE/$name"
	done <"$SUITE/programs.list"
	[[ -z $OPT_BENCH ]] || echo "file /suite/measure 755 $SUITE/measure"
}

# fio comes with 80 MB of libraries: only for those who asked for what it does.
image_wants_fio() {
	[[ -n $OPT_BENCH || " ${OPT_TESTS[*]}" == *" fio_verify"* ]]
}

# Libraries of the programs given, with the loader, as "path source".
image_libraries() {
	ldd "$@" 2>/dev/null | sed -n -e 's/.*=> \(\/[^ ]*\) .*/\1/p' -e 's/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u
}

# The directories of the paths on stdin, parents first.
image_parents() {
	awk -F/ '{ p = ""; for (i = 2; i < NF; i++) { p = p "/" $i; if (!(p in seen)) { seen[p] = 1; print "dir " p } } }'
}

image_tools() {
	local tool path found=() tools=("${IMAGE_TOOLS[@]}" ${OPT_SHELL:+"${IMAGE_SHELL[@]}"})
	! image_wants_fio || tools+=(fio)
	for tool in "${tools[@]}"; do
		path=$(PATH=$PATH:/usr/sbin:/sbin command -v "$tool") || continue
		found+=("$path")
		echo "file /bin/$tool 755 $(realpath "$path")"
	done
	[[ ${#found[@]} -gt 0 ]] || return 0
	image_libraries "${found[@]}" | sed 's|^/usr/|/|' | image_parents | grep -vxE 'dir /(lib|bin)' || true
	image_libraries "${found[@]}" | while read -r path; do
		echo "file ${path#/usr} 755 $(realpath "$path")"
	done
}

# --- modules --------------------------------------------------------------

# The module files needed, each as "PURPOSE FILE", in the order to load them.
image_module_files() {
	local group purpose module
	for group in "${IMAGE_MODULES[@]}"; do
		read -r purpose group <<<"$group"
		for module in $group; do
			PATH=$PATH:/usr/sbin:/sbin modprobe -d "$KERNEL_MODULES" -S "$KERNEL_VERSION" \
				--show-depends "$module" 2>/dev/null || true
		done | awk -v purpose="$purpose" '$1 == "insmod" && !seen[$2]++ { print purpose, $2 }'
	done
}

# Unpack the modules into directory $1/modules, plain, with the list.
guest_modules_make() {
	local purpose file name
	: >"$1/list"
	while read -r purpose file; do
		name=$(basename "$file")
		case $name in
		*.xz) xz -dc "$file" >"$1/${name%.xz}" ;;
		*.zst) zstd -qdc "$file" >"$1/${name%.zst}" ;;
		*.gz) gzip -dc "$file" >"$1/${name%.gz}" ;;
		*) cp "$file" "$1/$name" ;;
		esac
		name=${name%.ko*}.ko
		echo "$purpose /modules/$name" >>"$1/list"
	done < <(image_module_files)
}

image_modules() {
	local dir=$1 path
	[[ -s $dir/list ]] || return 0
	# Several file systems may want the same one.
	cut -d' ' -f2 "$dir/list" | sort -u | while read -r path; do
		echo "file $path 644 $dir/${path##*/}"
	done
	echo "file /modules.list 644 $dir/list"
}

# --- together -------------------------------------------------------------

image_make() {
	python3 "$VM/cpio.py" "$2/image" <"$1" || die "cannot write the guest image"
}

image_hash() {
	awk '$1 == "file" { print $4 }' "$1" | xargs -d '\n' sha256sum | cat - "$1" "$VM/cpio.py" | hash_of
}

image_build() {
	local init modules=''
	init=guest-init/$(cat "$VM"/guest/*.[ch] | hash_of)
	cache_make "$init" guest_init_make
	if [[ -n $KERNEL_MODULES ]]; then
		modules=modules/$KERNEL_VERSION-$(echo "$KERNEL_MODULES ${IMAGE_MODULES[*]}" |
			cat - "$KERNEL_MODULES/lib/modules/$KERNEL_VERSION/modules.dep" | hash_of)
		cache_make "$modules" guest_modules_make
	fi
	{
		image_skeleton "$CACHE/$init"
		image_programs
		image_tools
		[[ -z $modules ]] || image_modules "$CACHE/$modules"
	} >"$WORK/image.list"
	IMAGE=image/$(image_hash "$WORK/image.list")
	[[ -e $CACHE/$IMAGE ]] || say "packing the guest image"
	cache_make "$IMAGE" image_make "$WORK/image.list"
	IMAGE=$CACHE/$IMAGE/image
}
