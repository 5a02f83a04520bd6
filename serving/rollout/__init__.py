"""A challenger beside the champion while requests are answered: drawn accounts, shadows, and the look for roll-outs."""
