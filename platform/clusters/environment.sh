#!/bin/bash
# Makes a cluster's Python environment: .venv in the project's folder, in exactly the versions of
# constraints.txt, with Ray's jobs and dashboard, and what opens buckets. Called again it changes nothing.
#
#   bash platform/clusters/environment.sh
#
# Packages come from pip's index. Where machines reach none they come from the folder `wheelhouse`
# of the project, if there is one. This makes it on a machine with an index, the same Python and
# the same kind of processor:
#
#   bash platform/clusters/environment.sh wheelhouse
#
# PYTHON names another Python than python3: 3.11 or later, and on a shared folder one that lies at
# the same place on all machines.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${PYTHON:-python3}

make_wheelhouse() {
    # With setuptools, which builds this package: without an index pip would miss it.
    "$python" -m pip wheel --quiet --wheel-dir wheelhouse --constraint constraints.txt \
        ".[cluster,objects]" setuptools
    rm -f wheelhouse/orrery-*.whl # nodes install the folder itself
}

make_environment() {
    local sources=()
    if [ -d wheelhouse ]; then
        sources=(--no-index --find-links wheelhouse)
    fi
    # an environment that was not finished has no pip
    .venv/bin/python -m pip --version > /dev/null 2>&1 || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check ${sources[@]+"${sources[@]}"} \
        --constraint constraints.txt --editable ".[cluster,objects]"
}

if [ "${1:-}" = wheelhouse ]; then
    make_wheelhouse
    exit
fi

# What is installed depends on these two files alone, the package itself being editable.
wanted=$(cat pyproject.toml constraints.txt | sha256sum)
if [ "$(cat .venv/cluster 2>/dev/null)" != "$wanted" ]; then
    make_environment
    echo "$wanted" > .venv/cluster
fi
