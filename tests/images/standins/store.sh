#!/bin/sh
# What SeaweedFS' own image does: as root it gives /data to its user and goes on as that; its commands get arguments of its own, others are left alone.
set -eu
if [ "$(id -u)" = 0 ]; then
    chown -R seaweed:seaweed /data
    exec setpriv --reuid seaweed --regid seaweed --clear-groups "$0" "$@"
fi
case "$1" in
server) shift && exec /usr/bin/weed -logtostderr=true server -dir=/data -volume.max=0 "$@" ;;
*) exec /usr/bin/weed "$@" ;;
esac
