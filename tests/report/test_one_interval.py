"""Everything shown about a pair agrees: one word per figure, and no interval that contradicts it, in any output.

Random sessions of 1 to 10 rounds and 2 to 8 models, nearly equal ones, where words and intervals could disagree.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections import Counter
from itertools import combinations

import pytest

from llmtui.core.events import TrialFinished
from llmtui.core.pairs import SPEEDS, pair_verdicts
from llmtui.core.session import Session
from llmtui.core.waits import WAITS
from llmtui.report.markdown import markdown
from llmtui.report.terminal import print_result, print_session
from llmtui.store.pairs_csv import COLUMNS, pairs_csv
from llmtui.words.conclusions import sentences
from tests.core.compared import compared, compared_plan, other, warm

EXCLUDING = {"faster", "slightly_faster", "seems_faster", "sooner", "seems_sooner"}
"""Words beside an interval without 1."""
HOLDING = {"too_close"}
"""Words beside an interval with 1."""
FREE = {"practically_equal", "equal"}
"""Words for which only the margin counts."""
BARE = {
    "ahead", "leads_in_this_round", "too_few_rounds", "too_few_prompts", "no_verdict", "no_noticeable_difference",
}  # fmt: skip
"""Words without an interval."""
INTERVAL = re.compile(r"\((\d+\.?\d*)–(\d+\.?\d*), (\d+) rounds?\)")
SEEDS = range(24)


def random_session(seed: int) -> Session:
    """A session of nearly equal models with all kinds of trials; some fail, some think."""
    chance = random.Random(seed)
    models, rounds = chance.randint(2, 8 if seed % 3 else 3), chance.randint(1, 10)
    names = [f"m{at}" for at in range(models)]
    of = compared_plan(*names, rounds=rounds, max_rounds=rounds)
    noise, wait_noise = chance.choice((0.002, 0.01, 0.03, 0.1)), chance.choice((0.01, 0.05, 0.2))
    rows: list[TrialFinished] = []
    for contender in range(models):
        tps, wait_ms = 20.0 * (1 + chance.gauss(0, 0.04)), 900.0 * (1 + chance.gauss(0, 0.15))
        thinks = chance.random() < 0.2
        for number in range(1, rounds + 1):
            slow = chance.gauss(0, noise)
            rows += [
                warm(
                    of, contender, number, which, tps * (1 + slow + chance.gauss(0, noise / 3)), tokens=64,
                    ttft_ms=wait_ms * (1 + chance.gauss(0, wait_noise) / 3), thinking=20 if thinks else 0,
                    outcome="error" if chance.random() < 0.03 else "ok",
                )
                for which in range(len(of.prompts))
            ]  # fmt: skip
            rows.append(
                other(of, "cold", contender, number, ttft_ms=4 * wait_ms * (1 + chance.gauss(0, wait_noise) / 3))
            )
            rows.append(
                other(of, "follow_up", contender, number, ttft_ms=wait_ms * (1 + chance.gauss(0, wait_noise) / 3))
            )
    return compared(dict.fromkeys(names, ()), *rows, of=of)


@pytest.fixture(scope="module", params=SEEDS)
def session(request: pytest.FixtureRequest) -> Session:
    return random_session(request.param)


def agrees(word: str, low: float | None, high: float | None) -> bool:
    """Whether a word may be beside this interval, or beside none."""
    if low is None or high is None:
        return word in BARE
    if word in EXCLUDING:
        return low > 1
    if word in HOLDING:
        return low <= 1 <= high
    return word in FREE


def test_each_pair_has_exactly_one_word_for_each_figure(session: Session) -> None:
    found = Counter((one.figure, frozenset((one.first, one.second))) for one in pair_verdicts(session))
    pairs = {frozenset(pair) for pair in combinations(range(len(session.plan.contenders)), 2)}
    assert found == Counter({(figure, pair): 1 for figure in (*SPEEDS, *WAITS) for pair in pairs})


def test_no_word_contradicts_its_interval(session: Session) -> None:
    for one in pair_verdicts(session):
        assert agrees(one.word, one.low, one.high), one
        assert (one.low is None) is (one.high is None)
        assert one.n >= 3 or one.low is None, "none below three rounds"
        assert one.n >= 3 or one.word in BARE


def test_the_file_says_the_same_after_rounding(session: Session) -> None:
    rows = list(csv.DictReader(io.StringIO(pairs_csv(session).decode())))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["figure"], row["word"], int(row["n"])) for row in rows] == [
        (one.figure, one.word, one.n) for one in pair_verdicts(session)
    ]
    for row in rows:
        low, high = (float(row[name]) if row[name] else None for name in ("low", "high"))
        assert agrees(row["word"], low, high), row


def said_words(sentence: str) -> set[str]:
    """Return words that identify a sentence with an interval."""
    signs = {
        "seems faster": "seems_faster", "is slightly faster": "slightly_faster", "is faster": "faster",
        "seems to respond sooner": "seems_sooner", "responds sooner": "sooner", "too close to tell yet": "too_close",
        "not settled yet": "too_close", "practically equal": "practically_equal",
    }  # fmt: skip
    return {word for sign, word in signs.items() if sign in sentence}


def test_no_printed_sentence_contradicts_its_interval(session: Session) -> None:
    printed, result = io.StringIO(), io.StringIO()
    print_session(session, printed)
    print_result(session, result)
    texts = [printed.getvalue(), result.getvalue(), markdown(session).replace("\\", ""), *sentences(session)]
    seen = 0
    for text in texts:
        for sentence in re.split(r"(?<=[.])\s", text):
            for low, high, rounds in INTERVAL.findall(sentence):
                (word,) = said_words(sentence)
                assert agrees(word, float(low), float(high)), sentence
                assert int(rounds) >= 3
                seen += 1
    most = max(row.trial.round for row in session.rows)
    assert bool(seen) is (most >= 3)


def test_the_sessions_are_such_that_words_could_disagree() -> None:
    words = Counter(one.word for seed in SEEDS for one in pair_verdicts(random_session(seed)))
    assert words.keys() >= {
        "faster", "slightly_faster", "seems_faster", "practically_equal", "too_close", "sooner", "seems_sooner",
        "equal",
    }  # fmt: skip
