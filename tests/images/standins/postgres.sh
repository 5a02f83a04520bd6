#!/bin/bash
# What PostgreSQL's own image does at its first start, as far as the compose file leans on it: a cluster whose superuser has the password of a
# file, then what lies in /docker-entrypoint-initdb.d, by psql. As root it goes on as `postgres`; any other user may be given.
set -eu
POSTGRES_PASSWORD=${POSTGRES_PASSWORD:-$(cat "$POSTGRES_PASSWORD_FILE")}
export POSTGRES_PASSWORD
if [ "$(id -u)" = 0 ]; then
    install -d -o postgres -g postgres "$PGDATA"
    exec setpriv --reuid postgres --regid postgres --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA" && chmod 700 "$PGDATA"
    printf 'postgres:x:%s:%s::/:/bin/false\n' "$(id -u)" "$(id -g)" >/tmp/passwd
    printf 'postgres:x:%s:\n' "$(id -g)" >/tmp/group
    # shellcheck disable=SC2086  # several arguments
    LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=/tmp/passwd NSS_WRAPPER_GROUP=/tmp/group \
        initdb --username=postgres $POSTGRES_INITDB_ARGS --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") >/dev/null
    printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    pg_ctl -w -s -o "-c listen_addresses= -c unix_socket_directories=/var/run/postgresql" start
    for file in /docker-entrypoint-initdb.d/*.sql; do
        psql -v ON_ERROR_STOP=1 --username postgres --no-password --no-psqlrc -h /var/run/postgresql -f "$file"
    done
    pg_ctl -w -s -m fast stop
fi
unset POSTGRES_PASSWORD
exec "$@"
