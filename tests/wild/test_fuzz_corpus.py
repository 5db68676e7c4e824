"""Every parser against its committed inputs and against 10,000 random changes of them, the same in every run.

``tools/fuzz.py`` tries more, guided by the code's coverage. Inputs that once showed a fault are in
``tests/wild/corpus/PARSER/found_…``.
"""

from __future__ import annotations

import time

import pytest

from tests.wild.mutations import mutations
from tests.wild.parsers import CORPUS, PARSERS, corpus_of

RUNS = 10_000
SEED = 14
SLOW_S = 5.0
"""CPU time in seconds that no input may take."""


def test_every_parser_has_inputs_and_every_input_a_parser() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(PARSERS)


@pytest.mark.parametrize("name", PARSERS)
def test_the_committed_inputs(name: str) -> None:
    for data in corpus_of(name):
        PARSERS[name].try_with(data)


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_ten_thousand_changes_of_them(name: str) -> None:
    parser = PARSERS[name]
    for data in mutations(corpus_of(name), SEED, RUNS):
        began = time.process_time()
        try:
            parser.try_with(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
            pytest.fail(f"{type(error).__name__}: {error}\n{data!r}")
        assert time.process_time() - began < SLOW_S, data
