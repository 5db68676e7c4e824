"""Write the JSON Schemas in docs/: of ``report --json``, ``compare --json`` and ``trend --json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llmtui.report import comparing, trending
from llmtui.report.comparing import ComparisonDocument
from llmtui.report.document import schema_text
from llmtui.report.trending import TrendDocument

DOCS = Path(__file__).parents[1] / "docs"


def schemas() -> Mapping[str, bytes]:
    """Return name of the file in docs/ → its content."""
    return {
        "report.schema.json": schema_text(),
        "compare.schema.json": schema_text(ComparisonDocument, f"llmtui compare {comparing.VERSION}"),
        "trend.schema.json": schema_text(TrendDocument, f"llmtui trend {trending.VERSION}"),
    }


if __name__ == "__main__":
    for name, content in schemas().items():
        (DOCS / name).write_bytes(content)
