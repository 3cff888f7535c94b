# What the trials of launch files share: sourced after hosts.sh, which makes their machines.

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

fail() {
    say "FAILED: $*"
    say "its machines' files are in $site"
    exit 1
}

# find_wheelhouse: before the network is left, where an index is reached
find_wheelhouse() {
    if [ -z "${WHEELHOUSE:-}" ]; then
        export WHEELHOUSE=$project/wheelhouse
        test -d "$WHEELHOUSE" || bash "$project/platform/clusters/environment.sh" wheelhouse
    fi
}

# bring_wheelhouse: into the shared folder
bring_wheelhouse() {
    mkdir "$shared/wheelhouse"
    mount --bind "$WHEELHOUSE" "$shared/wheelhouse"
}

# make_environment NAME: the project's, by an account of a machine
make_environment() {
    as orrery "$1" "cd orrery && PYTHON=$python bash platform/clusters/environment.sh" ||
        fail "the environment"
    say "the environment is made, once, in the shared folder, from the wheelhouse"
}

shards() { find "$shared/$1" -name 'shard-*.arrow' 2>/dev/null | wc -l; }

# The bytes of the simulations in a folder; the record of the work and the card tell its times.
bytes_of() {
    (cd "$shared/$1" && find . -path './mwlmc-*' -type f ! -name work.jsonl ! -name README.md \
        ! -path '*/summaries/*' -print0 | sort -z | xargs -0 sha256sum)
}

# compare_datasets NAME ONE OTHER SHARDS: by a machine's account
compare_datasets() {
    bytes_of "$2" > "$site/$2.sum"
    bytes_of "$3" > "$site/$3.sum"
    [ "$(grep -c shard- "$site/$3.sum")" -eq "$4" ] || fail "shards are missing"
    cmp "$site/$2.sum" "$site/$3.sum" || fail "the bytes differ"
    as orrery "$1" "cd orrery && .venv/bin/python - $3/mwlmc-*" <<< 'if True:
        import sys
        from pathlib import Path
        from orrery.storage.dataset import Dataset
        Dataset.open(Path(sys.argv[1])).verify(full=True)' || fail "the dataset is damaged"
}

# leftovers NAME: what the account runs on a machine, and ports that are not ssh's
leftovers() {
    inside "$1" ps -U orrery -o args= || true
    inside "$1" ss -Hltn | grep -v ':22 ' || true
}

# remove_site: the machines' files, after all went well
remove_site() {
    umount "$shared/wheelhouse"
    rm -rf "$site"
    say "SUCCESS"
}
