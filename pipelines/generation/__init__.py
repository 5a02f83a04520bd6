"""Account-months at any size, with the real panel's marginals and dependence, for what must be tried at size."""
