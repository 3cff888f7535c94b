#!/bin/bash
# Stops Ray on the head, where it is called, and on all workers of a cluster from `ray up`.
#
# `ray down` stops only the head of machines that you own; workers would find out after minutes.
# `ray stop` ends every Ray of this user on a machine, experiments without a cluster among them.
set -uo pipefail
status=0

# of a cluster of machines that you own, whose launch file lists them: `ray`, which knows others too,
# runs in no folder that is refused, and names none where its own list of them is lost
listed_workers() {
    python3 -I -c 'import json, sys
print(*json.load(sys.stdin)["provider"]["worker_ips"])' < ~/ray_bootstrap_config.yaml 2> /dev/null
}

if ! workers=$(listed_workers || ray get-worker-ips ~/ray_bootstrap_config.yaml); then
    echo "which workers there are is not known: run \`ray stop\` on each" >&2
    status=1
fi
ray stop # first: the head would start its workers again
for worker in $workers; do
    if ! ssh -i ~/ray_bootstrap_key.pem -o BatchMode=yes -o ConnectTimeout=10 \
        -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        "$(id -un)@$worker" "bash -c '. ~/orrery/platform/clusters/shell.sh; ray stop'"; then
        echo "$worker has not stopped Ray, or is off: if it is on, run \`ray stop\` there, in bash" >&2
        status=1
    fi
done
exit $status
