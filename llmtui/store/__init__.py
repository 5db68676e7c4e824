"""Sessions on disk: writing, reading and listing."""
