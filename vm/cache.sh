# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # cleanup() removes PARTIAL
#
# The cache: things that are made once. Whatever stands under its final name is
# complete; two runs that want the same thing wait for each other.

CACHE=${FUSE_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/fuse-selftests}

cache_begin() {
	{ mkdir -p "$CACHE/lock" && [[ -w $CACHE ]]; } 2>/dev/null ||
		die "cannot write to the cache $CACHE (FUSE_CACHE_DIR names another one)"
}

# cache_make NAME COMMAND...: unless $CACHE/NAME is there, run COMMAND with the
# path of an empty directory added, and keep that directory as NAME.
cache_make() {
	local name=$1 partial=$CACHE/.partial.${1//\//_} lock
	shift
	[[ ! -e $CACHE/$name ]] || return 0
	cache_lock lock "$name"
	if [[ ! -e $CACHE/$name ]]; then
		# Only the holder of the lock has a partial one: this is from a killed run.
		rm -rf "$partial"
		mkdir -p "$partial" "$(dirname "$CACHE/$name")" || die "the cache $CACHE is not writable"
		PARTIAL=$partial
		"$@" "$partial"
		mv -T "$partial" "$CACHE/$name"
		PARTIAL=
	fi
	exec {lock}>&-
}

# cache_lock VARIABLE NAME: hold the lock of NAME until {VARIABLE} is closed.
cache_lock() {
	local -n fd=$1
	exec {fd}>"$CACHE/lock/${2//\//_}" || die "cannot write to the cache $CACHE"
	if ! flock -n "$fd"; then
		say "waiting for another run that makes $2"
		child flock "$fd"
	fi
}
