# What every shell on a machine of a cluster needs; read at the top of ~/.bashrc.
#
# Ray itself calls plain `ray`, to stop a cluster for one, in shells that activate no environment. In
# bin is one that looks after its folders before it is Ray's.
export PATH=~/orrery/platform/clusters/bin:~/orrery/.venv/bin:$PATH
# Ray asks everybody for the token of ~/.ray/auth_token: otherwise whoever reaches a port runs code.
export RAY_AUTH_MODE=token
# It hears only who shows a certificate, which `python -m orrery cluster certificate` makes from the
# token: without, one request that shows no token ends it. Homes may be shared, certificates are not.
export RAY_USE_TLS=1
export RAY_TLS_SERVER_CERT=~/.ray/tls/$(uname -n)/machine.crt
export RAY_TLS_SERVER_KEY=~/.ray/tls/$(uname -n)/machine.key
export RAY_TLS_CA_CERT=~/.ray/tls/$(uname -n)/authority.crt
# More OpenMP threads than cores, on cores that all simulate, are several times slower.
export OMP_NUM_THREADS=1
# Ray's client server forks to start another program while gRPC works in other threads: gRPC's own
# handlers of a fork crash the child now and then (ray-project/ray, issue 63202).
export GRPC_ENABLE_FORK_SUPPORT=0
export RAY_USAGE_STATS_ENABLED=0
# Ray's folder, which it lets everybody write, lies in one that temporary.sh makes for this account
# alone; so do temporary files, some of which Ray reads again, whoever made them.
# ORRERY_TMPDIR, which names another, is set before this is read: above it in ~/.bashrc.
[ -z "${ORRERY_TMPDIR:-}" ] || export ORRERY_TMPDIR # temporary.sh, and each `ray`, judge the same
unset RAY_TMPDIR TMPDIR # which may be of a shell around this one, and refused by now
if [ ! -e ~/orrery/platform/clusters/shell.sh ]; then
    echo "no project in ~/orrery, where nodes of a cluster have it: put it there, or link it" >&2
    return 1
fi
if [ ! -x ~/orrery/platform/clusters/bin/ray ]; then
    echo "no ray that looks after its folders: chmod +x ~/orrery/platform/clusters/bin/ray" >&2
    return 1
fi
if ! RAY_TMPDIR=$(bash ~/orrery/platform/clusters/temporary.sh); then
    unset RAY_TMPDIR
    echo "then, in each shell that is open: . ~/orrery/platform/clusters/shell.sh" >&2
    return 1
fi
export RAY_TMPDIR TMPDIR="$RAY_TMPDIR"
