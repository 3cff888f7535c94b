#!/bin/bash
# Ray on one node of a Slurm job, until it gets a signal. Called by slurm.sh.
#
# slurm_node.sh FOLDER TEMPORARY [HEAD]: FOLDER is what the job's nodes share; TEMPORARY is how the
# name of the folder begins that is made for Ray on this node; HEAD is the address of the head, which
# this node is if there is none.
set -uo pipefail
folder=$1 head=${3:-}
address=$(sed -n "s/^$SLURMD_NODENAME //p" "$folder/addresses")

if [ -z "$address" ]; then
    echo "Slurm names no address of $SLURMD_NODENAME that is found: see $folder/addresses" >&2
    exit 1
fi
for left in "$2".*; do # by a job that Slurm started again
    [ ! -O "$left" ] || rm -rf "$left"
done
# Everybody may write in /tmp: Ray's sockets must lie in a folder whose name nobody else could guess
# and take. Ray lets everybody write its own folder, so that it lies inside this one, which is closed.
temporary=$(mktemp -d "$2.XXXXXX") || exit 1
ulimit -n "$(ulimit -Hn)"

free_port() {
    python -c 'import socket
with socket.socket() as found:
    found.bind(("", 0))
    print(found.getsockname()[1])'
}

# Ray's own ports are free ones: what it would take by default may be another Ray's.
if [ -n "$head" ]; then
    role=(--address="$head")
else
    role=(--head --port=0 --include-dashboard=false --ray-client-server-port="$(free_port)")
fi
ray start --block "${role[@]}" --node-ip-address="$address" --temp-dir="$temporary/ray" \
    --num-cpus="$SLURM_CPUS_ON_NODE" --num-gpus="${SLURM_GPUS_ON_NODE:-0}" \
    --object-store-memory=268435456 --dashboard-agent-listen-port=0 \
    --min-worker-port=0 --max-worker-port=0 > "$temporary/start.log" 2>&1 &
ray=$!
trap 'ended=${ended:-$SECONDS}; kill -TERM $ray 2>/dev/null' USR1 TERM INT
ended= # when it was told to
patience=10 # [s] for Ray's end: of a cancelled job Slurm kills all, this script too, after some 30 s

# Ray writes this file last, when it has started.
until [ -s "$temporary/ray/ray_current_cluster" ]; do
    kill -0 $ray 2>/dev/null || break
    sleep 0.2
done
cp "$temporary/ray/ray_current_cluster" "$folder/joined/$SLURMD_NODENAME" 2>/dev/null

head_answers() {
    local host=${head%:*}
    host=${host#[} host=${host%]} # of an IPv6 address
    [ -z "$head" ] || timeout 5 bash -c ": < /dev/tcp/$host/${head##*:}" 2>/dev/null
}

# With --no-kill Slurm keeps a job that has lost the node of its script, until its time limit; what
# is left of it has it started again.
missed=0
while kill -0 $ray 2>/dev/null; do
    pause=10
    [ -z "$ended" ] || pause=0.2
    sleep $pause > /dev/null 2>&1 &
    napping=$!
    wait -n $ray $napping # or until a signal comes
    kill $napping 2>/dev/null # nothing outlives this
    if [ -n "$ended" ]; then
        [ $((SECONDS - ended)) -lt $patience ] || break
        continue
    fi
    if head_answers; then missed=0; else missed=$((missed + 1)); fi
    if [ $missed -eq 4 ]; then
        echo "the head at $head is lost: the job is to start again" >&2
        scontrol requeue "$SLURM_JOB_ID"
    fi
done
if [ -z "$ended" ]; then
    echo "Ray has ended on $SLURMD_NODENAME:" >&2
    tail -n 20 "$temporary/start.log" >&2
fi
pkill -KILL -U "$(id -u)" -f -- "$temporary/" # what did not end with it
rm -rf "$temporary"
[ -n "$ended" ]
