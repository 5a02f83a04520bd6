#!/bin/sh
# A base image from Debian's packages, where no image registry can be reached: the same Debian and Python as the official one.
# usage: base.sh FILE [PACKAGES]    writes the root file system as a tar archive; PACKAGES with commas between
set -eu
# shellcheck disable=SC2016  # the hooks are scripts of their own: mmdebstrap gives them their $1
exec mmdebstrap --quiet --variant=minbase --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --include="usr-is-merged,python3,ca-certificates${2:+,$2}" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' \
    --customize-hook='ln -s /usr/bin/python3 "$1/usr/local/bin/python3"; ln -s /usr/bin/python3 "$1/usr/local/bin/python"' \
    --customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' \
    bookworm "$1"
