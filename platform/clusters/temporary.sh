#!/bin/bash
# Makes the folders in which Ray keeps what it trusts, closed to other accounts, or refuses what it
# finds there, with status 1. Called by shell.sh before each `ray` that is typed, and by the launch
# files before Ray starts. It changes nothing that is there.
#
# In the first, shell.sh has Ray's own folder, which Ray lets everybody write, and all temporary files.
# In the other, whose name is Ray's, are the connections of ssh by which it reaches other machines:
# who makes one there is taken for such a machine, and is sent the token.
set -euo pipefail

user=${LOGNAME:-${USER:-$(id -un)}} # as Ray asks for it
letters=$(printf %s "$user" | sha256sum | cut -c 1-10)

refuse() {
    echo "$folder on $(uname -n) $1" >&2
    exit 1
}

for folder in "${ORRERY_TMPDIR:-/tmp/orrery-$(id -u)}" "/tmp/ray_ssh_$letters"; do
    said=$(mkdir -p -m 700 "$folder" 2>&1) || true # what is there is judged now
    if [ ! -e "$folder" ] && [ ! -L "$folder" ]; then
        refuse "cannot be made ($said): see whether its disk is full or only read"
    elif [ -L "$folder" ] || [ ! -d "$folder" ] || [ ! -O "$folder" ]; then
        refuse "is not a folder of $user's, and others could change what Ray keeps there: have it removed"
    elif [ $((0$(stat -c %a "$folder") & 077)) -ne 0 ]; then
        refuse "is open to other accounts: see whether all in it is $user's own, and \`chmod go= $folder\`"
    fi
    # where nothing can be written, programs take /tmp or /var/tmp without a word
    probe=$(mktemp "$folder/.probe.XXXXXX" 2>/dev/null) || probe=
    if [ -z "$probe" ] || ! printf 'a probe\n' 2>/dev/null > "$probe"; then
        rm -f "$probe"
        refuse "cannot be written: see whether its disk is full or only read"
    fi
    rm "$probe"
done
