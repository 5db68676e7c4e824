"""Backends: one file per protocol of a model server."""
