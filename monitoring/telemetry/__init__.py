"""What every process tells of itself: log lines in one form, numbers for Prometheus, spans, and the id that joins them."""
