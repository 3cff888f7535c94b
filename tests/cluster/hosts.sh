# Machines for tests: sourced by scripts that run as root. Each is a set of namespaces (mounts,
# processes, network, name) with sshd, a disk with its home, private /tmp and /dev/shm, an account
# `orrery`, and ~/orrery shared by all. They are plugged into one bridge, without a way out.
#
# The caller's own namespaces hold them all: when it ends, nothing is left of them.

# Begins the calling script again in namespaces of its own.
in_own_namespaces() {
    if [ "${OWN_NAMESPACES:-}" != yes ]; then
        exec env OWN_NAMESPACES=yes unshare --mount --net --pid --fork --kill-child --mount-proc \
            bash "$0" "$@"
    fi
    # All that machines say, but what unshare says of one whose power went off.
    exec {said}> >(grep -v sigprocmask >&2)
    ip link set lo up
    ip link add site type bridge
    ip link set site up
}

# lay_out_site FOLDER PROJECT: what outlives a machine's power: disks, and the shared folder with
# a copy of a project.
lay_out_site() {
    site=$1 shared=$1/shared
    mkdir -p "$shared"
    git clone --quiet --no-hardlinks "$2" "$shared"
    ssh-keygen -q -t ed25519 -N "" -f "$site/key"
    ssh-keygen -q -t ed25519 -N "" -f "$site/host_key"
    python_prefix=$(python3 -c 'import sys; print(sys.base_prefix)')
    python=$python_prefix/bin/python3
    chown -R 1500:1500 "$shared"
}

# make_disk NAME
make_disk() {
    local disk=$site/$1
    mkdir -p "$disk/home/.ssh" "$disk/home/orrery"
    cp -a /etc "$disk/etc" # all of it: a file that is replaced here would show through
    grep -q ^sshd: "$disk/etc/passwd" || echo "sshd:x:499:65534::/run/sshd:/bin/false" >> "$disk/etc/passwd"
    echo "orrery:x:1500:1500::/home/orrery:/bin/bash" >> "$disk/etc/passwd"
    echo "guest:x:1501:1501::/home/guest:/bin/bash" >> "$disk/etc/passwd"
    printf 'orrery:x:1500:\nguest:x:1501:\n' >> "$disk/etc/group"
    printf 'orrery:*:19000::::::\nguest:*:19000::::::\n' >> "$disk/etc/shadow"
    printf '127.0.0.1 localhost %s\n' "$1" > "$disk/etc/hosts"
    rm -f "$disk/etc/resolv.conf"
    touch "$disk/etc/resolv.conf"
    cat > "$disk/etc/ssh/sshd_config" <<EOF
HostKey /etc/ssh/host_key
PidFile none
UsePAM no
PasswordAuthentication no
MaxStartups 100
EOF
    cp "$site/host_key" "$disk/etc/ssh/host_key"
    # A usual ~/.bashrc, which ends early where nobody types.
    cp /etc/skel/.bashrc /etc/skel/.profile "$disk/home" 2>/dev/null ||
        echo 'case $- in *i*) ;; *) return ;; esac' > "$disk/home/.bashrc"
    cp "$site/key" "$disk/home/.ssh/id_ed25519"
    cp "$site/key.pub" "$disk/home/.ssh/authorized_keys"
    chown -R 1500:1500 "$disk/home"
    chmod 700 "$disk/home/.ssh"
    chmod 600 "$disk/etc/ssh/host_key" "$disk/home/.ssh/id_ed25519"
}

declare -A machine # the number of each machine's process 1

# power_on NAME ADDRESS
power_on() {
    local name=$1 address=$2
    test -d "$site/$name" || make_disk "$name"
    unshare --mount --net --pid --uts --ipc --fork --kill-child \
        bash "$(dirname "${BASH_SOURCE[0]}")/host.sh" \
        "$name" "$address" "$site/$name" "$shared" "$python_prefix" \
        2>&$said &
    local outer=$!
    until machine[$name]=$(pgrep -P "$outer") && [ -e "/proc/${machine[$name]}/root/run/booted" ]; do
        kill -0 "$outer" 2>/dev/null || { echo "$name does not start" >&2; return 1; }
        sleep 0.05
    done
    ip link add "$name" type veth peer name eth0 netns "${machine[$name]}"
    ip link set "$name" master site up
    until inside "$name" bash -c ": < /dev/tcp/$address/22" 2>/dev/null; do sleep 0.05; done
}

# power_off NAME: as if somebody pulled both cables: nobody is told.
power_off() {
    ip link delete "$1"
    kill -KILL "${machine[$1]}"
    unset "machine[$1]"
}

# inside NAME COMMAND...: as root
inside() {
    local name=$1
    shift
    nsenter --target "${machine[$name]}" --all -- "$@"
}

# as USER NAME COMMAND: by a login shell of a user, in his home
as() {
    inside "$2" su --login "$1" --shell /bin/bash --command "$3"
}
