"""A release on its way from home to home: taken in, and brought into force step by step."""
