#!/bin/bash
# The Slurm launch file, as it is, on machines that are namespaces of this one:
#
#   bash tests/cluster/slurm.sh                 # as root; some twelve minutes on two CPUs
#
# A desk with slurmctld and two nodes with slurmd share a folder and a network without a way out,
# name resolution, or accounting. Another user's Ray runs on the first node all the time. From the
# desk come: the environment, from a wheelhouse; `cluster check`; an experiment on two nodes; one
# that runs into its time limit and is submitted again; during which a node loses its power; one that
# is cancelled. The dataset must have the bytes of the undisturbed one. After each job nothing of it
# may run or listen, and the other user's Ray must be the one that it was.
#
# Needs root, namespaces, munge, slurmctld, slurmd, slurm-client, sshd, ip, ss, git and a Python
# with pip. WHEELHOUSE is as for on_premise.sh. The script's folder, in TMPDIR, is removed if all
# went well.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
source "$here/hosts.sh"
source "$here/trial.sh"
find_wheelhouse
in_own_namespaces "$@"

file=platform/clusters/slurm.sh
toy="--max-epochs 2 --transforms 2 --draws 200 --calibration-draws 50"

# start_slurm NAME DAEMON: munge and a daemon of Slurm on a machine
start_slurm() {
    inside "$1" bash -euc "
        mkdir -p /run/slurm/state /run/slurm/spool /run/munge
        munged --force --key-file=/etc/munge/munge.key --socket=/run/munge/munge.socket.2 \
            --pid-file=/run/munge/munged.pid --log-file=/run/munge/munged.log \
            --seed-file=/run/munge/munged.seed
        $2" > "$site/$1.$2.log" 2>&1 || { cat "$site/$1.$2.log"; fail "$2 does not start on $1"; }
}

make_site() {
    lay_out_site "$(mktemp -d)" "$project"
    bring_wheelhouse
    head -c 128 /dev/urandom > "$site/munge.key"
    local name
    for name in desk one two; do
        make_disk $name
        install -m 400 "$site/munge.key" "$site/$name/etc/munge/munge.key"
        cp "$here/slurm.conf" "$site/$name/etc/slurm/slurm.conf"
    done
    power_on desk 192.168.1.1
    power_on one 192.168.1.11
    power_on two 192.168.1.12
    start_slurm desk slurmctld
    start_slurm one slurmd
    start_slurm two slurmd
    wait_for "both nodes are idle" 120 both_idle
    say "slurmctld on a desk and slurmd on two nodes are on"
}

# wait_for WHAT SECONDS COMMAND...
wait_for() {
    local deadline=$((SECONDS + $2))
    until "${@:3}"; do
        [ "$SECONDS" -lt "$deadline" ] || fail "not after $2 s: $1"
        sleep 0.5
    done
}

both_idle() { [ "$(inside desk sinfo --noheader --states=idle --format=%D)" = 2 ]; }

# submit OPTION... : prints the job's number
submit() { as orrery desk "cd orrery && sbatch --parsable --nodes=2 $*"; }

state() { inside desk scontrol show job "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p'; }

ended() { [[ "$(state "$1")" =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]]; }

log_of() { echo "$shared/orrery-$1.log"; }

# wait_for_job JOB STATE: until it has ended, in this way, and left nothing
wait_for_job() {
    wait_for "job $1 ends" 1500 ended "$1"
    [ "$(state "$1")" = "$2" ] || { tail -n 40 "$(log_of "$1")"; fail "job $1 is $(state "$1"), not $2"; }
    wait_for "nothing is left of job $1" 60 nothing_left "$1"
    check_guest
}

nothing_left() {
    local name
    for name in "${!machine[@]}"; do
        [ -z "$(traces $name)" ] || return 1
        inside $name bash -c "! compgen -G '/tmp/orrery-$1*'" > /dev/null || return 1
    done
    [ ! -e "$shared/.slurm/$1" ]
}

# What the account runs on a machine, and the ports at which it listens
traces() {
    inside "$1" ps -U orrery -o args= || true
    inside "$1" ss -Hltne | grep -w uid:1500 || true
}

# The ports at which anybody listens on a machine but ssh's and Slurm's
ports() { inside "$1" ss -Hltn | awk '{ print $4 }' | grep -vE ':(22|6817|6818)$' || true; }

# Another user's Ray on the first node, with the ports that Ray takes by default.
start_guest() {
    local ray=/home/orrery/orrery/.venv/bin/ray
    as guest one "mkdir -p ~/.ray && export RAY_USAGE_STATS_ENABLED=0 &&
        $ray start --head --node-ip-address=192.168.1.11 --num-cpus=1 \
            --object-store-memory=100000000" > "$site/guest.log" 2>&1 ||
        { cat "$site/guest.log"; fail "the other user's Ray"; }
    sleep 20 # until all of its processes listen
    guest_processes=$(inside one pgrep -U guest -f 'gcs_server|raylet/raylet' | sort)
    ports one | grep -q ':6379$' || fail "the other user's Ray does not listen"
    check_guest
    say "another user's Ray runs on the first node, at ports 6379 and 10001"
}

check_guest() {
    [ "$(inside one pgrep -U guest -f 'gcs_server|raylet/raylet' | sort)" = "$guest_processes" ] ||
        fail "the other user's Ray is not the one that it was"
    as guest one "timeout 120 ~orrery/orrery/.venv/bin/ray status --address 192.168.1.11:6379" \
        > "$site/status.log" 2>&1 && grep -q "CPU" "$site/status.log" ||
        { cat "$site/status.log"; fail "the other user's Ray does not answer"; }
}

check_cluster() {
    local job
    job=$(submit $file -m orrery cluster check)
    wait_for_job "$job" COMPLETED
    grep "^2 nodes can work together" "$(log_of "$job")" || fail "not both nodes answered"
    say "cluster check has ended"
}

run_undisturbed() {
    local began=$SECONDS job
    job=$(submit $file experiments/desi.py --simulations 576 $toy)
    wait_for "the job's token" 300 test -s "$shared/.slurm/$job/auth_token"
    [ "$(stat -c %a "$shared/.slurm/$job/auth_token")" = 600 ] || fail "others may read the token"
    wait_for_job "$job" COMPLETED
    say "desi.py (toy size): $((SECONDS - began)) s"
}

lost_job() { submit "$@" $file experiments/desi.py --simulations 576 --datasets lost --reports lost $toy; }

has_shards() { [ "$(shards lost)" -ge "$1" ]; }

# signal_actors NAME: sends a signal to all that simulates; a node may have none yet
signal_actors() {
    inside one pkill "-$1" -f '^ray::_Actor' || true
    inside two pkill "-$1" -f '^ray::_Actor' || true
}

is_told() { grep -aqs "the experiment is told to end" "$(log_of "$1")"; }

# Slurm's own time limit, which is moved to the minute after next. Slurm looks at it twice a minute,
# in which fast machines would be ready: so all that simulates pauses until Slurm has seen it.
run_into_limit() {
    local job minutes
    job=$(lost_job --time=60)
    wait_for "a shard" 900 has_shards 1
    signal_actors STOP
    minutes=$(inside desk squeue --noheader --job "$job" --format=%M | cut -d: -f1)
    inside desk scontrol update JobId="$job" TimeLimit=$((minutes + 2))
    say "the time limit of a job with $(shards lost) of 9 shards is minute $((minutes + 2))"
    wait_for "Slurm tells the job to end" 180 is_told "$job"
    signal_actors CONT
    wait_for_job "$job" FAILED
    grep -q "the same command continues where this one stopped" "$(log_of "$job")" ||
        fail "the job did not end in order: $(log_of "$job")"
    has_shards 9 && fail "the job was ready before its time limit"
    say "it has ended in order, before it, with $(shards lost) shards"
}

actor_works() { inside "$1" pgrep -f '^ray::_Actor.make' > /dev/null; }

# The same again, and a node loses its power in the middle: what runs there is gone, nobody is told.
lose_a_node() {
    local job began=$SECONDS
    job=$(lost_job)
    wait_for "an actor works on the second node" 900 actor_works two
    sleep 2
    power_off two
    say "the same was submitted again; one of two nodes is off, with $(shards lost) shards"
    wait_for_job "$job" COMPLETED
    inside desk scontrol show job "$job" | grep -q "Restarts=0" || fail "the job was started again"
    grep -aE "an actor (is out of reach|was lost|died)" "$(log_of "$job")" ||
        fail "no actor died: the node was not missed"
    say "the job has gone on without it to its end: $((SECONDS - began)) s"
    compare_datasets desk datasets lost 9
    say "the dataset is sound, with the bytes of the undisturbed one"
}

cancel() {
    local job
    power_on two 192.168.1.12
    start_slurm two slurmd
    wait_for "both nodes are idle" 120 both_idle
    say "the node is on again"
    job=$(submit $file experiments/desi.py --simulations 576 --datasets cancelled --reports cancelled $toy)
    wait_for "the job's experiment" 300 grep -qs "nodes have joined" "$(log_of "$job")"
    sleep 5
    as orrery desk "scancel $job"
    wait_for_job "$job" CANCELLED
    say "a cancelled job has ended"
}

bring_down() {
    as guest one "~orrery/orrery/.venv/bin/ray stop" > "$site/stop.log" 2>&1
    wait_for "nothing runs or listens" 60 eval '[ -z "$(ports one)$(ports two)" ]'
    say "nothing runs and no port but ssh's and Slurm's listens on any node"
}

make_site
make_environment desk
start_guest
check_cluster
run_undisturbed
run_into_limit
lose_a_node
cancel
bring_down
remove_site
