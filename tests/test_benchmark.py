"""The report of `benchmark`: what is asked of the engines, and what becomes of the answers."""

import io
import json
import sys

import pytest
import torch
from commands import as_json, run

from metademo import benchmark
from metademo.recipes import configure
from metademo.reports import Speeds, WholeRun

RATES = {"original": 100.0, "torch": 200.0, "fused": 4000.0}
LOST = 3
"""The seed of a run that diverges."""


class Answers:
    """A worker that knows its answers."""

    def __init__(self, name):
        self.name = name

    def ask(self, method, *arguments):
        if method == "peak_gflops":
            return 50.0
        if method == "rate":
            return 1000.0 * arguments[0].meta_batch
        if method == "whole_run":
            (config,) = arguments
            error = None if config.seed == LOST else 0.07
            return dict(algorithm=config.algorithm, seconds=2.5, error=error, megabytes=12.0)
        _, batch = arguments
        return RATES[self.name] * batch if self.name != "original" or batch == 1 else None

    def __exit__(self, *fault):
        pass


@pytest.fixture
def answers(monkeypatch):
    monkeypatch.setattr(benchmark, "Worker", Answers)


def test_the_report_as_json(answers, capsys):
    report = as_json(run(capsys, "benchmark", "--json"))
    assert list(report) == [
        "peak_gflops",
        "rates",
        "quality",
        "article",
        "scaling",
        "share_of_peak",
    ]
    found = [(rate["algorithm"], rate["meta_batch"], rate["engine"]) for rate in report["rates"]]
    each = [(1, "original"), *((b, n) for b in (1, 16, 64) for n in ("torch", "fused"))]
    assert found == [(algorithm, *one) for algorithm in ("maml", "daml") for one in each]
    assert report["rates"][2] == {
        "algorithm": "maml",
        "meta_batch": 1,
        "engine": "fused",
        "tasks_per_second": {"median": 4000.0, "low": 4000.0, "high": 4000.0},
        "times_original": {"median": 40.0, "low": 40.0, "high": 40.0},
    }
    maml = configure("maml", "two-phase", "original")
    flops = benchmark.flops_per_task(maml)
    assert report["share_of_peak"] == pytest.approx(64 * 4000 * flops / 50e9)
    assert [list(part) for part in (report["rates"][0], report["article"][0])] == [
        ["algorithm", "meta_batch", "engine", "tasks_per_second", "times_original"],
        ["algorithm", "seconds", "error", "megabytes"],
    ]
    assert report["quality"][1] == {
        "algorithm": "daml",
        "target": 0.05,
        "seconds": {"median": 2.5, "low": 2.5, "high": 2.5},
        "errors": [0.07, 0.07, 0.07, None, 0.07],
        "reached": 0,
    }
    assert report["quality"][0]["reached"] == 4
    assert report["scaling"][0] == {"setting": "meta_batch", "value": 4, "microseconds": 250.0}


def test_the_report_is_read_back_as_it_was_written(answers):
    report = benchmark.run(say=lambda what: None)
    assert Speeds.model_validate_json(report.to_json()) == report


def test_the_report_in_words(answers, capsys):
    lines = run(capsys, "benchmark").splitlines()
    assert lines[3].split() == ["maml", "1", "fused", "4,000", "40.0", "(40", "..", "40)"]
    errors = "0.070, 0.070, 0.070, diverges, 0.070"
    assert f"  maml: 2.50 s; held-out L1 {errors} (target 0.10: 4 of 5)" in lines
    assert "  daml: 2.5 s; held-out L1 0.070; 12 MB above the idle process" in lines


def test_a_worker_answers_line_by_line_in_strict_json(monkeypatch, capsys):
    threads = torch.get_num_threads()
    lost = WholeRun(algorithm="maml", seconds=1.0, error=float("inf"), megabytes=0.0)

    class Engine:
        def whole_run(self, config):
            assert config == sent
            return lost

        def tasks_per_second(self, algorithm, batch):
            return None

    sent = configure("maml", "two-phase", "original")
    requests = [["whole_run", sent.to_dict()], ["tasks_per_second", "daml", 16]]
    monkeypatch.setitem(benchmark.MEASURED, "toy", Engine)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(map(json.dumps, requests))))
    try:
        benchmark.serve("toy")
    finally:
        torch.set_num_threads(threads)
    first, second = capsys.readouterr().out.splitlines()
    assert WholeRun.model_validate(as_json(first + "\n")) == lost
    assert second == "null"
