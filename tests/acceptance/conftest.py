"""Fixtures of the acceptance tests."""

from tests.acceptance.program import home

__all__ = ["home"]
