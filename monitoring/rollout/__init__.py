"""What a roll-out has shown, and what follows: observations in, a verdict out. Nothing here reads a clock, a log or a file.

Start with `judge.py`. The sequential tests are `bets.py` (how evidence grows) and `family.py` (what is tested, and how the false
alarms are shared); `limits.py` are the policy's own limits; `documents.py` is what is kept of a verdict.
"""
