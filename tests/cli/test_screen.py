"""What the bare command does around the app."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

POLICIES = """
import os
from pathlib import Path
from llmtui.cli.screen import give_way
from llmtui.core.events import EngineReady
from llmtui.link.engine_process import EngineProcess
give_way()
engine = EngineProcess()
ready = next(event for batch in engine.batches() for event in batch if isinstance(event, EngineReady))
threads = [int(name) for name in os.listdir(f"/proc/{ready.pid}/task")]
print(os.sched_getscheduler(0), *{os.sched_getscheduler(thread) for thread in threads})
engine.close()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has that")
def test_what_draws_gives_way_and_the_engine_does_not(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", POLICIES], capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path
    )
    assert list(map(int, done.stdout.split())) == [os.SCHED_BATCH, os.SCHED_OTHER]
