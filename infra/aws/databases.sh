#!/bin/sh
# What the task `databases` runs: infra/postgres/passwords.sql reads passwords from files, so they are written while it runs.
set -eu
umask 077
for user in superuser mlflow prefect decisions; do
    eval "printf %s \"\$PASSWORD_$user\"" > "$SECRETS/postgres_$user"
done
trap 'rm -f "$SECRETS"/postgres_*' EXIT
printf %s "$SQL" | psql -X -q
