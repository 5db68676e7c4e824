from __future__ import annotations

import pytest

from llmtui.simulator import Planned, Script, ScriptedAnswer, SetSpeed, decode_script, encode_script
from llmtui.simulator.scenarios import SCENARIOS
from llmtui.simulator.script import decode_planned, encode_planned
from tests.simulator.asking import quick


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_scenario_survives_its_json(name: str) -> None:
    script = SCENARIOS[name]()
    encoded = encode_script(script)
    assert b"\n" not in encoded
    assert decode_script(encoded) == script


def test_half_of_a_surrogate_pair_survives() -> None:
    script = Script(models=(quick(answers=(ScriptedAnswer(text="\ud83d"),)),))
    assert decode_script(encode_script(script)) == script


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "Expecting value"),
        ('{"modells": []}', "modells"),
        ('{"models": [{"name": "m", "decode_tps": 0}]}', "decode_tps"),
        ('{"models": [{"name": "m", "answers": [{"jitter": 1}]}]}', "jitter"),
        ('{"plan": [{"change": {"type": "explode"}}]}', "explode"),
    ],
)
def test_a_bad_script_names_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        decode_script(text)


def test_a_planned_change_survives_its_json() -> None:
    planned = Planned(before_trial=3, change=SetSpeed(factor=0.9, model="m"))
    assert decode_planned(encode_planned(planned)) == planned
    with pytest.raises(ValueError, match="factor"):
        decode_planned('{"change": {"type": "set_speed", "factor": 0}}')


def test_time_scale_divides_durations() -> None:
    assert Script(time_scale=10.0).duration_ns(19.0) == 1_900_000_000
