#!/bin/sh
# PostgreSQL's restore_command: bring one archived segment of its log back.
#   restore.sh %p %f FOLDER
kept="$3/$2.gz"
[ -e "$kept" ] || exit 1 # it asks on until there is none: so it finds the end
gzip -cd "$kept" >"$1" && exit 0
echo "restore.sh: $kept is damaged" >&2
exit 200 # over 125 it gives up, and does not take this for the end
