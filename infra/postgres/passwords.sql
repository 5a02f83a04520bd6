-- The passwords of a new cluster, or of one that was brought back: as they are in the secrets beside it.
-- They are read from files, so that they are in no command line and no log.
\set ON_ERROR_STOP on
\set superuser `cat "$SECRETS/postgres_superuser"`
\set mlflow `cat "$SECRETS/postgres_mlflow"`
\set prefect `cat "$SECRETS/postgres_prefect"`
\set decisions `cat "$SECRETS/postgres_decisions"`

ALTER ROLE postgres PASSWORD :'superuser';
ALTER ROLE mlflow PASSWORD :'mlflow';
ALTER ROLE prefect PASSWORD :'prefect';
ALTER ROLE decisions PASSWORD :'decisions';
