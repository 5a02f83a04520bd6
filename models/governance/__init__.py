"""Who may do what to a model, and the record of who did: every door uses these rules."""
