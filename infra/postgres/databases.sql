-- One database for each tool that keeps something, owned by a user who can open no other. Run once, by the superuser.
-- The passwords are read from files, so that they are in no command line and no log.
\set ON_ERROR_STOP on
\set superuser `cat "$SECRETS/postgres_superuser"`
\set mlflow `cat "$SECRETS/postgres_mlflow"`
\set prefect `cat "$SECRETS/postgres_prefect"`
\set decisions `cat "$SECRETS/postgres_decisions"`

ALTER ROLE postgres PASSWORD :'superuser';
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow';
CREATE ROLE prefect LOGIN PASSWORD :'prefect';
CREATE ROLE decisions LOGIN PASSWORD :'decisions';
CREATE DATABASE mlflow OWNER mlflow;
CREATE DATABASE prefect OWNER prefect;
CREATE DATABASE decisions OWNER decisions;
REVOKE ALL ON DATABASE mlflow, prefect, decisions, postgres FROM PUBLIC;
