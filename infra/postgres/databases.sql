-- One database for each tool that keeps something, owned by a user who can open no other. Run once, by the superuser, with
-- passwords.sql after it.
\set ON_ERROR_STOP on

CREATE ROLE mlflow LOGIN;
CREATE ROLE prefect LOGIN;
CREATE ROLE decisions LOGIN;
CREATE DATABASE mlflow OWNER mlflow;
CREATE DATABASE prefect OWNER prefect;
CREATE DATABASE decisions OWNER decisions;
REVOKE ALL ON DATABASE mlflow, prefect, decisions, postgres FROM PUBLIC;
