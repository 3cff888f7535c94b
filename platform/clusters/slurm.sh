#!/bin/bash
# Runs an experiment on the nodes of a Slurm job, from the folder of the project:
#
#   sbatch --nodes=4 platform/clusters/slurm.sh experiments/desi.py --help
#
# Options after the script are the experiment's. The project's folder must be on a file system that
# all nodes see, and its environment in .venv or active when the job is submitted. A job that ran
# into its time limit continues where it stopped when the same command is submitted again.
#
#SBATCH --job-name=orrery
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --time=24:00:00
#SBATCH --output=orrery-%j.log

set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: sbatch platform/clusters/slurm.sh experiments/NAME.py [options]" >&2
    exit 2
fi
if [ -f .venv/bin/activate ]; then
    source .venv/bin/activate
fi

# More OpenMP threads than cores, on cores that all simulate, are several times slower.
export OMP_NUM_THREADS=1
export RAY_USAGE_STATS_ENABLED=0
# Nodes of a busy cluster start minutes apart; Ray waits for half a minute by default.
export RAY_SYMMETRIC_RUN_CLUSTER_WAIT_TIMEOUT=600

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
read -r address _ < <(srun --nodes=1 --ntasks=1 --nodelist="${nodes[0]}" hostname --ip-address)

# Every node runs this command: one becomes the head and runs the experiment, the others join it.
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" \
    ray symmetric-run --address "$address:6379" --min-nodes "$SLURM_JOB_NUM_NODES" \
    --num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus="${SLURM_GPUS_ON_NODE:-0}" \
    -- python "$@"
