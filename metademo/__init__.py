"""metademo: see meta-learning happen."""
