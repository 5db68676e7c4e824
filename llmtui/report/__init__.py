"""What leaves the program: printed tables, CSV, JSON, Markdown, HTML."""
