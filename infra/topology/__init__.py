"""Every service of the platform, described once (`services`) and rendered twice: as supervised processes on one machine
(`supervised`, `make up-local`) and as containers (`compose`, `infra/compose/compose.yaml`).
"""
