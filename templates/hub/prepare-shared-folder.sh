# Runs as root before a user's server starts, with the shared folder at /shared.
# KubeSpawner formats this text, so it has no curly braces.
set -eu
case "$FOLDER" in '' | . | .. | */*) echo "no folder can be named '$FOLDER'" >&2; exit 1 ;; esac
if [ ! -e "/shared/$FOLDER" ]; then
    # Made beside, then moved: two servers of one user may start at once, and neither sees it half made.
    new="/shared/.new.$(hostname).$$"
    mkdir -m 0770 "$new"
    chown "$OWNER" "$new"
    mv -T "$new" "/shared/$FOLDER" || rmdir "$new"
fi
