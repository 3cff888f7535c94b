#!/bin/bash
# Becomes a machine: process 1 of namespaces of its own, with sshd. Called by hosts.sh.
#
# host.sh NAME ADDRESS DISK SHARED PYTHON: DISK, with its home, and SHARED, the folder that all
# machines see as ~/orrery, are folders of the machine that plays them; PYTHON is its own prefix.
set -euo pipefail
name=$1 address=$2 disk=$3 shared=$4 python=$5

hostname "$name"
mount -t proc proc /proc
mount --bind "$disk/etc" /etc

# What hides a folder below needs is bound beforehand.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd /run/home /run/shared /run/python
mount --bind "$disk/home" /run/home
mount --rbind "$shared" /run/shared
mount --bind "$python" /run/python
for private in /tmp /home /root /dev/shm; do
    mount -t tmpfs -o mode=755,size=1g tmpfs "$private"
done
chmod 1777 /tmp /dev/shm
mkdir -p /home/orrery /home/guest
chown 1501:1501 /home/guest
mount --bind /run/home /home/orrery
mount --rbind /run/shared /home/orrery/orrery
if [ ! -d "$python" ]; then # it lay in a home
    mkdir -p "$python"
    mount --bind /run/python "$python"
fi

ip link set lo up
touch /run/booted # hosts.sh plugs the cable in
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
ip address add "$address/24" dev eth0
ip link set eth0 up # and no default route: nothing outside is to be reached
/usr/sbin/sshd -D &
while true; do wait || true; sleep 1; done # whoever loses its parent becomes ours
