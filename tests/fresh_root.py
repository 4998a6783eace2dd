"""From nothing to a healthy app: ``python -m tests.fresh_root``, as root, on Debian; takes minutes.

A fresh Debian gets Python and nothing else, runs `deploy/install.sh`, and is then made read-only.
The app is started there as its unit says, by the user that the script has made. It has to draw its
first page, to become healthy, and to end when it is told to.

Packages come from where this machine takes them: its apt's and pip's settings are lent to the root.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.browser import ROOT, free_port

RELEASE = "bookworm"
HOME = "/opt/metademo"
USER = "metademo"
LENT = re.compile(
    r"PIP_\w+|SSL_CERT_\w+|\w+_CA_BUNDLE|METADEMO_\w+|(https?|no)_proxy", re.IGNORECASE
)
"""The variables of this machine that tell how packages are got."""
SETTINGS = (
    *("apt/sources.list", "apt/sources.list.d", "apt/apt.conf", "apt/apt.conf.d"),
    *("pip.conf", "xdg/pip", "ssl/certs/ca-certificates.crt", "resolv.conf", "hosts"),
)
"""The files of this machine, in /etc, that tell it."""
INSIDE = "--inside"


def main() -> None:
    """Mounts are made in a name space of their own: they end with it, and what is removed then is
    nothing but the root.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(INSIDE, metavar="FOLDER", help=argparse.SUPPRESS)
    inside = parser.parse_args().inside
    if inside:
        return check(Path(inside))
    if os.getuid() or not shutil.which("debootstrap"):
        sys.exit("This needs root, and the package debootstrap.")
    with tempfile.TemporaryDirectory(prefix="metademo-root-") as folder:
        os.chmod(folder, 0o755)  # it is the root of another user, too
        again = [sys.executable, "-m", __spec__.name, INSIDE, folder]
        sys.exit(subprocess.run(["unshare", "--mount", *again], cwd=ROOT).returncode)


def check(root: Path) -> None:
    """All of it, in a folder that may be filled and mounted upon."""
    with stage("a fresh Debian"):
        run("debootstrap", "--variant=minbase", RELEASE, str(root), *mirror(), quiet=True)
        lend_settings(root)
        mount(root)
        inside(root, "apt-get", "update", "-qq")
        inside(
            root, "apt-get", "install", "-qq", "--no-install-recommends", "python3-venv", quiet=True
        )
        lend_settings(root)  # again: the packages have brought certificates of their own
    with stage("deploy/install.sh"):
        copy_project(root / HOME.strip("/") / "app")
        inside(root, f"{HOME}/app/deploy/install.sh", f"{HOME}/venv")
    with stage("on a read-only disk, as another user"):
        make_read_only(root)
        inside(root, f"{HOME}/venv/bin/python", f"{HOME}/app/deploy/check.py", user=USER)
        serve(root)
    print(f"installed: {megabytes(root / HOME.strip('/'))} MB; all of it passed")


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    print(f"-- {name}", flush=True)
    began = time.monotonic()
    yield
    print(f"-- {name}: {time.monotonic() - began:.0f} s", flush=True)


# ----------------------------------------------------------------------------- the fresh root


def mirror() -> list[str]:
    """Where this machine takes the release from, if it is of the same one."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    pairs = [line.split() for line in listed.splitlines()]
    return [uri for release, uri in pairs if release == RELEASE][:1]


def lend_settings(root: Path) -> None:
    """Only what says where packages are, of apt: its other settings are about this machine."""
    (root / "etc/apt/sources.list").unlink(missing_ok=True)  # the mirror, which is lent anyway
    for name in SETTINGS:
        source, target = Path("/etc", name), root / "etc" / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for path in (root / "etc/apt/apt.conf.d").iterdir():
        if "Acquire::" not in path.read_text():
            path.unlink()


def mount(root: Path) -> None:
    """Onto itself, so that it can be made read-only; and what Linux has to offer."""
    run("mount", "--bind", str(root), str(root))
    run("mount", "-t", "proc", "proc", str(root / "proc"))
    run("mount", "--rbind", "/dev", str(root / "dev"))
    for folder in package_folders():
        target = root / str(folder).strip("/")
        target.mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", "-o", "ro", str(folder), str(target))


def package_folders() -> set[Path]:
    """Folders of this machine that pip is told to look into."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    links = re.findall(r"find-links='(.*)'", listed)
    indexes = re.findall(r"index-url='(.*)'", listed)
    named = [Path(word.removeprefix("file://")) for line in links for word in line.split()]
    # The files of an index lie beside the folder with its pages.
    named += [Path(w.removeprefix("file://")).parent for line in indexes for w in line.split()]
    return {path for path in named if path.is_absolute() and path.is_dir()}


def copy_project(target: Path) -> None:
    """What git knows or would take: nothing that was built here."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target / name)


def make_read_only(root: Path) -> None:
    run("mount", "-o", "remount,bind,ro", str(root))
    run("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", str(root / "tmp"))


# ----------------------------------------------------------------------------- what runs in it


def run(*command: str, quiet: bool = False, env: dict[str, str] | None = None) -> None:
    """Run a command; when it fails, so does all of this."""
    out = subprocess.PIPE if quiet else None
    done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, text=True, env=env)
    if done.returncode:
        sys.exit(f"{done.stdout or ''}\n{shlex.join(command)}: exit code {done.returncode}")


def inside(root: Path, *command: str, user: str = "root", quiet: bool = False) -> None:
    run(*chrooted(root, user), *command, quiet=quiet, env=environment())


def chrooted(root: Path, user: str) -> list[str]:
    return ["chroot", f"--userspec={user}:{user}", str(root)]


def environment() -> dict[str, str]:
    lent = {name: value for name, value in os.environ.items() if LENT.fullmatch(name)}
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    return lent | {"PATH": path, "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


def serve(root: Path) -> None:
    """As the unit says, but for the port."""
    unit = (ROOT / "deploy/metademo.service").read_text()
    (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    (folder,) = re.findall(r"^WorkingDirectory=(.*)$", unit, re.MULTILINE)
    port = str(free_port())
    server = subprocess.Popen(
        [
            *chrooted(root, USER),
            *("env", f"--chdir={folder}", *shlex.split(command)),
            *("--server.address", "127.0.0.1", "--server.port", port),
        ],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        healthy = is_healthy(f"http://127.0.0.1:{port}/_stcore/health")
        server.send_signal(signal.SIGTERM)
        said, _ = server.communicate(timeout=20)
    finally:
        server.kill()
    print(said, f"healthy: {healthy}; exit code {server.returncode}")
    if not healthy or server.returncode or "Traceback" in said:
        sys.exit("the app was not healthy, or did not end as it should")


def is_healthy(url: str, patience: float = 60) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1) as answer:
            return answer.read() == b"ok"
        time.sleep(0.1)
    return False


def megabytes(folder: Path) -> int:
    said = subprocess.run(["du", "-sm", folder], capture_output=True, text=True, check=True)
    return int(said.stdout.split()[0])


if __name__ == "__main__":
    main()
