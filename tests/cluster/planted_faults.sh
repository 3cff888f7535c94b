#!/bin/bash
# Plants faults, one at a time, for real, and asks `cluster check` what is wrong:
#
#   bash tests/cluster/planted_faults.sh            # as root; some minutes on two CPUs
#
# Two nodes are sets of namespaces with Ray started by hand, a copy of the project that both see,
# and their own /dev/shm and Ray's files. What is planted are mounts, limits, a library that turns
# the clock, and files that one node alone has otherwise. For each the check must say, within 90
# seconds and without a traceback, what it is, on which node, and what to do; nothing else; and
# nothing where nothing is planted.
#
# Only shims stand for another Ray or Python (files of their versions, seen by one node) and another
# processor (its name in /proc/cpuinfo). Needs root, namespaces, ip, git, cc, and the project's .venv, or
# a PYTHON with all packages. The script's folder, in TMPDIR, is removed if all went well.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
source "$here/hosts.sh"
in_own_namespaces "$@"

python=${PYTHON:-$project/.venv/bin/python}
head=192.168.2.1 other=192.168.2.2
found=0 missing=()
cpus=$(env -u OMP_NUM_THREADS nproc) # which would have its say
started_by=(env) # what starts Ray on a node

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

fail() {
    say "FAILED: $*"
    say "its files are in $site"
    exit 1
}

make_site() {
    site=$(mktemp -d) copy=$site/project
    git clone --quiet --no-hardlinks "$project" "$copy"
    mkdir -p "$site/ray" "$site/empty" "$site/full" "$site/shared/datasets" "$site/shared/runs"
    (umask 077 && echo "$RANDOM-a-token-of-this-test-$RANDOM" > "$site/token")
    (umask 077 && echo "$RANDOM-another-token-of-this-test-$RANDOM" > "$site/other_token")
    packages=$("$python" -c 'import pathlib, ray; print(pathlib.Path(ray.__file__).parent.parent)')
    mount -t tmpfs -o size=1m tmpfs "$site/full" # both nodes see it
    head -c 2000000 /dev/zero > "$site/full/file" 2>/dev/null || true
    make_clock
    make_experiment
    mkdir "$site/python"
    echo "# Python reads this first." > "$site/python/sitecustomize.py"
    export PYTHONPATH=$copy/platform:$site/python PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
    export RAY_TMPDIR=$site/ray RAY_USAGE_STATS_ENABLED=0 RAY_enable_autoscaler_v2=0
    export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$site/token RAY_ADDRESS= RAY_USE_TLS=1
    for_another=$site/tls/for_another
    RAY_AUTH_TOKEN_PATH=$site/other_token make_certificate "$site/tls/of_another" $head
    make_certificate "$for_another" 192.168.2.99
    make_certificate "$site/tls" $head $other
}

# make_certificate FOLDER ADDRESSES...: which Ray takes from then on
make_certificate() {
    export RAY_TLS_SERVER_CERT=$1/crt RAY_TLS_SERVER_KEY=$1/key RAY_TLS_CA_CERT=$1/ca
    (cd "$copy" && "$python" -m orrery cluster certificate "${@:2}") || fail "the certificate"
}

# A library that turns the clock of the day an hour ahead, for whoever is started with it.
make_clock() {
    cat > "$site/clock.c" <<'C'
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t which, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, which, now);
    if (!failed && which == CLOCK_REALTIME) now->tv_sec += 3600;
    return failed;
}
C
    cc -shared -fPIC -o "$site/clock.so" "$site/clock.c"
}

# What tosses coins, by an actor, and prints how `generate` ended.
make_experiment() {
    cat > "$site/toss.py" <<'PYTHON'
import sys

import numpy as np

from orrery.execution.cluster import connect
from orrery.execution.simulation import generate
from orrery.records import Column, Records, Schema


class Coins:
    schema = Schema(
        scalars=(Column("index", "", "number of the toss", "int64"),),
        particles=(Column("heads", "", "1 or 0, of three coins"),),
    )

    def describe(self):
        return {"coins": 3}

    def records(self, seed, indices):
        ends = 3 * np.arange(len(indices) + 1, dtype=np.int32)
        heads = {"heads": np.zeros(3 * len(indices))}
        return Records({"index": np.array(indices)}, heads, ends)


try:
    with connect():
        generate(Coins(), 4, 1, sys.argv[1], shard_size=1)
    print("made")
except OSError as error:
    print(f"{type(error).__name__}: {error}")
PYTHON
}

# refuses WHAT: `generate` says this pattern, and does not begin
refuses() {
    local began=$SECONDS
    inside head bash -c "cd '$copy' && RAY_ADDRESS=$head:6379 timeout 150 '$python' '$site/toss.py' '$site/shared/datasets'" \
        > "$site/toss.log" 2>&1 || true
    grep -qE "$1" "$site/toss.log" || { cat "$site/toss.log"; fail "generate does not say: $1"; }
    say "generate refuses ($((SECONDS - began)) s): $(grep -E "$1" "$site/toss.log" | cut -c 1-150)"
}

# power_on NAME ADDRESS: a node without Ray
power_on() {
    local name=$1 address=$2 outer
    mkdir -p "$site/ray-$name"
    rm -f "$site/booted-$name"
    unshare --mount --net --pid --uts --fork --kill-child --mount-proc bash -c "
        hostname $name && ip link set lo up && mount --bind '$site/ray-$name' '$site/ray' &&
        mount -t tmpfs -o size=1g tmpfs /dev/shm && touch '$site/booted-$name' &&
        exec sleep infinity" 2>&$said &
    outer=$!
    until machine[$name]=$(pgrep -P "$outer") && [ -e "$site/booted-$name" ]; do
        kill -0 "$outer" 2>/dev/null || fail "$name does not start"
        sleep 0.05
    done
    ip link add "$name" type veth peer name eth0 netns "${machine[$name]}"
    ip link set "$name" master site up
    inside "$name" ip address add "$address/24" dev eth0
    inside "$name" ip link set eth0 up
}

# start_ray NAME OPTIONS...
start_ray() {
    local name=$1
    shift
    inside "$name" "${started_by[@]}" "$python" -m ray.scripts.scripts start --object-store-memory 100000000 --num-cpus 1 \
        --disable-usage-stats "$@" > "$site/start.log" 2>&1 || return 1
}

start_head() {
    power_on head $head
    start_ray head --head --node-ip-address $head --include-dashboard false "$@" ||
        { cat "$site/start.log"; fail "the head does not start"; }
}

# join: the other node
join() {
    start_ray other --address $head:6379 --node-ip-address $other "$@"
}

# leave: the other node, in an orderly way, so that the head knows at once
leave() {
    inside other pkill -TERM raylet || true
    local waited=0
    while inside other pgrep raylet > /dev/null && [ $((waited += 1)) -lt 100 ]; do sleep 0.1; done
    ip link delete other
    kill -KILL "${machine[other]}"
    unset "machine[other]"
}

# check OPTIONS...: what it says is in $site/check.log, its status in $status, its time in $took
check() {
    local began=$SECONDS
    status=0
    inside head bash -c "cd '$copy' && RAY_ADDRESS=$head:6379 timeout 150 '$python' -m orrery \
        cluster check --free 1 --folders '$site/shared/datasets' '$site/shared/runs' $*" > "$site/check.log" 2>&1 || status=$?
    took=$((SECONDS - began))
}

# healthy WHEN
healthy() {
    check --nodes 2
    [ $status = 0 ] && grep -q "^2 nodes can work together" "$site/check.log" ||
        { cat "$site/check.log"; fail "$1: two sound nodes are not called that"; }
    say "$1: 2 nodes can work together ($took s)"
}

# missed FAULT WHY: the others are planted all the same
missed() {
    cat "$site/check.log"
    say "MISSED: $1: $2 ($took s)"
    missing+=("$1")
}

# finds FAULT TROUBLES WHAT REMEDY [OPTIONS...]: patterns of one line; TROUBLES is how many lines there
# may be, none for an error of its own
finds() {
    local fault=$1 troubles=$2 what=$3 remedy=$4
    shift 4
    check "$@"
    [ $status = 1 ] || { missed "$fault" "status $status"; return; }
    grep -E "$what" "$site/check.log" | grep -qE "$remedy" ||
        { missed "$fault" "not found, or without remedy"; return; }
    ! grep -q Traceback "$site/check.log" || { missed "$fault" "a traceback"; return; }
    [ "$troubles" = 0 ] || grep -q "^error: $troubles troubles" "$site/check.log" ||
        { missed "$fault" "other troubles than that"; return; }
    [ $took -le 90 ] || { missed "$fault" "it took $took s"; return; }
    found=$((found + 1))
    say "$fault ($took s): $(grep -E "$what" "$site/check.log" | head -n 1 | cut -c 1-150)"
}

# replace NAME FILE SED: one node sees another version of a file
replace() {
    local changed
    changed=$(mktemp -p "$site")
    sed -E "$3" "$2" > "$changed"
    ! cmp -s "$changed" "$2" || fail "$2 is not changed by $3"
    inside "$1" mount --bind "$changed" "$2"
}

plant_in_files() {
    inside other mount -t tmpfs -o size=2g tmpfs "$site/shared/datasets"
    finds "no shared folder" 2 "^other .* does not see in $site/shared/datasets" "mount one file system"
    refuses "is a folder that workers cannot see, on $other: choose one"
    inside other umount "$site/shared/datasets"

    inside other mount --bind "$site/shared/datasets" "$site/shared/datasets"
    inside other mount -o remount,bind,ro "$site/shared/datasets"
    finds "read-only folder" 1 "^other .* cannot write into $site/shared/datasets .*[Rr]ead-only" "mount it writable"
    refuses "other cannot write $site/shared/datasets.*Read-only.*choose a folder"
    inside other umount "$site/shared/datasets"

    finds "full disk" 4 "^other .* 0.0 GB are free in $site/full" "free some space" --folders "$site/full"

    local cache=${XDG_CACHE_HOME:-$HOME/.cache} # where empty files can be made
    mkdir -p "$cache"
    inside other mount -t tmpfs -o size=64k tmpfs "$cache"
    inside other bash -c "head -c 200000 /dev/zero > '$cache/theirs' 2>/dev/null || true"
    finds "full home" 1 "^other .* cannot keep compiled code .*No space left" "free some space"
    inside other umount "$cache"

    replace other "$copy/platform/orrery/parameters.py" '1s/^/# edited\n/'
    finds "edited file" 2 "has code of orrery [0-9a-f]+, others" "the same commit"
    inside other umount "$copy/platform/orrery/parameters.py"

    mkdir "$site/commit"
    git clone --quiet "$copy" "$site/commit/project"
    git -C "$site/commit/project" -c user.name=a -c user.email=a@b commit --quiet --allow-empty -m other
    inside other mount --bind "$site/commit/project/.git" "$copy/.git"
    finds "other commit" 1 "has commit [0-9a-f]+, others" "the same commit"
    inside other umount "$copy/.git"

    # The environment may know the project that was copied, too.
    inside other mount --bind "$site/empty" "$copy/platform"
    inside other mount --bind "$site/empty" "$project/platform"
    finds "no package" 1 "^other .* did not answer .*orrery" "install there what the others have"
    inside other umount "$copy/platform" "$project/platform"

    local headers
    headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    inside other mount --bind /dev/null "$headers/Python.h"
    finds "no compiler" 1 "^other .* has C.. compiler None, others g" "install the same software"
    inside other umount "$headers/Python.h"

    replace other /proc/cpuinfo 's/^model name.*/model name : A Processor of Another Kind/'
    finds "other processor" 1 "has the processor .* others" "nodes of one kind"
    inside other umount /proc/cpuinfo

    local metadata=("$packages"/ray-*.dist-info/METADATA)
    replace other "${metadata[0]}" 's/^Version: .*/Version: 2.1.0/'
    finds "other Ray" 1 "has ray 2[0-9.]+, others 2" "install the same software"
    inside other umount "${metadata[0]}"

    replace other "$site/python/sitecustomize.py" \
        '1s/.*/import platform; platform.python_version = lambda: "3.11.99"/'
    finds "other Python" 1 "has python 3[0-9.]+, others 3" "install the same software"
    inside other umount "$site/python/sitecustomize.py"

    inside other bash -c "mount -o remount,size=400m /dev/shm && head -c 390m /dev/zero > /dev/shm/theirs"
    finds "full /dev/shm" 1 "^other .* /dev/shm is full: [0-9]+ MiB" "remove from it"
    inside other bash -c "rm /dev/shm/theirs && mount -o remount,size=1g /dev/shm"

    inside other pkill -STOP raylet
    finds "frozen node" 1 "^other .* did not answer|cluster: has 1 nodes" "ray status|ray start" --nodes 2
    inside other pkill -KILL raylet
}

# plant_at_start FAULT WHAT REMEDY OPTIONS...: a node that starts otherwise
plant_at_start() {
    local fault=$1 what=$2 remedy=$3
    shift 3
    join "$@" || { cat "$site/start.log"; fail "$fault: the node does not start"; }
    finds "$fault" 1 "^other .* $what" "$remedy" --nodes 2
    leave
    power_on other $other
    started_by=(env)
}

plant_at_starts() {
    started_by=(env "LD_PRELOAD=$site/clock.so")
    plant_at_start "clock an hour ahead" "its clock is .3[56][0-9]{2}.* s off" "time service"

    plant_at_start "no GPU where asked" "torch sees 0 GPUs, Ray has promised 1" "install a driver" --num-gpus 1

    plant_at_start "a CPU more than there are" "may use $cpus CPUs, Ray has promised" \
        "start Ray with --num-cpus" --num-cpus $((cpus + 1))

    inside other mount -o remount,size=16m /dev/shm
    plant_at_start "small /dev/shm" "/dev/shm has 16 MiB" "give it 256 MiB"

    started_by=(bash -c 'ulimit -n 512 && exec "$@"' bash)
    plant_at_start "few open files" "may open 512 files" "raise it to 4096"

    started_by=(env OMP_NUM_THREADS=64)
    plant_at_start "other threads" "has OMP_NUM_THREADS=64, others 1" "set it on all nodes"

    install -m 644 "$site/token" "$site/open_token"
    started_by=(env "RAY_AUTH_TOKEN_PATH=$site/open_token")
    plant_at_start "token for all to read" "others may read $site/open_token" "chmod 600"

    # Ray lets a node in whose certificate is for another address, and loses it within half a minute.
    inside other mount --bind "$for_another" "$site/tls"
    join || { cat "$site/start.log"; fail "a node with a certificate for another address"; }
    sleep 30
    finds "certificate for another address" 1 "^the cluster: has 1 nodes, not 2, and has lost other .$other." \
        "cluster certificate" --nodes 2
    leave
    power_on other $other

    # Ray itself lets no node in that has another Ray; the check tells that one is missing.
    replace other "$packages/ray/_version.py" 's/^version = .*/version = "2.1.0"/'
    ! join || fail "a node with another Ray is let in"
    grep -q "Version mismatch" "$site/start.log" || { cat "$site/start.log"; fail "another Ray"; }
    finds "node not let in" 1 "^the cluster: has 1 nodes, not 2" "another Ray" --nodes 2
    inside other umount "$packages/ray/_version.py"
}

# Of who asks: the nodes are sound.
plant_at_the_desk() {
    replace head "$packages/ray/_version.py" 's/^version = .*/version = "2.1.0"/'
    finds "other Ray at the desk" 0 "has another Ray or Python than this process" "install the same versions"
    inside head umount "$packages/ray/_version.py"
    RAY_AUTH_TOKEN_PATH=$site/other_token
    finds "wrong token" 0 "asks for another token" "ray get-auth-token"
    RAY_AUTH_TOKEN_PATH=$site/no_token
    finds "no token to show" 0 "RAY_AUTH_TOKEN_PATH=.* cannot be read" "name a file"
    RAY_AUTH_TOKEN_PATH=$site/token

    RAY_TLS_SERVER_CERT=$site/tls/nowhere
    finds "no certificate to show" 0 "nowhere or its key cannot be used .*No such file" "cluster certificate"
    local of_another=$site/tls/of_another
    RAY_TLS_SERVER_CERT=$of_another/crt RAY_TLS_SERVER_KEY=$of_another/key RAY_TLS_CA_CERT=$of_another/ca
    finds "another token's certificate" 0 "shows a certificate of another token" "cluster certificate"
    RAY_TLS_SERVER_CERT=$site/tls/crt RAY_TLS_SERVER_KEY=$site/tls/key RAY_TLS_CA_CERT=$site/tls/ca
    RAY_USE_TLS=0
    finds "no TLS at the desk" 0 "asks for a certificate" "RAY_USE_TLS=1"
    RAY_USE_TLS=1
}

start_head_again() {
    ip link delete head
    kill -KILL "${machine[head]}"
    start_head
}

# A cluster that lets everybody in, and one that everybody can end.
plant_without_doors() {
    RAY_AUTH_MODE=disabled
    start_head_again
    finds "no token asked" 1 "^head .* asks nobody for a token" "RAY_AUTH_MODE=token"
    RAY_AUTH_MODE=token

    RAY_USE_TLS=0
    start_head_again
    finds "no certificate asked" 1 "^head .* asks nobody for a certificate" "RAY_USE_TLS=1"
    RAY_USE_TLS=1
    finds "no TLS at the head" 0 "uses no TLS, which RAY_USE_TLS=1 demands" "start it with that"
}

make_site
start_head
power_on other $other
join || { cat "$site/start.log"; fail "the other node does not start"; }
healthy "at first"
plant_in_files
leave
power_on other $other
plant_at_starts
plant_at_the_desk
join || { cat "$site/start.log"; fail "the other node does not start again"; }
healthy "at last"
plant_without_doors
[ ${#missing[@]} = 0 ] || fail "not found: ${missing[*]}"
say "$found faults were planted, and all were found"
umount "$site/full"
kill -KILL "${machine[@]}"
for _ in {1..40}; do rm -rf "$site" 2>/dev/null && break || sleep 0.5; done # what ends writes its logs
[ ! -e "$site" ] || fail "$site is not removed"
say SUCCESS

