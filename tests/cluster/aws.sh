#!/bin/bash
# cluster.yaml and its roles against moto, an imitation of AWS, to the point where instances exist:
#
#   bash tests/cluster/aws.sh                 # half a minute
#
# All that `ray up` does before it waits for an ssh server happens, by Ray's own command: key, security
# group, head. Then come workers, made as the head makes them, and `ray down`. Needs on the PATH:
# `ray`, from ray[default] with boto3, `aws`, and `moto_server`, from moto[ec2,iam,s3,ssm,server].
#
# It has a network of its own, of the loopback interface alone: moto's addresses are other people's.
set -euo pipefail
if [ "${OWN_NETWORK:-}" != yes ]; then
    exec env OWN_NETWORK=yes unshare --net --map-root-user bash "$0"
fi
ip link set lo up
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
place=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$place"' EXIT

say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

fail() {
    cat "$place"/*.log
    say "FAILED: $*"
    exit 1
}

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
export HOME=$place AWS_ENDPOINT_URL=http://127.0.0.1:$port
export AWS_ACCESS_KEY_ID=nobody AWS_SECRET_ACCESS_KEY=nobody AWS_DEFAULT_REGION=us-west-2 AWS_PAGER=
export RAY_USAGE_STATS_ENABLED=0 TMPDIR=$place # there Ray keeps what it found out of a file
cd "$project"
moto_server --host 127.0.0.1 --port "$port" > "$place/moto.log" 2>&1 &
until (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done

# What the header says is to be done once.
(umask 077 && ray get-auth-token --generate > /dev/null 2>&1)
bash platform/clusters/aws_roles.sh our-bucket
bash platform/clusters/aws_roles.sh our-bucket > "$place/again.log" 2>&1 || fail "the roles, a second time"
say "the roles are there"

ray up -y cluster.yaml > "$place/up.log" 2>&1 &
up=$!
until [ "$(aws ec2 describe-instances --filters Name=instance-state-name,Values=running --query 'length(Reservations)')" = 1 ]; do
    kill -0 $up 2>/dev/null || fail "ray up"
    [ "$SECONDS" -lt 300 ] || fail "no head after five minutes"
    sleep 0.5
done
say "ray up has made the head"
kill $up # it would wait for an ssh server for ever

python3 tests/cluster/aws_nodes.py cluster.yaml > "$place/nodes.log" 2>&1 || fail "the nodes"
grep -E "^(head|cpu|gpu): " "$place/nodes.log"
say "workers are there"

ray down -y cluster.yaml > "$place/down.log" 2>&1 || fail "ray down"
states=$(aws ec2 describe-instances --query 'Reservations[].Instances[].State.Name' --output text | tr '\t' '\n' | sort | tr '\n' ' ')
# Spot instances would be terminated; moto keeps no request of theirs, by which Ray tells them.
[ "$states" = "stopped stopped stopped " ] || fail "after ray down instances are $states"
say "ray down has left nothing that runs"
say "SUCCESS"
