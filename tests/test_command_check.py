"""`python -m metademo check`: whether a server draws a chart."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from browser import ROOT, free_port

from metademo.ui.components.kernel import assets


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "metademo", "check", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_server_that_draws_passes(serve):
    done = check(serve(ROOT / "streamlit_app.py"), "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["fault"] is None
    assert 0 < report["click_ms"] < 30_000
    assert report["files_kb"] > len(assets.plotly_files()[assets.PLOTLY_FILE]) / 1000


def test_one_that_is_not_there_does_not():
    done = check(f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "no chart" in done.stdout
    assert "can't be reached" in done.stdout


@pytest.mark.parametrize("url", ["localhost:8501", "ftp://there", "nonsense"])
def test_what_is_no_address_is_one_line(url):
    done = check(url)
    assert done.returncode == 2
    assert "URL must be an address such as http://localhost:8501" in done.stderr
    assert len(done.stderr.splitlines()) == 1
