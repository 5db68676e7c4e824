"""Fixtures of the tests against real servers of OpenAI's protocol."""

from tests.acceptance.program import home

__all__ = ["home"]
