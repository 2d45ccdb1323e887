#!/bin/sh
# A box for nodes: network, mounts, processes and a cgroup of its own, so that a kubelet changes nothing of the machine.
#
#   node_box.sh NAME ADDRESS...
#
# Once the box stands, the first process' id, as the machine counts it, is printed. The box lasts until standard input
# ends, which the death of whoever holds it brings about too, and all that runs in it ends first. NAME is its cgroup's.
set -eu

if [ "$1" != --within ]; then
    # Ctrl-C is for whoever holds the box: it ends by the end of its input, and tidies up.
    trap '' HUP INT TERM
    name=$1
    if [ -e /sys/fs/cgroup/cgroup.procs ]; then
        hierarchies=/sys/fs/cgroup
    else
        hierarchies=$(dirname /sys/fs/cgroup/*/cgroup.procs)
    fi
    for hierarchy in $hierarchies; do
        mkdir -p "$hierarchy/$name"
        # Version 1 hands no processors down, and a group without any is of no use to its children.
        for file in cpuset.cpus cpuset.mems; do
            [ -e "$hierarchy/cgroup.controllers" ] || [ ! -e "$hierarchy/$file" ] ||
                cat "$hierarchy/$file" >"$hierarchy/$name/$file"
        done
    done
    status=0
    shift
    unshare --net --mount --pid --fork --kill-child --propagation private sh "$0" --within "$@" || status=$?
    for hierarchy in $hierarchies; do
        find "$hierarchy/$name" -depth -type d -exec rmdir {} +
    done
    exit $status
fi

# This is still the machine's /proc, with its process ids.
read -r id rest </proc/self/stat
shift
ip link set lo up
# Any address but 127.0.0.0/8 will do for a node, on whatever interface.
for address in "$@"; do ip address add "$address/32" dev lo; done
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
for directory in /var/lib /var/log; do
    changes=/run/box$directory
    mkdir -p "$changes/upper" "$changes/work"
    mount -t overlay -o "lowerdir=$directory,upperdir=$changes/upper,workdir=$changes/work" overlay "$directory"
done
mkdir -p /var/lib/kubelet
# A kubelet sets these for the whole machine. They are not part of any namespace.
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
    kernel/keys/root_maxbytes; do
    [ -e "/proc/sys/$setting" ] || continue
    copy=/run/box/sys/$setting
    mkdir -p "${copy%/*}"
    cat "/proc/sys/$setting" >"$copy"
    mount --bind "$copy" "/proc/sys/$setting"
done
echo "$id"
exec cat >/dev/null
