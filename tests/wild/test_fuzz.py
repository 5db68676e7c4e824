"""Parsers against damaged bytes, with shrinking: each reads or refuses them, within bounds, and never ends the program.

``parsers.py`` has all parsers, and ``test_fuzz_corpus.py`` runs each of them 10,000 times without shrinking.

``HYPOTHESIS_PROFILE=long pytest tests/wild/test_fuzz.py`` tries 10,000 examples per parser. The streams of both
protocols are in test_properties.py and tests/backends/test_framing.py, GGUF heads in tests/backends/test_gguf_file.py.
Inputs that once broke something are the examples.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmtui.config import SettingsError, find_prompt_pack, load_settings
from llmtui.core.events import encode
from llmtui.core.session import fold
from llmtui.legacy.keeping import keep, read_file
from llmtui.legacy.rows import CannotImport
from llmtui.link import LinkLost
from llmtui.link.line_reader import event_batches
from llmtui.report.saved import NoSession, read_saved
from llmtui.store.journal import JournalReader
from tests.core.made import finished, plan, started
from tests.wild.parsers import PARSERS, folder

PLAN = plan()
JOURNAL = encode(started(PLAN)) + encode(finished(PLAN))
SETTINGS = b'host = "box:1"\nnum_ctx = 4096\nmodels = ["a", "b"]\n[keymap]\nquit = "q"\n'
PROMPTS = b'[llmtui]\nformat = 1\n[cold]\ntext = "Tell."\n[[categories.coding.prompts]]\nid = "x"\ntext = "Why?"\n'
TABLE = b"Model,Tokens,Total time (s),Time to first token (s)\nm,100,10,0.5\nn,90,9.5,0.4\n"
LLAMA = json.dumps(
    {"model_filename": "m.gguf", "model_type": "m", "n_prompt": 0, "n_gen": 128, "avg_ts": 20.0, "stddev_ts": 0.1,
     "samples_ts": [20.0, 20.1], "samples_ns": [6400000000, 6400000001]}
).encode()  # fmt: skip
NUMBERS = (b"1e308", b"1e400", b"-1", b"NaN", b"9" * 30, b"null", b"[]", b"\x00", b"\xff\xfe", b"\\ud800", b"=cmd()")


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Return the bytes with a few places cut out, doubled or overwritten."""
    data = whole
    for _ in range(draw(st.integers(0, 4))):
        at, length = draw(st.integers(0, max(len(data), 1))), draw(st.integers(0, 40))
        put = draw(st.sampled_from(NUMBERS) | st.binary(max_size=8) | st.just(data[at : at + length]))
        data = data[:at] + put + data[at + draw(st.sampled_from((0, 1, length))) :]
    return data


def near(whole: bytes) -> st.SearchStrategy[bytes]:
    return damaged(whole) | st.binary(max_size=200)


def written(data: bytes, name: str) -> Path:
    path = folder() / name
    path.write_bytes(data)
    return path


@given(near(JOURNAL))
@example(JOURNAL.replace(b'"t_ns":1000', b'"t_ns":9223372036854775807'))
@example(JOURNAL.replace(b'"output_tokens":', b'"output_tokens":1e308,"x":'))
def test_journal_lines(data: bytes) -> None:
    PARSERS["journal"].try_with(data)


@given(near(JOURNAL))
@example(b"\n\n" + JOURNAL + b'{"type":"Gap"')
def test_a_journals_file_and_what_is_reported_of_it(data: bytes) -> None:
    path = written(data, "events.jsonl")
    reader = JournalReader(path)
    list(reader.poll())
    reader.problems()
    with suppress(NoSession):
        read_saved(path)


@given(near(JOURNAL), st.lists(st.integers(0, 4000), max_size=6))
@example(b"\xef\xbb\xbf", [])
@example(b"\xef\xbb\xbf\n \n", [])
def test_an_event_stream_cut_anywhere(data: bytes, cuts: list[int]) -> None:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    blocks = [data[start:end] for start, end in itertools.pairwise(places)]
    with suppress(LinkLost):
        fold(event for batch in event_batches(blocks, where="stdin") for event in batch)


def test_an_event_stream_that_never_ends_a_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmtui.link.line_reader.MAX_LINE_BYTES", 1 << 16)
    with pytest.raises(LinkLost, match="not_events"):
        list(event_batches(itertools.repeat(b"x" * 4096), where="stdin"))


@given(near(SETTINGS))
@example(b"num_ctx = 0x" + b"f" * 10_000)
@example(b"num_ctx" + b".a" * 3000 + b" = 1")
def test_settings(data: bytes) -> None:
    load_settings({}, written(data, "config.toml"))


@given(near(PROMPTS))
def test_prompts(data: bytes) -> None:
    path = written(data, "prompts.toml")
    with suppress(SettingsError):
        find_prompt_pack(str(path), folder(), None, "en")


@pytest.mark.parametrize("name", ["table.csv", "llama.json"])
def test_imported_files(name: str) -> None:
    whole = {"table.csv": TABLE, "llama.json": LLAMA}[name]
    _fuzz_import(whole, name)


def _fuzz_import(whole: bytes, name: str) -> None:
    @given(near(whole))
    @example(TABLE.replace(b",10,", b",1e308,"))
    @example(TABLE.replace(b",100,", b"," + b"9" * 400 + b","))
    @example(TABLE.decode().encode("utf-16"))
    def one(data: bytes) -> None:
        path = written(data, name)
        with suppress(CannotImport):
            made = read_file(path)
            if len(made.rows) < 3:
                keep(made, path, folder() / "results")

    run: Callable[[], None] = one
    run()
