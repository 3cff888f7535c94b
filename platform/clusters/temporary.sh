#!/bin/bash
# Makes the folder RAY_TMPDIR, in which Ray's own is to lie, and closes it to other accounts: Ray
# lets everybody write its folder, and who writes there runs code as you. Called by the launch files
# before Ray starts; ends with status 1 where another account made a folder of this name first.
set -euo pipefail

mkdir -p -m 700 "$RAY_TMPDIR" 2>/dev/null || true # what is there is judged below
if [ -L "$RAY_TMPDIR" ] || [ ! -d "$RAY_TMPDIR" ] || [ ! -O "$RAY_TMPDIR" ]; then
    echo "$RAY_TMPDIR on $(uname -n) is not a folder of $(id -un)'s, and others could change what Ray" \
        "keeps there: have it removed, or name another in platform/clusters/shell.sh" >&2
    exit 1
fi
chmod 700 "$RAY_TMPDIR" # left open by an earlier Ray
