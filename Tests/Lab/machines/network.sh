# shellcheck shell=bash
# The lab's network: one network namespace with a bridge that has no uplink, and one namespace for each machine, which
# lives as long as the machine is on. Sourced by lab.sh and supervise.

lab_space=jhub-lab-$id

space_of() { echo "$lab_space-$1"; }
in_space() { local space=$1; shift; nsenter --net="/run/netns/$space" "$@"; }

address_of() {
    case $1 in
        head) echo 10.99.0.2 ;;
        worker*) echo "10.99.0.$((10 + ${1#worker}))" ;;
    esac
}

make_lab_network() {
    [ -e "/run/netns/$lab_space" ] && return
    ip netns add "$lab_space"
    ip -n "$lab_space" link set lo up
    ip -n "$lab_space" link add br-lab type bridge
    ip -n "$lab_space" address add 10.99.0.1/24 dev br-lab
    ip -n "$lab_space" link set br-lab up
    in_space "$lab_space" sysctl -qw net.ipv4.ip_forward=0
    # Frames between machines are the bridge's own business, no packet filter's.
    in_space "$lab_space" sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 2>/dev/null || true
    in_space "$lab_space" nft -f "$here/machines/leaks.nft"
}

make_machine_network() {
    local space
    space=$(space_of "$1")
    remove_space "$space"
    ip -n "$lab_space" link delete "ve-$1" 2>/dev/null || true
    ip netns add "$space"
    ip -n "$lab_space" link add "ve-$1" type veth peer name eth0 netns "$space"
    ip -n "$lab_space" link set "ve-$1" master br-lab up
    in_space "$space" nft -f "$here/machines/leaks.nft"
}

# What a machine has sent to the outside is kept when its namespace goes.
remove_machine_network() {
    local space
    space=$(space_of "$1")
    [ -e "/run/netns/$space" ] || return 0
    mkdir -p "$state/leaks"
    in_space "$space" nft -j list table inet jhub-lab >"$state/leaks/$1-$(date +%s%N).json" 2>/dev/null || true
    remove_space "$space"
}

# A killed lab can leave a name whose namespace is gone.
remove_space() {
    [ -e "/run/netns/$1" ] || return 0
    ip netns delete "$1" 2>/dev/null || rm -f "/run/netns/$1"
}
