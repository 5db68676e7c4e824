"""The verdicts keep their promises in simulated sessions of known truth. docs/method.md has the table of many more."""

from __future__ import annotations

import importlib.util
import math
import secrets
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "simulate_truth.py"
SESSIONS = 400
SIGMAS = 5
"""Chance alone misses a bound less than once in a million tests."""


def tool() -> ModuleType:
    if not TOOL.exists():
        pytest.skip("tools/ is not part of this copy of the source", allow_module_level=True)
    spec = importlib.util.spec_from_file_location("simulate_truth", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


TRUTH = tool()


def slack(share: float) -> float:
    return SIGMAS * math.sqrt(max(share * (1 - share), 0.002) / SESSIONS)


@pytest.mark.parametrize("case", TRUTH.cases(), ids=lambda case: f"{case.what}: {case.share}")
def test_required_shares(case: Any) -> None:
    seed = secrets.randbelow(2**30)
    found = TRUTH.share(case, SESSIONS, seed)
    if case.least is not None:
        assert found >= case.least - slack(case.least), f"seed {seed}"
    if case.most is not None:
        assert found <= case.most + slack(case.most), f"seed {seed}"


def test_a_difference_is_seen_as_one() -> None:
    """The simulation can fail: what equal models must not have, different ones do."""
    case = TRUTH.Case("", TRUTH.World(ratio=1.2), "an ordering word", None, 0.06)
    assert not TRUTH.holds(case, TRUTH.share(case, 50, 1))


def test_the_truth_is_what_the_world_says() -> None:
    """The mean ratio of many rounds is the true one, and its scatter the one asked for."""
    world = TRUTH.World(rounds=2000, ratio=1.08)
    verdict = TRUTH.simulate(world, 3).verdicts[0]
    half = math.log(verdict.high / verdict.low) / 2
    assert verdict.ratio == pytest.approx(1.08, abs=0.004)
    assert half == pytest.approx(1.96 * 0.02 / math.sqrt(2000), rel=0.1)


def test_the_table_is_put_between_its_marks() -> None:
    document = f"before\n{TRUTH.BEGIN}\nold\n{TRUTH.END}\nafter"
    assert TRUTH.put_into(document, "new") == f"before\n{TRUTH.BEGIN}\nnew\n{TRUTH.END}\nafter"
    with pytest.raises(SystemExit):
        TRUTH.put_into("nothing", "new")
