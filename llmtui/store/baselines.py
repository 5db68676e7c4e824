"""Named sessions for comparisons: ``baselines.json`` in the results folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from llmtui.store.writing import replace_file

_FILE: Final = "baselines.json"


def read_baselines(results_dir: Path) -> dict[str, str]:
    """Return the folder's name of each baseline's session, by the baseline's name.

    Raises:
        OSError: the file is there but cannot be read.
        ValueError: it is not such a file.
    """
    try:
        content = (results_dir / _FILE).read_bytes()
    except FileNotFoundError:
        return {}
    return msgspec.json.decode(content, type=dict[str, str])


def keep_baseline(results_dir: Path, name: str, session: str | None) -> None:
    """Give a name to a session's folder, or take it away.

    Args:
        results_dir: where the sessions are.
        name: of the baseline.
        session: the folder's name; None removes the baseline.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: it is not such a file.
    """
    kept = {key: value for key, value in read_baselines(results_dir).items() if key != name}
    if session is not None:
        kept[name] = session
    content = msgspec.json.format(msgspec.json.encode(dict(sorted(kept.items()))), indent=1)
    replace_file(results_dir / _FILE, content + b"\n", private=True)
