"""The checks of `make verify` beyond the ledger and what it names: the lake, the evidence packs, and records that are gone."""
