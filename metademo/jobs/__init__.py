"""A live training: start, pause, resume, stop, limits.

A :class:`Job` runs a `MetaTrainer` in a thread of its own and can be looked at from any other, at
any time, by `snapshot()`. A :class:`Registry` holds the jobs of a whole server: so many at once, a
short waiting line, then a plain "busy". What a job may ask for is bounded by :class:`Limits`, here
and not only in the widgets.
"""

from metademo.jobs.job import Job, JobState, Progress
from metademo.jobs.limits import Limits
from metademo.jobs.registry import Busy, Registry
from metademo.jobs.snapshots import Snapshot, held_out_errors

__all__ = [
    "Busy",
    "Job",
    "JobState",
    "Limits",
    "Progress",
    "Registry",
    "Snapshot",
    "held_out_errors",
]
