"""Output of the program: printed tables, CSV, JSON, Markdown, HTML."""
