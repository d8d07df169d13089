# What the wrappers of kubectl, helm and ctr share. Sourced. They are called again and again, and so are no Python, which
# takes its time to start; standin/permissions.py is the same for the other commands.
client_config=$SNAP_DATA/credentials/client.config
arguments=

need_permission() {
    [ -r "$client_config" ] && return
    sed "s/{user}/${USER:-$(id -u)}/" "$SNAP/standin/insufficient-permissions" >&2
    exit 1
}

need_running() {
    [ -e "$SNAP_DATA/var/lock/stopped.lock" ] || return 0
    echo "microk8s is not running, try microk8s start" >&2
    exit 1
}

refuse_on_worker() {
    [ -e "$SNAP_DATA/var/lock/clustered.lock" ] || return 0
    echo "This MicroK8s deployment is acting as a node in a cluster. Please use the microk8s $1 on the master."
    exit 0
}

# read_arguments SERVICE: the lines of args/SERVICE, for `eval`.
read_arguments() {
    while read -r line; do
        case $line in '' | '#'*) ;; *) arguments="$arguments $line" ;; esac
    done <"$SNAP_DATA/args/$1"
}

# It calls sudo even as root, so sudo must exist.
run_with_sudo() {
    if ! command -v sudo >/dev/null; then
        echo "$SNAP/actions/common/utils.sh: line 45: sudo: command not found" >&2
        exit 127
    fi
    exec sudo -E "$@"
}
