"""Entry point ``python -P -m llmtui.engine``: started by llmtui itself; commands on stdin, events on stdout."""

from __future__ import annotations

import sys

from llmtui.engine.process import main

sys.exit(main(sys.argv[1:]))
