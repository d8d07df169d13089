# shellcheck shell=bash
# What the lab's bash scripts share. Sourced, never run.

shopt -s inherit_errexit   # a failure inside $(…) is a failure

lab_cache=${JHUB_LAB_CACHE:-/var/cache/jhub-lab}

say() { echo "lab: $*" >&2; }
die() { say "$*"; exit 1; }

need_root() {
    [ "$(id -u)" = 0 ] || die "this needs root: it makes machines, networks and mounts. Run it as root, or with sudo."
}

# key TEXT_OR_FILE…: a short hash of the texts, and of the contents of those that are files.
key() {
    local part
    for part; do
        if [ -f "$part" ]; then sha256sum <"$part"; else echo "$part"; fi
    done | sha256sum | cut -c1-16
}

# cached NAME KEY MAKER: prints the cache folder NAME-KEY. When it is missing, `MAKER FOLDER` fills a temporary folder
# that is renamed into place, so that a folder under its final name is always whole.
cached() {
    local folder=$lab_cache/$1-$2 unfinished lock
    if [ ! -d "$folder" ]; then
        need_root
        mkdir -p "$lab_cache"
        exec {lock}>"$lab_cache/.$1.lock"
        flock "$lock"
        if [ ! -d "$folder" ]; then
            unfinished=$lab_cache/.unfinished-$1
            rm -rf "$unfinished"
            mkdir "$unfinished"
            say "making $1-$2"
            "$3" "$unfinished" >&2 {lock}>&-
            mv -T "$unfinished" "$folder"
        fi
        exec {lock}>&-
    fi
    echo "$folder"
}

# The Debian mirror that this computer's own apt uses.
debian_mirror() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
        awk '$2 == "bookworm" { print $1; exit }')
    [ -n "$mirror" ] || die "apt has no source for Debian bookworm: the lab is made of Debian 12's packages (see /etc/apt/sources.list)"
    echo "$mirror"
}

# bookworm_apt FOLDER [TYPE…]: sets the array `apt_options`, with which apt looks at Debian bookworm alone (TYPE deb: packages,
# as without any; deb-src: sources), keeps its lists in FOLDER, and leaves the computer's own apt untouched.
bookworm_apt() {
    local mirror types=("${@:2}") keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(debian_mirror)
    mkdir -p "$1/lists/partial" "$1/archives/partial"
    printf "%s [signed-by=$keyring] $mirror bookworm main\n" "${types[@]:-deb}" >"$1/sources.list"
    apt_options=(
        -o Dir::Etc::SourceList="$1/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::State::Lists="$1/lists" -o Dir::Cache::Archives="$1/archives"
        -o Dir::Cache::PkgCache= -o Dir::Cache::SrcPkgCache=
        -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Languages=none
    )
    apt-get "${apt_options[@]}" -q update
}
