"""What makes the platform retrain, and what keeps it from retraining too often. Pure rules; `pipelines/retraining.py` decides."""
