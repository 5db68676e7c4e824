"""Programs for the developers of llmtui; not part of the package."""
