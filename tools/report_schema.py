"""Write docs/report.schema.json, the JSON Schema of ``llmtui report --json``."""

from __future__ import annotations

from pathlib import Path

from llmtui.report.document import schema_text

TARGET = Path(__file__).parents[1] / "docs" / "report.schema.json"

if __name__ == "__main__":
    TARGET.write_bytes(schema_text())
