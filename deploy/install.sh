#!/usr/bin/env bash
# Makes this checkout ready to serve: deploy/install.sh [VENV]
#
# Dockerfile, plain machine and `python -m tests.fresh_root` all run it. It needs Python 3.11 or
# newer with `venv`, and is run again after each update. VENV is /opt/metademo/venv by default.
# Run by root, it also makes the user `metademo`, whom the app then runs as.
#
# On Linux the usual wheel of torch brings gigabytes for GPUs that are of no use here. Set
# METADEMO_TORCH_INDEX to PyTorch's own index for the CPU (its installation page names it), and
# torch alone is taken from there.
set -euo pipefail
umask 022
cd "$(dirname "$0")/.."

venv=${1:-/opt/metademo/venv}
user=metademo
python=$venv/bin/python

say() { printf '== %s\n' "$*"; }
is_root() { [ "$(id -u)" = 0 ]; }

say "packages, in $venv"
python3 -m venv "$venv"
if [ -n "${METADEMO_TORCH_INDEX:-}" ]; then
  # Without what it depends on: that comes from the usual index, with all the rest.
  "$python" -m pip install --no-deps --index-url "$METADEMO_TORCH_INDEX" "$(grep '^torch==' requirements.txt)"
fi
"$python" -m pip install --quiet -r requirements.txt
"$python" -m pip check

say "compiled kernels and bytecode"
"$python" -c "from metademo import engines; print(f'{engines.warm_up():.0f} s')"
"$python" -m compileall -q metademo

say "the browser's files, in static/"
"$python" - <<'PYTHON'
from pathlib import Path

from metademo.ui.components.kernel import assets

assets.install(Path("static").resolve())
PYTHON

as_user=()
if is_root; then
  id "$user" >/dev/null 2>&1 || useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
  as_user=(setpriv --reuid "$user" --regid "$user" --clear-groups --)
fi

say "does it run, as $(${as_user[@]+"${as_user[@]}"} id -un)?"
${as_user[@]+"${as_user[@]}"} "$python" deploy/check.py
say "installed: $(du -sh "$venv" | cut -f1)B of packages, $(du -sh --exclude=.git --exclude=.venv . | cut -f1)B of our own"
