"""A sweep: algorithms x families x settings x seeds, each a run: ``python -m metademo sweep``.

What is to be run a :class:`plan.Plan` says, from the command line or from a TOML file. Each
finished run is a line in a file (`file`), written before anything else happens; runs that have one
already are not carried out again, so the same command goes on where it was cut short (`run`). At
the end there is a table (`table`). The runs are carried out by :mod:`metademo.workers`.
"""
