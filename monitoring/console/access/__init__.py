"""Who is at the door of the console: signing in, sessions, what a form must carry, and what a browser may load (ADR 38)."""
