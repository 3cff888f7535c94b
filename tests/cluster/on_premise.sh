#!/bin/bash
# The on-premise launch file, as it is, on machines that are namespaces of this one:
#
#   bash tests/cluster/on_premise.sh                   # as root; half an hour on two busy CPUs
#   bash tests/cluster/on_premise.sh --default-sizes   # the experiments with no option changed
#
# Three machines and a desk from which they are used share a folder and a network without a way out;
# a stranger is on the network too. From the desk come: the environment, from a wheelhouse; `ray up`;
# `cluster check`; three experiments as jobs; one more, during which a machine loses its power and
# comes back, whose dataset must have the bytes of the undisturbed one; `ray down`. Without the token
# nothing may work; after the end nothing may run or listen. At their default sizes the experiments run
# undisturbed, the third with two trials at a time.
#
# Needs root, namespaces, sshd, ssh, rsync, ip, ss, git and a Python with pip. WHEELHOUSE names a
# folder of wheels; without it that of the project is taken, which is made, from pip's index, if there
# is none. The script's folder, in TMPDIR, is removed if all went well.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(cd "$here/../.." && pwd)
source "$here/hosts.sh"
source "$here/trial.sh"
case ${1:-} in
    "") run=run_toys ;;
    --default-sizes) run=run_default_sizes ;;
    *) echo "$1 is no option: there is --default-sizes" >&2 && exit 2 ;;
esac
find_wheelhouse
in_own_namespaces "$@"

file=platform/clusters/on_premise.yaml
head=192.168.1.10
toy="--max-epochs 2 --transforms 2 --draws 200 --calibration-draws 50"

# at_desk COMMAND: in the project's folder, with the environment
at_desk() { as orrery desk "cd orrery && source platform/clusters/shell.sh && $1"; }

# quietly NAME COMMAND: at the desk; shows what it said only if it failed
quietly() {
    at_desk "$2" > "$site/$1.log" 2>&1 || { tail -n 40 "$site/$1.log"; fail "$1"; }
}

# on_head COMMAND: what the desk calls to have it done there
on_head() { printf 'ray exec %s "%s"' "$file" "$1"; }

# job NAME ARGUMENTS: an experiment, to its end
job() {
    local began=$SECONDS
    quietly "$1" "$(on_head "ray job submit --submission-id $1 -- python experiments/$2")"
    grep -qa "Job '$1' succeeded" "$site/$1.log" || fail "job $1 did not succeed: $site/$1.log"
    say "$2: $((SECONDS - began)) s"
}

nodes() {
    at_desk "$(on_head 'ray status')" 2>/dev/null |
        sed -n 's/^ \([0-9]*\) local.cluster.node.*/\1/p' | head -n 1
}

wait_for_nodes() {
    local deadline=$((SECONDS + 900))
    until [ "$(nodes)" = "$1" ]; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$1 nodes did not come"
        sleep 2
    done
}

check_cluster() {
    quietly check "$(on_head 'cd orrery && python -m orrery cluster check')"
    grep -a "nodes can work together" "$site/check.log" | tr -d '\r'
    grep -qa "^3 nodes can work together" "$site/check.log" || fail "not all nodes answered"
}

make_site() {
    lay_out_site "$(mktemp -d)" "$project"
    bring_wheelhouse
    power_on desk 192.168.1.1
    power_on head $head
    power_on one 192.168.1.11
    power_on two 192.168.1.12
    power_on stranger 192.168.1.99
    say "a head, two workers, a desk and a stranger are on"
}

bring_up() {
    make_environment desk
    at_desk "umask 077 && ray get-auth-token --generate > /dev/null 2>&1"
    quietly up "ray up -y $file"
    say "ray up has ended"
    wait_for_nodes 3
    say "three nodes are in the cluster"
    check_cluster
    say "cluster check has ended"
}

# rays: the processes of Ray on the head and a worker which strangers could end
rays() {
    local name
    for name in head one; do inside $name pgrep -f 'gcs_server|raylet/raylet|dashboard|monitor' | sort; done
}

# Without the token nothing works and nothing ends, from another machine or another account of the
# head; with it the same attempts do.
try_doors() {
    local program="orrery/.venv/bin/python -u orrery/tests/cluster/stranger.py" attempts=() before
    before=$(rays)
    as orrery stranger "$program $head 192.168.1.11" > "$site/stranger.log" 2>&1 &
    attempts+=($!)
    as guest head "cd ~orrery && $program 127.0.0.1" > "$site/guest.log" 2>&1 &
    attempts+=($!)
    wait "${attempts[0]}" || { cat "$site/stranger.log"; fail "a stranger on the network got in"; }
    wait "${attempts[1]}" || { cat "$site/guest.log"; fail "another account on the head got in"; }
    [ "$(rays)" = "$before" ] || fail "strangers have ended a process of Ray"
    try_folders
    as orrery head "source orrery/platform/clusters/shell.sh && $program --token ~/.ray/auth_token 127.0.0.1" > "$site/token.log" 2>&1 ||
        { cat "$site/token.log"; show_client_logs; fail "with the token it does not work either"; }
    say "GCS, dashboard, job server and all $(grep -c '^1' "$site/stranger.log") ports refuse who has no token"
}

show_client_logs() {
    inside head bash -c 'tail -n 30 /tmp/orrery-1500/ray/session_latest/logs/ray_client_server*.err' || true
}

# Another account of a machine neither reads nor writes Ray's folder, and Ray has no other.
try_folders() {
    local name
    for name in head one; do
        inside $name test -S "/tmp/orrery-1500/ray/session_latest/sockets/raylet" || fail "Ray's folder on $name"
        ! inside $name test -e /tmp/ray || fail "$name has a folder /tmp/ray"
        ! as guest $name "ls /tmp/orrery-1500/ray" > /dev/null 2>&1 || fail "a guest reads Ray's folder on $name"
        ! as guest $name "touch /tmp/orrery-1500/ray/guest" 2>/dev/null || fail "a guest writes Ray's folder on $name"
    done
}

# The dashboard answers at the desk, where it is forwarded, to whoever shows the token.
try_dashboard() {
    at_desk "timeout 40 ssh -o StrictHostKeyChecking=no -N -L 127.0.0.1:8265:127.0.0.1:8265 orrery@$head" > "$site/dashboard.log" 2>&1 &
    local forwarding=$!
    until inside desk bash -c ': < /dev/tcp/127.0.0.1/8265' 2>/dev/null; do
        kill -0 $forwarding 2>/dev/null || fail "the dashboard is not forwarded"
        sleep 0.2
    done
    quietly forwarded "ray job submit --address http://127.0.0.1:8265 -- hostname"
    grep -qa "^head" "$site/forwarded.log" || fail "a job from the desk does not run on the head"
    wait $forwarding || true
    say "the dashboard answers at the desk, and takes a job"
}

# While it simulates, a machine loses its power, and gets it again three seconds later.
lose_a_machine() {
    job_lost &
    local running=$! deadline=$((SECONDS + 900))
    until [ "$(shards lost)" -ge 2 ]; do
        kill -0 $running 2>/dev/null || fail "the job with a lost machine"
        [ "$SECONDS" -lt "$deadline" ] || fail "the job makes no shards"
        sleep 0.2
    done
    power_off two
    say "one of three machines is off, with $(shards lost) of 9 shards made"
    sleep 3
    power_on two 192.168.1.12
    say "it is on again"
    wait $running
    until inside two pgrep -x raylet > /dev/null; do
        [ "$SECONDS" -lt $((deadline + 900)) ] || fail "the machine that was off did not come back"
        sleep 1
    done
    wait_for_nodes 3
    say "it is in the cluster again"
    check_cluster
}

job_lost() { job lost "desi.py --simulations 576 --datasets lost --reports lost $toy"; }

compare_bytes() {
    compare_datasets desk datasets lost 9
    grep -aE "an actor (is out of reach|was lost|died)" "$site/lost.log" || fail "no actor died: the machine was not missed"
    say "the dataset is sound, with the bytes of the undisturbed one"
}

bring_down() {
    quietly stop "$(on_head 'bash orrery/platform/clusters/stop.sh')"
    quietly down "ray down -y $file"
    say "ray down has ended"
    sleep 12 # connections of `ray exec` that wait for another use
    local name left
    for name in head one two; do
        left=$(leftovers $name)
        [ -z "$left" ] || fail "$name still has: $left"
    done
    say "nothing runs and no port but ssh's listens on any of them"
}

run_toys() {
    job undisturbed "desi.py --workers 2 --simulations 576 $toy"
    lose_a_machine
    compare_bytes
    job halo "halo_mass.py --hosts 1536 --acceptance-hosts 128 --ensemble.members 3 \
--ensemble.max-epochs 15 --realisations 1 --window 2 --flows.ranked.members 1 \
--flows.ranked.training.max-epochs 2 --flows.unordered.training.max-epochs 2"
    job binnings "binnings.py --concurrent 2 --simulations 32 --surveys h3 --max-epochs 2 --trials 5 \
--repeats 2 --transforms 2 --level 1e-9"
}

run_default_sizes() {
    job desi "desi.py --workers 2"
    job halo halo_mass.py
    job binnings "binnings.py --concurrent 2"
}

make_site
bring_up
try_doors
try_dashboard
$run
bring_down
remove_site
