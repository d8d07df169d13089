# shellcheck shell=bash
# One machine: its files, its power. Sourced by lab.sh.

machines() {
    [ -d "$state/machines" ] || return 0
    ls "$state/machines" | sort -V
}

# Whether the machine is on, or on its way up or down: its supervisor holds this lock, and nobody else ever does for long.
is_held() { [ -e "$state/machines/$1/held" ] && ! flock -n "$state/machines/$1/held" true; }

# Prints the number of the machine's PID 1, as seen from here.
leader_of() {
    local leader
    leader=$(cat "$state/machines/$1/leader" 2>/dev/null) || return 1
    grep -qs "/lab-$id-$1" "/proc/$leader/cgroup" || return 1
    echo "$leader"
}

# make_machine NAME [SIZE]: lays a bare machine's files; with SIZE its /var/snap is a disk of its own.
make_machine() {
    local name=$1 size=${2:-} machine=$state/machines/$1 unfinished=$state/.new-$1 lower standins=
    lower=$("$here/machines/rootfs")/root
    if [ -n "${JHUB_LAB_STANDINS-}" ]; then
        standins=$JHUB_LAB_STANDINS
    elif [ -z "${JHUB_LAB_STANDINS+set}" ] && [ -x "$here/microk8s/build" ]; then
        standins=$("$here/microk8s/build")/standins
    fi
    lower=${standins:+$standins:}$lower
    rm -rf "$unfinished"
    mkdir -p "$unfinished"/{upper/etc/ssh,upper/etc/systemd/network,upper/root/.ssh,work,disks/{containerd,snap,srv}}
    echo "$lower" >"$unfinished/lower"
    # A folder that an overlay finds above brings its own mode: the bare machine's stay.
    chmod 700 "$unfinished/upper/root" "$unfinished/upper/root/.ssh"
    chmod 711 "$unfinished/disks/containerd"
    cp "$state/id_ed25519.pub" "$unfinished/upper/root/.ssh/authorized_keys"
    echo "$name" >"$unfinished/upper/etc/hostname"
    tr -d - </proc/sys/kernel/random/uuid >"$unfinished/upper/etc/machine-id"
    ssh-keygen -A -f "$unfinished/upper" >/dev/null
    printf '%s\n' '[Match]' 'Name=eth0' '' '[Network]' "Address=$(address_of "$name")/24" \
        'LinkLocalAddressing=ipv6' 'IPv6AcceptRA=no' 'LLMNR=no' >"$unfinished/upper/etc/systemd/network/10-eth0.network"
    if [ -n "$size" ]; then
        truncate -s "$size" "$unfinished/disk.img" || die "'$size' is no size for a disk; 2G is one"
        mkfs.ext4 -q -m 0 "$unfinished/disk.img"
    fi
    mkdir -p "$state/machines"
    mv -T "$unfinished" "$machine"
}

start_machine() {
    clear_machine "$1"
    local closed=${locked:-9}
    setsid "$here/machines/supervise" "$id" "$1" </dev/null >>"$state/machines/$1/supervisor.log" 2>&1 {closed}>&- &
    disown
    # Until it holds its lock nobody must take the machine for one that is off.
    for _ in $(seq 100); do
        ! is_held "$1" || return 0
        sleep 0.02
    done
    die "the supervisor of $1 does not start: see $state/machines/$1/supervisor.log"
}

wait_until_up() {
    local name=$1 leader answer deadline=$((SECONDS + 90))
    while [ "$SECONDS" -lt "$deadline" ]; do
        is_held "$name" || break
        if leader=$(leader_of "$name"); then
            answer=$(inside_quietly timeout 60 systemctl is-system-running --wait) || true
            case $answer in
                running) return ;;
                degraded)
                    say "$name is up, but units have failed:"
                    inside_quietly systemctl --failed --no-legend --plain >&2
                    return
                    ;;
            esac
        fi
        sleep 0.1
    done
    die "machine $name does not come up; the end of $state/machines/$name/console.log and of supervisor.log beside it:
$(tail -q -n 20 "$state/machines/$name/console.log" "$state/machines/$name/supervisor.log" 2>/dev/null)"
}

# exec_inside COMMAND…: becomes the command, inside the machine whose PID 1 is $leader. It ends with its caller, and may do
# what the machine's own processes may.
exec_inside() {
    exec nsenter --target="$leader" --mount --uts --ipc --net --pid --cgroup --root --wd -- \
        setpriv --pdeathsig TERM --bounding-set -sys_time --inh-caps -sys_time env -i -C /root HOME=/root USER=root LOGNAME=root SHELL=/bin/bash LANG=C.UTF-8 \
        TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin "$@"
}

inside_quietly() { (exec_inside "$@") </dev/null 2>/dev/null; }

# inside SCRIPT ARGUMENT…
inside() { (exec_inside bash -euo pipefail -c "$1" - "${@:2}"); }

wait_until_off() { flock -w "$2" "$state/machines/$1/held" true; }

shut_down() {
    local leader
    is_held "$1" || return 0
    if leader=$(leader_of "$1"); then
        kill -s RTMIN+4 "$leader" || true   # systemd's signal for "power off"
        wait_until_off "$1" 100 && return
        say "$1 did not shut down within 100 s: its power is cut"
    fi
    cut_power "$1"
}

cut_power() {
    local leader
    for _ in $(seq 100); do
        is_held "$1" || break
        if leader=$(leader_of "$1"); then kill -KILL "$leader" 2>/dev/null || true; fi
        wait_until_off "$1" 0.3 || true
    done
    ! is_held "$1" || die "machine $1 does not end"
    clear_machine "$1"
}

# What a machine left whose supervisor was killed.
clear_machine() {
    remove_groups "$1" || die "machine $1 does not end"
    [ ! -d "$state" ] || remove_machine_network "$1"
    rm -rf "$state/machines/$1/leader" "/run/systemd/nspawn/propagate/jhub-lab-$id-$1"
}

# What an earlier lab of this clone left behind when it was killed, known by its names alone.
clear_leftovers() {
    local name
    for name in $(
        machines
        for folder in /run/netns/"$lab_space"-*; do [ ! -e "$folder" ] || echo "${folder##*/"$lab_space"-}"; done
        for folder in $(hierarchies); do
            find "$folder" -maxdepth 1 -name "lab-$id-*" -printf '%f\n' | sed "s/^lab-$id-//"
        done
    ); do
        is_held "$name" || clear_machine "$name"
    done
    for device in $(losetup --list --noheadings --output NAME,BACK-FILE | awk -v at="$state/" 'index($2, at) == 1 { print $1 }'); do
        grep -qs "^$device " /proc/[0-9]*/mounts || losetup --detach "$device"
    done
    rm -rf "$state"/.new-*
}

# These belong to the whole kernel: a kubelet and the settings of a machine's own disk change them. The first lab on this
# computer writes down what it found, the last one puts it back.
kernel_wide='^(vm\.(overcommit_memory|max_map_count|swappiness)|kernel\.(panic|panic_on_oops|pid_max|core_uses_pid|core_pattern|sysrq|keys\.[a-z_]+)|fs\.(file-max|nr_open|inotify\.[a-z_]+|protected_[a-z]+|suid_dumpable))$'

keep_sysctls() {
    local file=$all_states/sysctls limit
    (
        flock 9
        if [ ! -f "$file" ]; then
            sysctl --all --pattern "$kernel_wide" >"$file.new" 2>/dev/null
            mv "$file.new" "$file"
        fi
        # For all machines together; what each of them sees is its own.
        for limit in fs.inotify.max_user_instances=8192 fs.inotify.max_user_watches=1048576; do
            [ "$(sysctl --values "${limit%=*}")" -ge "${limit#*=}" ] || sysctl --quiet --write "$limit"
        done
    ) 9</var/lib   # a lock of all labs that leaves nothing behind
}

restore_sysctls() {
    local file=$all_states/sysctls
    (
        flock 9
        [ -f "$file" ] && [ -z "$(find "$all_states" -mindepth 1 -maxdepth 1 -type d)" ] || exit 0
        sysctl --quiet --load="$file" 2>/dev/null || true
        rm -f "$file"
    ) 9</var/lib
}
