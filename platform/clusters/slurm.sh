#!/bin/bash
# Runs an experiment on the nodes of a Slurm job. To fill in below, or as options of sbatch: what
# the site asks for (partition, account, GPUs), how many nodes, and for how long. To do once, in the
# project's folder, on a file system that all nodes see, on a node with pip's index (or with a
# wheelhouse: see the script's header):
#
#   bash platform/clusters/environment.sh
#
# Before it costs hours, submit, look, run again, cancel; always from the project's folder:
#
#   sbatch --nodes=4 --time=10 platform/clusters/slurm.sh -m orrery cluster check
#   sbatch --nodes=4 platform/clusters/slurm.sh experiments/desi.py --simulations 128000
#   squeue --me; tail -f orrery-JOB.log
#   sbatch --nodes=4 platform/clusters/slurm.sh experiments/desi.py --simulations 128000
#   scancel JOB
#
# What stands after the script's name is given to python. Five minutes before its time limit the
# experiment is told to end, so that --time must be several minutes more than that; the same command,
# submitted again, continues where it stopped. A node that is lost costs a node. If it is the first,
# on which the experiment runs, Slurm starts the job again by itself, where the site allows that.
#
# Each job has a Ray of its own, beside others' on the same nodes: with a token and a certificate that
# it makes and only its nodes show, ports that are free, and a temporary folder /tmp/orrery-JOB.* on each node. At
# the end it stops this Ray and no other. The nodes' addresses are Slurm's own.
#
#SBATCH --job-name=orrery
#SBATCH --nodes=2
#SBATCH --time=24:00:00
##SBATCH --partition=...
##SBATCH --account=...
##SBATCH --gpus-per-node=1
#
# Whole nodes; without --no-kill, a lost one would end the job.
#SBATCH --exclusive
#SBATCH --mem=0
#SBATCH --ntasks-per-node=1
#SBATCH --no-kill
#SBATCH --requeue
#SBATCH --signal=B:TERM@300
#SBATCH --open-mode=append
#SBATCH --output=orrery-%j.log
set -euo pipefail

say() { echo "slurm.sh: $*"; }

if [ $# -eq 0 ]; then
    echo "usage: sbatch platform/clusters/slurm.sh experiments/NAME.py [options]" >&2
    exit 2
fi
node_script=platform/clusters/slurm_node.sh
if [ ! -f $node_script ]; then
    echo "there is no $PWD/$node_script: submit from the project's folder" >&2
    exit 2
fi
if [ -f .venv/bin/activate ]; then
    source .venv/bin/activate
fi

# More OpenMP threads than cores, on cores that all simulate, are several times slower.
export OMP_NUM_THREADS=1
export GRPC_ENABLE_FORK_SUPPORT=0 # see shell.sh
export RAY_USAGE_STATS_ENABLED=0
unset RAY_ADDRESS RAY_AUTH_TOKEN # which may be another cluster's

patience=600 # [s] nodes of a busy cluster start minutes apart
folder=$PWD/.slurm/$SLURM_JOB_ID # what this job's nodes share
temporary=/tmp/orrery-$SLURM_JOB_ID # and letters that each node chooses
nodes=$SLURM_JOB_NUM_NODES
steps=()
experiment=
watch= # of what Slurm does with a job that was told to end
told=0 # how often

# Ray asks everybody for the token of this file: otherwise whoever reaches a port runs code.
make_token() {
    python -c 'import sys, pathlib
from orrery.execution.tokens import make_token
make_token(pathlib.Path(sys.argv[1]))' "$folder"
    export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$folder/auth_token
}

# Ray hears only who shows a certificate: otherwise one request that shows no token ends it. The job's
# nodes share one, for the addresses of all.
make_certificate() {
    export RAY_USE_TLS=1 RAY_TLS_SERVER_CERT=$folder/job.crt RAY_TLS_SERVER_KEY=$folder/job.key
    export RAY_TLS_CA_CERT=$folder/authority.crt
    python -m orrery cluster certificate $(cut -d " " -f 2 "$folder/addresses")
}

# "NAME ADDRESS" of each node, from Slurm's own list. Names in it, where a site writes names there,
# are those by which Slurm itself finds the nodes; a node may call itself 127.0.1.1.
list_addresses() {
    local name address
    scontrol --oneliner show node "$SLURM_JOB_NODELIST" |
        sed -n 's/^NodeName=\([^ ]*\) .* NodeAddr=\([^ ]*\) .*/\1 \2/p' |
        while read -r name address; do
            if [[ ! $address =~ ^[0-9.]+$ && $address != *:* ]]; then
                address=$(getent ahostsv4 "$address" | awk '$1 !~ /^127/ { print $1; exit }')
            fi
            echo "$name $address"
        done
}

# on_nodes HOW_MANY OPTION ARGUMENTS...: Ray on some of the job's nodes, until this step ends
on_nodes() {
    srun --ntasks="$1" --nodes="$1" --ntasks-per-node=1 "$2" --no-kill --kill-on-bad-exit=0 \
        --wait=0 --export=ALL --cpu-bind=none bash $node_script "$folder" "$temporary" "${@:3}" &
    steps+=($!)
}

# still_to_come: whether nodes have not joined that still may
still_to_come() {
    [ "$(find "$folder/joined" -type f | wc -l)" -lt "$nodes" ] && kill -0 "${steps[-1]}" 2>/dev/null
}

start_ray() {
    on_nodes 1 --nodelist="$SLURMD_NODENAME"
    until [ -s "$folder/joined/$SLURMD_NODENAME" ]; do
        still_to_come || { say "Ray does not start on $SLURMD_NODENAME"; exit 1; }
        sleep 0.5
    done
    RAY_ADDRESS=$(cat "$folder/joined/$SLURMD_NODENAME")
    export RAY_ADDRESS
    if [ "$nodes" -gt 1 ]; then
        on_nodes $((nodes - 1)) --exclude="$SLURMD_NODENAME" "$RAY_ADDRESS"
    fi
    local deadline=$((SECONDS + patience))
    while still_to_come && [ $SECONDS -lt $deadline ]; do
        sleep 0.5
    done
    say "$(find "$folder/joined" -type f | wc -l) of $nodes nodes have joined"
}

# Before the time limit, or when somebody cancels: as if somebody pressed Ctrl-C, once, since a
# second time would disturb its end. Slurm sends the signal again at the limit.
tell() {
    told=$((told + 1))
    if [ -z "$experiment" ]; then
        say "told to end before the experiment has begun: cancelled, or --time is too short"
        exit 143
    fi
    [ "$told" -eq 1 ] || return 0
    say "the experiment is told to end"
    kill -INT "$experiment" 2>/dev/null || true
    clear_if_cancelled > /dev/null 2>&1 & # holds no pipe open for those who wait for this script
    watch=$!
    disown # stop_ray waits for the steps alone
}

# Some 30 s after it has told a cancelled job to end, Slurm kills all of it, this script too: its token
# must be gone by then, whatever the experiment still has to do.
clear_if_cancelled() {
    sleep 15 &
    trap "kill $!; exit" TERM
    wait $! || true
    [ "$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%T 2>/dev/null)" = RUNNING ] || rm -rf "$folder"
}

run_experiment() {
    # By job control the experiment hears what a shell's background jobs ignore: SIGINT.
    set -m
    python "$@" &
    experiment=$!
    set +m
    local status before
    while true; do
        status=0
        before=$told
        wait "$experiment" || status=$?
        [ "$told" -gt "$before" ] || break # a signal ends the waiting and not the experiment
    done
    say "the experiment has ended with status $status"
    return $status
}

# Ends the steps, and so their Rays; what should still run a minute later Slurm ends with the job.
stop_ray() {
    local deadline=$((SECONDS + 60))
    kill -USR1 "${steps[@]}" 2>/dev/null || true
    while [ -n "$(jobs -rp)" ] && [ $SECONDS -lt $deadline ]; do
        sleep 0.2
    done
    rm -rf "$folder"
    # it would look again when Slurm may have started the job anew, in a folder of the same name
    [ -z "$watch" ] || kill "$watch" 2>/dev/null || true
}

trap tell TERM
trap stop_ray EXIT
rm -rf "$folder" # a job that Slurm started again
mkdir -p "$folder/joined"
chmod 700 "$folder"
make_token
list_addresses > "$folder/addresses"
make_certificate
start_ray
run_experiment "$@"
