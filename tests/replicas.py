"""How much more two replicas carry than one: ``python -m tests.replicas [--share 0.2] [--json]``.

Both are behind the balancer of `deploy/`, each on a core of its own, and the visitors of
`tests.load` come through it. A machine with two cores has to run the visitors, too: so each replica
is held to a share of its core by a control group, once it is warm. Searched is the greatest number
of visitors, each of whom clicks about once a second, for whom the 95th percentile of a click stays
within `--p95` ms while none fails, in one of two attempts, to about 8 %. With `--share 1` each has
its whole core; that takes a machine with more than two. Where others work, too, `nice -n -15`
before the command gives it precedence.

Only root writes control groups. Ends with status 1 if two replicas carry less than 1.7 times what
one does, and with 2 if it can't be measured here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from functools import partial

from metademo import fused
from tests.load import Load, measure, within
from tests.replicating import HAPROXY, NO_BALANCER, Shares, replicating

TARGET = 1.7
FIRST, PRECISION = 8, 0.08
"""So many visitors are tried first, and so exactly the greatest number is found."""
WARM = 10
"""Seconds of clicks on each until the compiled engine is loaded, and all that a first one needs."""
ATTEMPTS = 2
"""So often a number is tried before it does not go: what else runs here only makes it slower."""
ENVIRONMENT = {"METADEMO_MAX_SESSIONS": "100000", "METADEMO_PIN": "1"}
"""Nobody waits, since how many go is what is asked; and each replica stays on a core of its own."""


def greatest(goes: Callable[[int], bool]) -> int:
    """The greatest number that goes: doubled until one does not, then halved between the two."""
    least, most = 0, FIRST
    while goes(most):
        least, most = most, 2 * most
    while most - least > max(1, PRECISION * least):
        middle = (least + most) // 2
        least, most = (middle, most) if goes(middle) else (least, middle)
    return least


def carried(count: int, share: float, p95: float, seconds: float) -> int:
    """The visitors that so many replicas bear."""
    with Shares() as shares, replicating(count, ENVIRONMENT) as replicas:
        for url in replicas.urls:
            asyncio.run(measure(Load(sessions=FIRST, seconds=WARM), url))
        for process in replicas.processes.values():
            if share < 1:
                shares.hold(process, share)
        attempt = partial(_bears, url=replicas.url, p95=p95, seconds=seconds)
        return greatest(lambda sessions: any(attempt(sessions) for _ in range(ATTEMPTS)))


def _bears(sessions: int, *, url: str, p95: float, seconds: float) -> bool:
    found = asyncio.run(measure(Load(sessions=sessions, seconds=seconds), url))
    slowest, failed = found["click_ms"].get("p95"), found["failures"]
    said = f"{sessions} sessions: p95 {slowest} ms, {found['clicks']} clicks, {failed} failed"
    print(said, file=sys.stderr, flush=True)
    return not failed and slowest is not None and slowest <= p95


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--share", type=_share, default=0.2, help="of a core, for each replica")
    parser.add_argument("--p95", type=within(1, 10_000), default=250, metavar="MS")
    parser.add_argument("--seconds", type=within(5, 600), default=20, help="of each attempt")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    if HAPROXY is None:
        print(NO_BALANCER, file=sys.stderr)
        return 2
    if given.share < 1 and not Shares.possible():
        print("no control group can be written here: try it as root", file=sys.stderr)
        return 2
    fused.warm()  # compiles the kernels, if they are not there, as an installation does
    one, two = (carried(n, given.share, given.p95, given.seconds) for n in (1, 2))
    if not one:
        print("one replica bears nobody: give it a larger share, or more time", file=sys.stderr)
        return 2
    found = {"one": one, "two": two, "ratio": round(two / one, 2), "target": TARGET}
    found |= {"share": given.share, "p95_ms": given.p95, "seconds": given.seconds}
    lines = [f"{name.replace('_', ' '):<10}{value}" for name, value in found.items()]
    print(json.dumps(found) if given.json else "\n".join(lines))
    return 0 if two / one >= TARGET else 1


def _share(text: str) -> float:
    value = float(text)
    if not 0.1 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0.1 to 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
