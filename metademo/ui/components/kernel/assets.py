"""The browser's half of the app, on disk and under a URL.

Streamlit serves the folder `static/` beside the main script at `/app/static`
(`server.enableStaticServing`). `install` fills that folder once: Plotly.js, and the modules and
styles of the components. Every folder's name carries a hash of its
content, so a browser may keep a file for ever, and a new release has new names.

Where the folder cannot be used (read-only disk, static serving switched off) the same files are
handed to Streamlit's media storage instead, and the app works all the same.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from metademo.ui.components.kernel.static_files import provide, remove_unused

COMPONENTS = Path(__file__).resolve().parents[1]
STYLE = "kernel/style.css"
PLOTLY_FILE = "plotly.min.js.gz"

log = logging.getLogger(__name__)


def static_folder() -> Path:
    """The folder Streamlit serves at `/app/static`: `static/` beside the main script."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx(suppress_warning=True)
    return _beside(context.main_script_path if context else None)


@functools.cache
def _beside(script: str | None) -> Path:
    main = Path(script) if script else COMPONENTS.parents[2] / "streamlit_app.py"
    return main.resolve().parent / "static"


@functools.cache
def frontend_files() -> dict[str, bytes]:
    """Our own modules and styles, by path such as "chart/points.js"."""
    return {
        path.relative_to(COMPONENTS).as_posix(): path.read_bytes()
        for path in sorted(COMPONENTS.glob("*/*"))
        if path.suffix in {".js", ".css"}
    }


@functools.cache
def plotly_files() -> dict[str, bytes]:
    """Plotly.js, gzipped: Streamlit would compress it for every visitor.

    It is the package `plotly.js-cartesian-dist-min`, a third of the whole library that the pinned
    `plotly` wheel brings, and of the same version. To renew both, pin the wheel and the package (in
    `tests/js/package.json`), and `gzip -9n` the package's file over ours.
    """
    return {PLOTLY_FILE: (COMPONENTS / "plotly" / PLOTLY_FILE).read_bytes()}


def _folder_name(prefix: str, files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return f"{prefix}-{digest.hexdigest()[:12]}"


@functools.cache
def install(target: Path | None = None) -> dict[str, str]:
    """Fill the static folder; return the URLs of "frontend" and "plotly" from the app's root.

    Called at start; each process does the work once, and clears away what earlier releases have
    left and no server uses. Raises OSError where it cannot be written.
    """
    target = target or static_folder()
    urls = {}
    for kind, prefix, files in (
        ("frontend", "metademo", frontend_files()),
        ("plotly", "plotly", plotly_files()),
    ):
        name = _folder_name(prefix, files)
        provide(target / name, files)
        urls[kind] = f"app/static/{name}/"
    remove_unused(target)
    urls["plotly"] += PLOTLY_FILE
    return urls


@functools.cache
def _static_urls(target: Path) -> dict[str, str] | None:
    """As `install`, or None with one line in the log if the static folder is of no use here."""
    if not st.get_option("server.enableStaticServing"):
        log.warning(
            "server.enableStaticServing is off: serving the charts from memory, which is slower."
        )
        return None
    try:
        return install(target)
    except OSError as error:
        log.warning(
            "%s cannot be written (%s): serving the charts from memory.", target, error.strerror
        )
        return None


def _media_url(name: str, content: bytes, mimetype: str) -> str:
    from streamlit.runtime import get_instance

    url = get_instance().media_file_mgr.add(content, mimetype, f"metademo-{name}")
    return url.lstrip("/")


def _media_urls(entry: str) -> dict[str, str]:
    """URLs of one module, the styles and Plotly.js in Streamlit's media storage.

    Media URLs are hashes, so each `from "../kernel/other.js"` is rewritten to the URL of that
    module. They live as long as a session's latest run names them: this is called at every run.
    """
    files, urls = frontend_files(), {}

    def beside(name: str, path: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))

    def add(name: str) -> str:
        if name not in urls:
            text = files[name].decode()
            if name.endswith(".js"):
                # What comments name as types stays: those may be circular.
                text = re.sub(
                    r'from "(\.\.?/[\w./]+)"',
                    lambda m: f'from "./{Path(add(beside(name, m[1]))).name}"',
                    text,
                )
            kind = "text/javascript" if name.endswith(".js") else "text/css"
            urls[name] = _media_url(name, text.encode(), kind)
        return urls[name]

    plotly = _media_url(PLOTLY_FILE, plotly_files()[PLOTLY_FILE], "application/gzip")
    return {"module": add(entry), "style": add(STYLE), "plotly": plotly}


def urls(entry: str) -> dict[str, str]:
    """Where the module `entry`, its styles and Plotly.js are, as seen from the app's root.

    Args:
        entry: path of the module, as in `frontend_files`.
    """
    found = _static_urls(static_folder())
    if found is not None:
        folder = found["frontend"]
        return {"module": folder + entry, "style": folder + STYLE, "plotly": found["plotly"]}
    try:
        return _media_urls(entry)
    except (
        Exception
    ):  # the media storage is Streamlit's own: if it changes, a plain message and not a traceback
        log.exception("the charts cannot be served from memory either")
        return {}


# Sent along with every rerun, so it is tiny. Streamlit's own script tells where the app lives,
# whatever proxy or base path is in front of it. Fonts are asked for here, before the module is
# there: text moves when they come after it.
LOADER = """
const own = document.querySelector('script[src*="static/js/"]');
const root = own ? own.src.split("static/js/")[0] : new URL("./", document.baseURI).href;
export default async function (component) {
  const [data] = component.data ?? [];
  const { assets } = data ?? {};
  const host = component.parentElement.querySelector("[data-metademo]");
  for (const href of (assets?.fonts ?? []).map((font) => root + font)) {
    if (document.querySelector(`link[href="${href}"]`)) continue;
    const link = { rel: "preload", as: "font", crossOrigin: "anonymous", href };
    document.head.append(Object.assign(document.createElement("link"), link));
  }
  try {
    if (!assets?.module) throw new Error("the server has no address for it");
    const module = await import(root + assets.module);
    return module.default({ ...component, data, root, host });
  } catch (error) {
    console.warn("metademo:", error);
    if (host && !host.dataset.ready) {
      host.textContent = "This chart could not be loaded. Reload the page; if that does not help, "
        + "the server's static folder may be unreachable.";
    }
  }
}
"""


def component(name: str, placeholder_height: int, style: str | None = None) -> Callable[..., None]:
    """Register a component whose browser side is in its own folder; returns its mounting command.

    Args:
        style: path of a file whose rules go into the page with the component itself.
    """
    html = f'<div data-metademo="{name}" style="min-height:{placeholder_height}px"></div>'
    css = frontend_files()[style].decode() if style else None
    mount = st.components.v2.component(
        f"metademo_{name}", html=html, css=css, js=LOADER, isolate_styles=False
    )

    def mount_with(*, data: Mapping[str, Any], **options: Any) -> None:
        # Streamlit looks for data frames among the values of a mapping, but not within a list.
        mount(data=[data], **options)

    return mount_with
