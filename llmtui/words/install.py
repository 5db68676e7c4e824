"""The command that adds an extra (optional packages) to this installation, although llmtui is in no package index.

The libraries that it needs are imported when a command is asked for: they would take 45 ms of every start.
"""

from __future__ import annotations

import shlex
import sys
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

_NAME = "llmtui"


@cache
def install_command(extra: str = "builtin") -> str:
    """Return the shell command that installs an extra (optional packages) for this interpreter.

    It names the folder or address that llmtui was installed from (``direct_url.json``, PEP 610).
    """
    python = shlex.quote(sys.executable)
    told = _told("direct_url.json")
    if told is None:  # a checkout that runs without being installed
        source = [f"{Path(__file__).parents[2]}[{extra}]"]
    else:
        source = _source(msgspec.json.decode(told, type=_Origin), extra)
    pip = (
        f"uv pip install --python {python}"
        if (_told("INSTALLER") or "").strip() == "uv"
        else f"{python} -m pip install"
    )
    return f"{pip} {shlex.join(source)}"


def _told(file: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(_NAME).read_text(file)
    except PackageNotFoundError:
        return None


def _source(origin: _Origin, extra: str) -> list[str]:
    from urllib.request import url2pathname

    if urlsplit(origin.url).scheme != "file":
        scheme = f"{origin.vcs_info.vcs}+" if origin.vcs_info is not None else ""
        return [f"{_NAME}[{extra}] @ {scheme}{origin.url}"]
    place = f"{url2pathname(urlsplit(origin.url).path)}[{extra}]"
    return ["-e", place] if origin.dir_info is not None and origin.dir_info.editable else [place]


class _Folder(msgspec.Struct):
    editable: bool = False


class _Repository(msgspec.Struct):
    vcs: str


class _Origin(msgspec.Struct):
    """The fields of ``direct_url.json`` that are used here."""

    url: str
    dir_info: _Folder | None = None
    vcs_info: _Repository | None = None
