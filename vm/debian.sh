# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# Kernels out of Debian's packages: downloaded and unpacked into the cache, never
# installed.

readonly DEBIAN_DEFAULT=linux-image-6.12-cloud-amd64

# The package that a meta package stands for; prints its name.
debian_resolve() {
	apt-cache depends --important "$1" 2>/dev/null |
		sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

# The package of version $1: the release's own kernel has none named after it.
debian_package() {
	local own=linux-image-cloud-amd64
	if [[ $(debian_resolve "$own") == linux-image-"$1".* ]]; then
		echo "$own"
	else
		echo "linux-image-$1-cloud-amd64"
	fi
}

debian_lists() {
	command -v apt-get >/dev/null ||
		die "Debian's kernel needs apt-get; on this system give --kernel FILE or --tree DIR"
	[[ -z $(apt-cache show --no-all-versions "$1" 2>/dev/null) ]] || return 0
	say "fetching apt's package lists"
	child apt-get update -qq >/dev/null 2>&1 || child sudo -n apt-get update -qq >/dev/null 2>&1 || true
	[[ -n $(apt-cache show --no-all-versions "$1" 2>/dev/null) ]] ||
		die "apt knows no package $1 (Debian 12 with security updates has it)"
}

# Download package $1 and unpack it into directory $2.
debian_download() {
	local package=$1 dir=$2 deb
	say "downloading $package"
	child env -C "$dir" apt-get download -qq -o APT::Sandbox::User=root "$package" >"$WORK/apt.log" 2>&1 ||
		die "cannot download $package: $(reason_in "$WORK/apt.log")"
	deb=$(echo "$dir"/*.deb)
	debian_unpack "$deb" "$dir"
	rm -f "$deb"
}

# Unpack the kernel package file $1 into directory $2.
debian_unpack() {
	local deb=$1 dir=$2 version
	say "unpacking $(basename "$deb")"
	child dpkg-deb -x "$deb" "$dir" 2>"$WORK/deb.log" || die "$deb: $(reason_in "$WORK/deb.log")"
	# depmod wants lib/modules; newer packages have usr/lib/modules.
	[[ -d $dir/lib/modules || ! -d $dir/usr/lib/modules ]] || ln -s usr/lib "$dir/lib"
	version=$(cd "$dir/lib/modules" 2>/dev/null && echo *) || true
	[[ -n $version && -e $dir/boot/vmlinuz-$version ]] ||
		die "$deb holds no kernel with modules"
	child depmod -b "$dir" "$version" || die "depmod failed on $deb"
}

# Set KERNEL_* to an unpacked package in directory $1.
debian_use() {
	KERNEL_VERSION=$(cd "$1/lib/modules" && echo *)
	KERNEL_IMAGE=$1/boot/vmlinuz-$KERNEL_VERSION
	KERNEL_MODULES=$1
	KERNEL_NAME="Debian $KERNEL_VERSION"
}

# kernel_debian [WHAT]: a package file, a package name, a version ("6.12", "6.1"),
# or nothing for the default. What was resolved once is not asked of apt again.
kernel_debian() {
	local what=${1:-$DEBIAN_DEFAULT} package
	if [[ -f $what ]]; then
		package=$(sha256sum <"$what" | cut -c1-16)
		cache_make "deb/$package" debian_unpack "$what"
		debian_use "$CACHE/deb/$package"
		return
	fi
	[[ $what != [0-9]* ]] || what=$(debian_package "$what")
	if [[ -L $CACHE/deb/$what ]]; then
		package=$(readlink "$CACHE/deb/$what")
	else
		debian_lists "$what"
		package=$(debian_resolve "$what")
		package=${package:-$what}
	fi
	cache_make "deb/$package" debian_download "$package"
	[[ $package == "$what" ]] || ln -sfnT "$package" "$CACHE/deb/$what"
	debian_use "$CACHE/deb/$package"
}
