# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
#
# Where the sources of a kernel come from and what is changed in them. Sets
#	SOURCE_TREE	a directory nobody of us writes to
#	SOURCE_ID	names it in the cache: one build directory each
#	SOURCE_NAME	for people
#	SOURCE_FIXED	non-empty: the tree never changes
#	STAGE		directory with the changed files, see vm/stage.py

SOURCE_TREE='' SOURCE_ID='' SOURCE_NAME='' SOURCE_FIXED='' STAGE='' SOURCE_LOCK=''

source_unpack() {
	local tarball=$1
	say "unpacking $(basename "$tarball")"
	child tar -C "$2" --strip-components=1 -xf "$tarball" 2>"$WORK/tar.log" ||
		die "cannot unpack $tarball: $(reason_in "$WORK/tar.log")"
}

# Debian's linux-source-$1.
source_debian() {
	local version=$1 tarball=/usr/src/linux-source-$1.tar.xz
	if [[ ! -e $tarball ]]; then
		need "source-$version"
	fi
	SOURCE_ID=debian-$version-$(stat -c '%s-%Y' "$tarball")
	SOURCE_NAME="linux-source-$version"
	SOURCE_FIXED=1
	cache_make "source/$SOURCE_ID" source_unpack "$tarball"
	SOURCE_TREE=$CACHE/source/$SOURCE_ID
}

# A tree of the user's, as it is now.
source_tree() {
	SOURCE_TREE=$(realpath -e -- "$1" 2>/dev/null) || die "--tree $1: no such directory"
	[[ -e $SOURCE_TREE/Kbuild && -e $SOURCE_TREE/fs/fuse ]] || die "--tree $1 is no kernel tree"
	SOURCE_ID=tree-$(hash_of <<<"$SOURCE_TREE")
	SOURCE_NAME=$(basename "$SOURCE_TREE")
	SOURCE_FIXED=''
}

# Revision $2 of the user's git tree $1, checked out beside it with an index of our own.
source_revision() {
	local tree=$1 commit
	source_tree "$tree"
	commit=$(source_git rev-parse --verify --quiet "$2^{commit}") ||
		die "--base $2: no such revision in $tree"
	SOURCE_ID=base-$(hash_of <<<"$SOURCE_TREE")
	SOURCE_NAME="$SOURCE_NAME $(source_git describe --always --tags "$commit" 2>/dev/null || echo "$2")"
	# Held to the end of the run, so that another one with another base waits.
	[[ -n $SOURCE_LOCK ]] || cache_lock SOURCE_LOCK "checkout/$SOURCE_ID"
	mkdir -p "$CACHE/checkout/$SOURCE_ID"
	GIT_INDEX_FILE=$CACHE/checkout/$SOURCE_ID.index GIT_WORK_TREE=$CACHE/checkout/$SOURCE_ID \
		child git -c safe.directory='*' -C "$SOURCE_TREE" --git-dir "$(source_git rev-parse --absolute-git-dir)" \
		read-tree --reset -u "$commit" 2>"$WORK/git.log" ||
		die "cannot check out $2: $(reason_in "$WORK/git.log")"
	SOURCE_TREE=$CACHE/checkout/$SOURCE_ID
}

source_git() {
	git -c safe.directory='*' -C "$SOURCE_TREE" "$@"
}

# Apply one change to the stage: KIND:FILE as in OPT_CHANGES.
source_change() {
	local kind=${1%%:*} file=${1#*:} patches patch
	if [[ $kind == cocci ]]; then
		need cocci
		child python3 "$VM/stage.py" cocci "$SOURCE_TREE" "$STAGE" "$file" 2>"$WORK/stage.log" ||
			untestable "$(tail -n 1 "$WORK/stage.log")"
		return
	fi
	patches=$(mktemp -d "$WORK/series.XXXXXX")
	python3 "$VM/series.py" "$patches" "$file" >/dev/null 2>"$WORK/stage.log" ||
		die "$(tail -n 1 "$WORK/stage.log" | sed "s|^$WORK/stdin.patch|standard input|")"
	for patch in "$patches"/*.patch; do
		say "applying: $(head -n 1 "$patch" | cut -c3-)"
		child python3 "$VM/stage.py" patch "$SOURCE_TREE" "$STAGE" "$patch" 2>"$WORK/stage.log" ||
			untestable "$(tail -n 1 "$WORK/stage.log")"
	done
}

# Standard input can be read once, but --compare needs its patches twice.
source_keep_stdin() {
	local i
	for i in "${!OPT_CHANGES[@]}"; do
		[[ ${OPT_CHANGES[i]#*:} == - ]] || continue
		cat >"$WORK/stdin.patch"
		OPT_CHANGES[i]=${OPT_CHANGES[i]%%:*}:$WORK/stdin.patch
	done
}

# source_select base|patched
source_select() {
	local change
	if [[ -n $OPT_SOURCE ]]; then
		source_debian "$OPT_SOURCE"
	elif [[ -n $OPT_BASE ]] && { [[ $1 == base ]] || [[ ${#OPT_CHANGES[@]} -gt 0 ]] || [[ -z $OPT_COMPARE ]]; }; then
		source_revision "$OPT_TREE" "$OPT_BASE"
	else
		source_tree "$OPT_TREE"
	fi
	STAGE=$WORK/stage.$1
	mkdir -p "$STAGE"
	[[ $1 == patched ]] || return 0
	for change in "${OPT_CHANGES[@]}"; do
		source_change "$change"
	done
	[[ ${#OPT_CHANGES[@]} -eq 0 ]] || SOURCE_NAME+=" + ${#OPT_CHANGES[@]} changes"
}
