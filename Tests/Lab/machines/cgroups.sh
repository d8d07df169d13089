# shellcheck shell=bash
# Each machine has a control group of its own, /lab-ID-MACHINE, in every hierarchy: the root of all that it sees, and a
# sure way to find its processes. Sourced by lab.sh and supervise.

hierarchies() {
    local folder
    for folder in /sys/fs/cgroup /sys/fs/cgroup/*; do
        if [ -f "$folder/cgroup.procs" ]; then echo "$folder"; fi
        if [ -f /sys/fs/cgroup/cgroup.procs ]; then break; fi   # cgroup v2: the one hierarchy has no others beside it
    done
}

groups_of() {
    local folder
    for folder in $(hierarchies); do
        if [ -d "$folder/lab-$id-$1" ]; then echo "$folder/lab-$id-$1"; fi
    done
}

make_groups() {
    local folder file
    for folder in $(hierarchies); do
        if [ -f "$folder/cgroup.subtree_control" ]; then   # cgroup v2: hand on what there is
            for file in $(cat "$folder/cgroup.controllers"); do echo "+$file" >"$folder/cgroup.subtree_control" || true; done
        fi
        mkdir -p "$folder/lab-$id-$1"
        if [ -f "$folder/cpuset.cpus" ] && [ -f "$folder/cgroup.clone_children" ]; then
            # No process may enter a group of cgroup v1 whose cpuset is empty.
            for file in cpuset.cpus cpuset.mems; do cat "$folder/$file" >"$folder/lab-$id-$1/$file"; done
            echo 1 >"$folder/lab-$id-$1/cgroup.clone_children"
        fi
    done
}

# Puts the calling process, and so all that it starts, among the machine's.
enter_groups() {
    local folder
    for folder in $(groups_of "$1"); do
        # Where systemd counts processes, systemd-nspawn gives the machine a group below its own.
        if [ -d "$folder/payload" ]; then folder=$folder/payload; fi
        if ! echo "$BASHPID" 2>/dev/null >"$folder/cgroup.procs"; then
            # In cgroup v2 processes and groups do not go together in one group.
            mkdir -p "$folder/visitors"
            echo "$BASHPID" >"$folder/visitors/cgroup.procs"
        fi
    done
}

# Ends every process of the machine, whoever its parent is, and removes the groups.
remove_groups() {
    local groups processes
    mapfile -t groups < <(groups_of "$1")
    [ "${#groups[@]}" != 0 ] || return 0
    for _ in $(seq 100); do
        processes=$(find "${groups[@]}" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | grep -vx 0 || true)
        if [ -z "$processes" ]; then
            find "${groups[@]}" -depth -type d -exec rmdir {} + 2>/dev/null || true
            [ -n "$(groups_of "$1")" ] || return 0
        fi
        # shellcheck disable=SC2086
        [ -z "$processes" ] || kill -KILL $processes 2>/dev/null || true
        sleep 0.1
    done
    say "processes of $1 do not end: $processes"
    return 1
}
