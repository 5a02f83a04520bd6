#!/bin/sh
# PostgreSQL's archive_command: keep one finished segment of its log, whole or not at all, and never over another.
#   archive.sh %p %f FOLDER
set -eu
umask 077
kept="$3/$2.gz"
if [ -e "$kept" ]; then
    gzip -cd "$kept" | cmp -s - "$1" && exit 0 # asked twice, after a crash
    echo "archive.sh: $kept is there, and is another: does a second cluster archive into this folder?" >&2
    exit 1
fi
mkdir -p "$3"
part="$3/.$2.$$"
trap 'rm -f "$part"' EXIT
gzip -n1 <"$1" >"$part" # a segment that was closed early is nearly all zeros
sync "$part"
ln "$part" "$kept" # unlike mv, never over another
sync "$3"
