"""No answer before its decision is durable: group commit, spool, deferred log."""
