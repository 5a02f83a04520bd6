"""What must hold of data and service whatever the month is like: figures, and the rules that look at them."""
