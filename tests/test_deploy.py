"""What is in `deploy/`, as far as it can be tried without a fresh machine, a container or systemd.

`python -m tests.fresh_root` tries the installation, `test_replicas_browser.py` the balancer.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit
from browser import ROOT
from streamlit.config import get_config_options

DEPLOY = ROOT / "deploy"
SCRIPTS = sorted(DEPLOY.glob("*.sh"))


def commands(pattern: str, name: str) -> list[str]:
    return re.findall(pattern, (DEPLOY / name).read_text(), re.MULTILINE)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_can_be_read_and_run(script):
    subprocess.run(["bash", "-n", script], check=True)
    assert os.access(script, os.X_OK)


def test_the_image_is_made_by_the_script_and_runs_as_the_user_that_it_makes():
    (step,) = commands(r"^RUN (.*)$", "Dockerfile")
    assert "deploy/install.sh /opt/metademo/venv" in step
    (user,) = commands(r"^USER (\w+)$", "Dockerfile")
    assert user == commands(r"^user=(\w+)$", "install.sh")[0]
    assert commands(r"^ARG (METADEMO_TORCH_INDEX)=", "Dockerfile")
    assert commands(r"METADEMO_TORCH_INDEX", "install.sh")


def test_the_unit_runs_what_the_script_installs():
    (command,) = commands(r"^ExecStart=(.*)$", "metademo.service")
    venv = commands(r"^venv=\$\{1:-(.*)\}$", "install.sh")[0]
    assert command.startswith(f"{venv}/bin/streamlit run streamlit_app.py ")
    assert commands(r"^User=(\w+)$", "metademo.service") == commands(r"^user=(\w+)$", "install.sh")


@pytest.mark.parametrize("name", ["Dockerfile", "metademo.service", "replicas.sh", "check.py"])
def test_only_options_are_set_that_streamlit_has(name):
    """It would refuse to start."""
    options = commands(r"--((?:server|browser)\.\w+)", name)
    assert options
    assert set(options) <= set(get_config_options())


def test_the_policy_lets_the_script_run_that_streamlit_has_in_its_page():
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text(), re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert commands(r"'sha256-([^']+)'", "haproxy.cfg") == hashes


def test_a_pinned_torch_is_there_for_the_script_to_take():
    """It asks for this line by itself, at another index."""
    assert re.findall(r"^torch==[\d.]+$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


def test_the_check_passes_where_all_is_there_and_says_what_is_missing(tmp_path):
    check = [sys.executable, str(DEPLOY / "check.py")]
    empty = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    refused = subprocess.run(check, env=empty, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "not compiled" in refused.stderr
    passed = subprocess.run(check, capture_output=True, text=True)
    assert passed.returncode == 0, passed.stderr
    assert "healthy" in passed.stdout


def test_the_image_is_not_made_of_what_lies_about():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "tests"} <= set(ignored)
