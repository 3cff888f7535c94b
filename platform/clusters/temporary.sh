#!/bin/bash
# Makes the folders in which Ray keeps what it trusts, and closes them to other accounts, or refuses
# those that another account made first, with status 1. Called by shell.sh, and by the launch files
# before Ray starts.
#
# In the first, shell.sh has Ray's own folder, which Ray lets everybody write, and all temporary files.
# In the other, whose name is Ray's, are the connections of ssh by which it reaches other machines:
# who makes one there is taken for such a machine, and is sent the token.
set -euo pipefail

user=${LOGNAME:-${USER:-$(id -un)}} # as Ray asks for it
letters=$(printf %s "$user" | sha256sum | cut -c 1-10)

for folder in "${ORRERY_TMPDIR:-/tmp/orrery-$(id -u)}" "/tmp/ray_ssh_$letters"; do
    mkdir -p -m 700 "$folder" 2>/dev/null || true # what is there is judged now
    if [ -L "$folder" ] || [ ! -d "$folder" ] || [ ! -O "$folder" ]; then
        echo "$folder on $(uname -n) is not a folder of $user's, and others could change what Ray keeps" \
            "there: have it removed" >&2
        exit 1
    fi
    # one that was open may hold what others put there
    if [ "$(stat -c %a "$folder")" != 700 ]; then
        rm -rf "${folder:?}"/* "${folder:?}"/.[!.]*
        chmod 700 "$folder"
    fi
done
