"""Reports of sessions: printed tables, CSV, JSON, Markdown and HTML."""
