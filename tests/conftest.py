"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is no failure: how long an example takes says nothing about whether it is right.
settings.register_profile("llmtui", deadline=None)
settings.load_profile("llmtui")
