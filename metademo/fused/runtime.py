"""Loading the compiled part. Nothing is imported from Numba or compiled before its first use."""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

import numpy as np

_loading = threading.Lock()


def load(dtype: Any = np.float32) -> ModuleType:
    """The kernels for float32 or float64; imports Numba at the first call.

    Raises:
        ValueError: for another precision.
    """
    precision = np.dtype(dtype).name
    if precision not in ("float32", "float64"):
        raise ValueError(f"the compiled engine works in float32 or float64, not in {precision}")
    with _loading:
        from . import kernels, products

        products.prepare(precision)
        return kernels


def keeps_all(dtype: Any = np.float32) -> bool:
    """Whether all kernels have been compiled already, so that they only have to be loaded."""
    with _loading:
        from metademo import kernel_cache

        return kernel_cache.has_all(np.dtype(dtype).name)


def note_all(dtype: Any) -> None:
    """Have it noted that all kernels are kept, see `keeps_all`."""
    with _loading:
        from metademo import kernel_cache

        kernel_cache.note_all(np.dtype(dtype).name)


def keeps_code() -> bool:
    """Whether what one process compiles is on disk for the next one."""
    with _loading:
        from metademo import kernel_cache

        return kernel_cache.is_writable()
