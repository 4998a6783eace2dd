"""What visitors take home: a learner as a script, a notebook and tables; a run and its training.

Nothing of it needs metademo: scripts are plain PyTorch and NumPy, tables are CSV and JSON.
"""
