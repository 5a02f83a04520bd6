"""What calls a person: which findings do, how urgently, until when, and what became of it."""
