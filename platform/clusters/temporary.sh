#!/bin/bash
# Makes the folders in which Ray keeps what it trusts, closed to other accounts, and prints the first;
# or refuses what it finds there, with status 1. Called by shell.sh, by bin/ray before each `ray`, and
# by the launch files before Ray starts. It changes nothing that is there.
#
# In the first, ORRERY_TMPDIR, are Ray's own folder, which Ray lets everybody write, and all temporary
# files. In the other, whose name is Ray's, are the connections of ssh by which it reaches other
# machines: who makes one there is taken for such a machine, and is sent the token.
set -euo pipefail
umask 077 # also of folders above, which it makes where there are none

user=${LOGNAME:-${USER:-$(id -un)}} # as Ray asks for it
another="let ORRERY_TMPDIR name another, above the line of shell.sh in ~/.bashrc"
letters=$(printf %s "$user" | sha256sum | cut -c 1-10)

refuse() {
    echo "$folder on $(uname -n) $*" >&2
    exit 1
}

# is_ours PATH: nobody but root and this account can put something else in its place
is_ours() {
    local owner mode
    read -r owner mode <<< "$(stat -c '%u 0%a' -- "$1" 2> /dev/null)"
    [ "$owner" = 0 ] || [ "$owner" = "$(id -u)" ] || return 1
    [ $((mode & 022)) -eq 0 ] || [ $((mode & 01000)) -ne 0 ] # sticky, as /tmp is
}

# judge_above SEEN REMEDY: what the folder lies in is ours, all of it or, with -e, as far as it is there
judge_above() {
    local above
    above=$(dirname -- "$folder")
    while [ "$above" != / ]; do
        if test "$1" "$above" && ! is_ours "$above"; then
            refuse "lies in $above, in which other accounts could exchange it: $2"
        fi
        above=$(dirname -- "$above")
    done
}

# put_aside: the command that does so, to a name at which nothing lies
put_aside() {
    local aside=$folder.open number=1
    while [ -e "$aside" ] || [ -L "$aside" ]; do
        number=$((number + 1))
        aside=$folder.open$number
    done
    printf 'mv -T %q %q' "$folder" "$aside"
}

# judge MASK ABOVE ANOTHERS [INSTEAD]: the folder is there, this account's, without these modes, and
# can be written; what to do where it lies in another's, where it is another's, and what else wherever
# it cannot be used
judge() {
    local said probe mode others
    judge_above -e "$2"
    said=$(mkdir -p -m 700 -- "$folder" 2>&1) || true # what is there is judged now
    if [ ! -e "$folder" ] && [ ! -L "$folder" ]; then
        refuse "cannot be made (${said:-it is gone again}): see whether its disk is full or only read"
    fi
    # another account may have been quicker with what was missing, and may hide it for this look
    judge_above -n "$2"
    mode=$(stat -c 0%a -- "$folder") || refuse "does not say who may read it"
    if [ $((mode & 01000)) -ne 0 ] && [ $((mode & 022)) -ne 0 ] && [ -n "${4:-}" ]; then
        refuse "is for all accounts: $4" # as /tmp is, which nobody should put aside or remove
    elif [ -L "$folder" ] || [ ! -d "$folder" ] || [ ! -O "$folder" ]; then
        refuse "is not a folder of $user's, and others could change what Ray keeps there: $3"
    elif [ $((mode & $1)) -ne 0 ]; then
        # whose programs may be inside, where they stay when it is closed
        refuse "is open to other accounts: \`ray stop\` what of yours runs there, and" \
            "\`$(put_aside)\`, if it is Ray's alone; a new one is made${4:+; or $4}"
    fi
    others=$(find "$folder" -xdev ! -user "$(id -u)" ! -user 0 -print -quit 2> /dev/null) || true
    if [ -n "$others" ]; then
        refuse "holds $others, which is another account's: remove what is not $user's own"
    fi
    # where nothing can be written, programs take /tmp or /var/tmp without a word; a few bytes find room
    # on a full disk, and what is over a quota may be refused only when it is to be kept
    probe=$(mktemp "$folder/.probe.XXXXXX" 2> /dev/null) || probe=
    if [ -z "$probe" ] ||
        ! dd if=/dev/urandom of="$probe" bs=64k count=1 conv=fsync 2> /dev/null; then
        rm -f "$probe"
        refuse "cannot be written: see whether its disk is full or only read"
    fi
    rm "$probe"
}

folder=${ORRERY_TMPDIR:-/tmp/orrery-$(id -u)}
[ "${folder:0:1}" = / ] || refuse "is no whole path: let ORRERY_TMPDIR begin with /"
# without a slash at the end, which would hide a link; what lies above without links
folder=$(realpath -m -- "$(dirname -- "$folder")")/$(basename -- "$folder")
case $(basename -- "$folder") in
    / | . | ..) refuse "is none that could be made: $another" ;;
esac
temporary=$folder
anothers=$another # one that was named may be for others, and nobody should remove it
[ -n "${ORRERY_TMPDIR:-}" ] || anothers="have it removed, or $another"
judge 077 "chmod go-w that, if it is yours, or $another" "$anothers" "$another"
folder=$(realpath /tmp)/ray_ssh_$letters
# Ray itself makes it for all to read
judge 022 "have /tmp made root's and sticky (mode 1777)" "have it removed"
echo "$temporary"
