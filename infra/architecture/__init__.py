"""The diagrams and tables of docs/architecture.md, drawn from the code: `make architecture`. A test compares."""
