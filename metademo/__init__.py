"""metademo: see meta-learning happen."""

__version__ = "0.12.0"
