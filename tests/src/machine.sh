#!/bin/sh
# The host of a node, in a box: what kubeadm puts there has its usual place and is this node's alone.
#
#   machine.sh DIRECTORY
#
# DIRECTORY/kubernetes is /etc/kubernetes and DIRECTORY/state is /var/lib/kubelet for everything that runs on it.
set -eu

if [ "${2:-}" != --within ]; then
    exec unshare --mount sh "$0" "$1" --within
fi

# /etc belongs to the machine outside. The layer is in memory, as it cannot be on a layer itself.
layer=/run/box/etc/${1##*/}
mkdir -p "$layer/upper" "$layer/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$layer/upper,workdir=$layer/work" overlay /etc
mkdir -p /etc/kubernetes
mount --bind "$1/kubernetes" /etc/kubernetes
mount --bind "$1/state" /var/lib/kubelet
mkfifo "$1/orders" "$1/answers"
echo "the machine stands"
exec sleep infinity
