"""A registered version made again from its record, and what differs."""
