#!/bin/bash
# The lab: see README.md beside this file for its parts, and `scripts/lab --help` for its commands.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"

clone=$(cd "$here/../.." && pwd)
id=${JHUB_LAB_ID:-$(printf %s "$clone" | sha256sum | cut -c1-8)}
[[ $id =~ ^[0-9a-f]{8}$ ]] || die "JHUB_LAB_ID must be 8 hexadecimal digits, not '$id'"
all_states=/var/lib/jhub-lab
state=$all_states/$id
. "$here/machines/network.sh"
. "$here/machines/cgroups.sh"
. "$here/machines/machine.sh"

usage() {
    cat <<'END'
usage: scripts/lab COMMAND

Machines without Internet on this computer. Needs root.

  up [--workers N]          machine `head` and machines `worker1` … `workerN` (default 0), booted and bare at first
  list                      each machine, its address and whether it is on
  exec MACHINE -- COMMAND…  runs a command as root; its exit status, standard input and output pass through
  copy FROM MACHINE:PATH    copies a file or folder onto a machine: into PATH where that is a folder, as PATH elsewhere
  copy MACHINE:PATH TO      and back
  power MACHINE off|on|kill shut down, boot, or cut the power
  reset MACHINE [--disk SIZE]   back to the bare machine; with --disk its /var/snap is a disk of that size (such as 2G)
  leaks [--reset]           how many packets went for anywhere outside the lab, and where to; 1 if it cannot know
  ns -- COMMAND…            runs a command here, on the network on which the machines are (its address: 10.99.0.1)
  down                      removes the machines and all that they left behind

  scripts/lab up --workers 1
  scripts/lab copy bundle head:/root/offline-images
  scripts/lab exec head -- bash -c 'cd /root && ./jhub-install'
  scripts/lab ns -- curl http://10.99.0.2:30080

A key for ssh to the machines: /var/lib/jhub-lab/ID/id_ed25519 (`scripts/lab list` names it).
JHUB_LAB_CACHE moves the cache, JHUB_LAB_ID takes another lab than this clone's own, and JHUB_LAB_STANDINS another folder
of stand-ins (none when it is empty) for the machines that are made.
END
}

wrong_usage() { say "$*"; say "see scripts/lab --help"; exit 64; }

# One command at a time changes the lab.
lock() {
    local file=$all_states/$id.lock
    mkdir -p "$all_states"
    while true; do
        exec {locked}>"$file"
        flock "$locked"
        [ "$(stat -L -c %i "/proc/$$/fd/$locked")" != "$(stat -c %i "$file" 2>/dev/null)" ] || break
        exec {locked}>&-   # `down` removed the file while this waited for it
    done
    mkdir -p "$state"
}

must_exist() {
    [ -d "$state/machines/$1" ] || die "there is no machine '$1' (scripts/lab list shows those there are, scripts/lab up makes them)"
}

must_be_on() {
    must_exist "$1"
    leader=$(leader_of "$1") || die "machine '$1' is off: scripts/lab power $1 on"
}

up() {
    local workers=0 names=(head) name
    while [ $# != 0 ]; do
        case $1 in
            --workers) workers=${2:-}; shift 2 || wrong_usage "--workers needs a number" ;;
            --workers=*) workers=${1#*=}; shift ;;
            *) wrong_usage "up does not know '$1'" ;;
        esac
    done
    [[ $workers =~ ^(200|1?[0-9]{1,2})$ ]] || wrong_usage "--workers needs a number from 0 to 200, not '$workers'"
    for ((number = 1; number <= workers; number++)); do names+=("worker$number"); done

    for tool in systemd-nspawn debootstrap nft ip ssh-keygen; do
        command -v "$tool" >/dev/null || die "the command $tool is missing: $here/install-packages installs what the lab needs"
    done
    lock
    clear_leftovers
    keep_sysctls
    [ -f "$state/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C "lab $id" -f "$state/id_ed25519"
    make_lab_network
    for name in "${names[@]}"; do
        [ -d "$state/machines/$name" ] || make_machine "$name"
        is_held "$name" || start_machine "$name"
    done
    for name in "${names[@]}"; do wait_until_up "$name"; done
    list
}

list() {
    local folder name
    [ -d "$state/machines" ] || { echo "no machines (scripts/lab up makes them)"; return; }
    for name in $(machines); do
        printf '%-10s %-12s %s\n' "$name" "$(address_of "$name")" "$(leader_of "$name" >/dev/null && echo on || echo off)"
    done
    echo "ssh key: $state/id_ed25519   network namespace: $lab_space"
}

run_on() {
    [ $# -ge 2 ] || wrong_usage "exec needs a machine and a command"
    must_be_on "$1"
    local name=$1
    shift
    [ "$1" != -- ] || shift
    [ $# != 0 ] || wrong_usage "exec needs a command"
    enter_groups "$name"
    exec_inside "$@"
}

copy() {
    [ $# = 2 ] || wrong_usage "copy needs what to copy and where to"
    if [[ $2 =~ ^[a-z]+[0-9]*:. ]] && [ -e "$1" ]; then
        must_be_on "${2%%:*}"
        tar -C "$(dirname "$1")" -cf - --owner=0 --group=0 --no-acls -- "$(basename "$1")" |
            inside "$(unpack_as)" "$(basename "$1")" "${2#*:}"
    elif [[ $1 =~ ^[a-z]+[0-9]*:. ]]; then
        must_be_on "${1%%:*}"
        local path=${1#*:}
        inside '[ -e "$1" ]' "$path" || die "there is no $path on ${1%%:*}"
        inside 'tar -C "$(dirname "$1")" -cf - -- "$(basename "$1")"' "$path" |
            bash -euo pipefail -c "$(unpack_as)" - "$(basename "$path")" "$2"
    elif [ ! -e "$1" ]; then
        die "there is no $1"
    else
        wrong_usage "one of the two must be on a machine: MACHINE:PATH"
    fi
}

# A script that unpacks `NAME` from standard input as cp would copy it to DESTINATION: usage NAME DESTINATION.
unpack_as() {
    cat <<'END'
        name=$1 destination=$2
        if [ -d "$destination" ] && [ ! -L "$destination/$name" ]; then destination=${destination%/}/$name; fi
        destination=${destination%/}
        folder=$(dirname "$destination")
        mkdir -p "$folder"
        unfinished=$(mktemp -d "$folder/.copy.XXXXXX")
        trap 'rm -rf "$unfinished"' EXIT
        tar -C "$unfinished" -xpf - --no-same-owner
        if [ -d "$unfinished/$name" ] && [ -d "$destination" ]; then
            cp -a --remove-destination "$unfinished/$name/." "$destination/"
        else
            mv -fT "$unfinished/$name" "$destination"
        fi
END
}

power() {
    [ $# = 2 ] || wrong_usage "power needs a machine and off, on or kill"
    must_exist "$1"
    case $2 in
        on | off | kill) ;;
        *) wrong_usage "power knows off, on and kill, not '$2'" ;;
    esac
    lock
    case $2 in
        on)
            [ -e "/run/netns/$lab_space" ] || make_lab_network
            is_held "$1" || start_machine "$1"
            wait_until_up "$1"
            ;;
        off) shut_down "$1" ;;
        kill) cut_power "$1" ;;
    esac
}

reset() {
    local name='' size=''
    while [ $# != 0 ]; do
        case $1 in
            --disk) size=${2:-}; [ -n "$size" ] || wrong_usage "--disk needs a size, such as 2G"; shift 2 ;;
            --disk=*) size=${1#*=}; shift ;;
            -*) wrong_usage "reset does not know '$1'" ;;
            *) name=$1; shift ;;
        esac
    done
    [ -n "$name" ] || wrong_usage "reset needs a machine"
    must_exist "$name"
    lock
    cut_power "$name"
    rm -rf "$state/machines/$name"
    make_machine "$name" "$size"
    make_lab_network
    start_machine "$name"
    wait_until_up "$name"
}

leaks() {
    local name space names=('the lab itself') spaces=("$lab_space") counted=()
    [ -d "$state/machines" ] || die "there is no lab (scripts/lab up makes it)"
    for name in $(machines); do names+=("$name") spaces+=("$(space_of "$name")"); done
    for name in "${names[@]}"; do
        space=${spaces[0]} spaces=("${spaces[@]:1}")
        [ -e "/run/netns/$space" ] || continue
        if [ "${1:-}" = --reset ]; then
            in_space "$space" nft delete table inet jhub-lab 2>/dev/null || true
            in_space "$space" nft -f "$here/machines/leaks.nft"
        fi
        counted+=("$name=$space")
    done
    case ${1:-} in
        --reset) rm -rf "$state/leaks"; return ;;
        '') ;;
        *) wrong_usage "leaks does not know '$1'" ;;
    esac
    mkdir -p "$state/leaks"
    "$here/machines/leaks" "$state/leaks" "${counted[@]}"
}

down() {
    [ $# = 0 ] || wrong_usage "down takes nothing"
    local name
    lock
    for name in $(machines); do cut_power "$name"; done
    clear_leftovers
    remove_space "$lab_space"
    rm -rf "$state"
    rm -f "$all_states/$id.lock"
    restore_sysctls
    rmdir "$all_states" 2>/dev/null || true
}

command=${1:---help}
[ $# = 0 ] || shift
case $command in
    -h | --help | help) usage; exit ;;
    up | list | exec | copy | power | reset | leaks | ns | down) need_root ;;
    *) wrong_usage "there is no command '$command'" ;;
esac
case $command in
    exec) run_on "$@" ;;
    ns)
        [ "${1:-}" != -- ] || shift
        [ $# != 0 ] || wrong_usage "ns needs a command"
        [ -e "/run/netns/$lab_space" ] || die "the lab is down (scripts/lab up)"
        exec nsenter --net="/run/netns/$lab_space" -- "$@"
        ;;
    *) "$command" "$@" ;;
esac
