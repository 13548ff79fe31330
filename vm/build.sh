# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# Build a kernel from SOURCE_TREE and STAGE, out of tree. The copy and its objects
# stay in the cache, so the next build compiles what changed; finished kernels are
# kept by the hash of sources, changes, configuration and compiler.

readonly BUILD_KEPT=40		# finished kernels

# The configuration: everything that is not named is off. uml.config or qemu.config
# is the machine, the suite's config what the programs need.
build_fragments() {
	cat "$VM/$1.config" "$TOP/tools/testing/selftests/fuse/config"
	[[ -z $OPT_DEBUG_KERNEL ]] || cat "$VM/debug.config"
	[[ -z $OPT_CONFIG ]] || cat "$OPT_CONFIG"
}

# UML copies these objects into every process, where KASAN's shadow is not: Linux 6.12
# instruments them all the same, and init dies.
readonly BUILD_PLAIN=(KASAN_SANITIZE_stub.o=n KASAN_SANITIZE_stub_segv.o=n)

# build_make LOG ARGUMENT...: the kernel's make, the same bytes every time.
build_make() {
	local log=$1
	shift
	child make -s -j"$(nproc)" "$@" "${BUILD_PLAIN[@]}" LOCALVERSION= KBUILD_BUILD_USER=fuse \
		KBUILD_BUILD_HOST=selftests KBUILD_BUILD_TIMESTAMP=1970-01-01 >>"$log" 2>&1
}

# build_failed LOG configure|build: what the compiler could not do is the source's
# fault, unless the machine was in its way.
build_failed() {
	local log=$1 what=$2
	if grep -q 'No space left on device' "$log"; then
		die "cannot $what $SOURCE_NAME: no space left for the cache $CACHE"
	fi
	mkdir -p "$OUT"
	cp "$log" "$OUT/build.log"
	tail -n 20 "$log" >&2
	untestable "$SOURCE_NAME does not $what; log: $OUT/build.log"
}

# What identifies the kernel to be built.
build_key() {
	local machine=$1 state=$SOURCE_ID
	if [[ -z $SOURCE_FIXED ]]; then
		state=$(python3 "$VM/sync.py" --state "$SOURCE_TREE" "$STAGE") || die "cannot read $SOURCE_TREE"
	fi
	{
		echo "$machine $state ${LLVM:-} $("${CC:-gcc}" --version | head -n 1)"
		(cd "$STAGE" && find . -type f -print0 | sort -z | xargs -0 -r sha256sum)
		build_fragments "$machine"
	} | hash_of
}

# Say which options asked for by --debug-kernel or --config this source does not have:
# kconfig drops them without a word.
build_dropped() {
	local dropped
	dropped=$({ [[ -z $OPT_DEBUG_KERNEL ]] || cat "$VM/debug.config"; [[ -z $OPT_CONFIG ]] || cat "$OPT_CONFIG"; } |
		grep -E '^CONFIG_[A-Z0-9_]+=' | grep -vxFf "$1/.config" | paste -sd' ') || true
	[[ -z $dropped ]] || say "$SOURCE_NAME for $BUILD_ARCH does not take: $dropped"
}

# Configure in directory $2 unless it is that already.
build_configure() {
	local machine=$1 objects=$2 log=$3
	build_fragments "$machine" >"$WORK/fragments"
	if [[ -e $objects/.config ]] && cmp -s "$WORK/fragments" "$objects/fragments"; then
		return
	fi
	build_make "$log" -C "$BUILD_COPY" O="$objects" ARCH="$BUILD_ARCH" \
		KCONFIG_ALLCONFIG="$WORK/fragments" allnoconfig || build_failed "$log" configure
	cp "$WORK/fragments" "$objects/fragments"
	build_dropped "$objects"
}

build_kernel_file() {
	case $BUILD_ARCH in
	um) echo linux ;;
	*) echo arch/x86/boot/bzImage ;;
	esac
}

# Compile into $CACHE/build/ID and put the kernel into directory $3.
build_run() {
	local machine=$1 key=$2 into=$3 lock changed log=$WORK/build.log start=$SECONDS
	local base=$CACHE/build/$SOURCE_ID objects goals=linux
	objects=$base/$machine${OPT_DEBUG_KERNEL:+-debug}
	BUILD_COPY=$base/tree
	[[ $BUILD_ARCH == um ]] || goals=bzImage
	cache_lock lock "build/$SOURCE_ID"
	mkdir -p "$BUILD_COPY" "$objects" || die "the cache $CACHE is not writable"
	: >"$log"
	[[ -e $BUILD_COPY/Makefile ]] || say "copying $SOURCE_NAME"
	child python3 "$VM/sync.py" ${SOURCE_FIXED:+--link} "$SOURCE_TREE" "$STAGE" "$BUILD_COPY" \
		>"$WORK/changed" 2>"$log" || die "cannot copy $SOURCE_NAME: $(reason_in "$log")"
	changed=$(<"$WORK/changed")
	say "building $SOURCE_NAME for $machine ($changed files changed)"
	build_configure "$machine" "$objects" "$log"
	build_make "$log" -C "$BUILD_COPY" O="$objects" ARCH="$BUILD_ARCH" "$goals" ||
		build_failed "$log" build
	{
		cp "$objects/$(build_kernel_file)" "$into/kernel" && cp "$objects/.config" "$into/config"
	} || die "cannot write to the cache: is the disk full?"
	exec {lock}>&-
	say "built ($((SECONDS - start)) s)"
}

build_prune() {
	local old
	find "$CACHE/kernel" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' 2>/dev/null | sort -rn |
		tail -n +"$((BUILD_KEPT + 1))" | while read -r _ old; do
		rm -rf "$old"
	done
}

# What UML before 6.13 needs to run on every host, see the patch.
build_mend_uml() {
	local place=arch/x86/um/os-Linux/registers.c
	grep -qs restore_i387_registers "$SOURCE_TREE/$place" || return 0
	child python3 "$VM/stage.py" patch "$SOURCE_TREE" "$STAGE" "$VM/uml-xstate.patch" 2>"$WORK/mend.log" ||
		untestable "cannot build $SOURCE_NAME as UML: $(tail -n 1 "$WORK/mend.log")"
}

# build_kernel uml|qemu: set KERNEL_* to the kernel built from the selected source.
build_kernel() {
	local machine=$1 key
	BUILD_ARCH=x86
	need kernel
	if [[ $machine == uml ]]; then
		BUILD_ARCH=um
		build_mend_uml
	fi
	key=$(build_key "$machine")
	if [[ ! -e $CACHE/kernel/$key ]]; then
		cache_make "kernel/$key" build_run "$machine" "$key"
		build_prune
	fi
	touch "$CACHE/kernel/$key"
	KERNEL_IMAGE=$CACHE/kernel/$key/kernel
	KERNEL_CONFIG=$CACHE/kernel/$key/config
	kernel_examine
	KERNEL_NAME="$SOURCE_NAME $KERNEL_VERSION"
}
