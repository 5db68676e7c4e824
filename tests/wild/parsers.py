"""The parsers that read what others wrote, each as one function of bytes, for fuzzing.

A parser reads the bytes or refuses them with one of its named exceptions; any other exception, and a run of more than a
second, is a fault. ``tools/fuzz.py`` and ``tests/wild/test_fuzz_corpus.py`` use them with the inputs in
``tests/wild/corpus/PARSER``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import httpx
import msgspec

from llmtui.backends import ollama_listing, openai_listing, openai_wire, refused_fields
from llmtui.backends.answer import AnswerReader, Dialect
from llmtui.backends.base import BackendFailed, Chunk, Final
from llmtui.backends.gguf_file import BadGguf, readable_model
from llmtui.backends.http_head import HeadMender
from llmtui.backends.http_moments import BodyReceived, HeadersReceived
from llmtui.backends.lenient import NotJson, document, fitted
from llmtui.backends.ollama_problems import error_text, refusal
from llmtui.cli.import_ import statements_of
from llmtui.cli.request_json import extra_fields
from llmtui.cli.startup import Refused
from llmtui.config import SettingsError, load_settings
from llmtui.config.address import normalise_host
from llmtui.config.packs import shipped_pack
from llmtui.config.prompt_files import is_prompt_pack, merge, parse_partial
from llmtui.config.settings_file import read_settings_file
from llmtui.core.events import BadLine, decode_command, decode_event
from llmtui.core.session import SessionBuilder, fold
from llmtui.engine.live_text import CollectedAnswer
from llmtui.legacy.events import legacy_events
from llmtui.legacy.keeping import read_file
from llmtui.legacy.rows import CannotImport
from llmtui.link import LinkLost
from llmtui.link.line_reader import event_batches
from llmtui.store.begun import sessions_begun
from llmtui.store.catalogue import catalogued
from llmtui.store.journal import JournalReader, TrialIndex
from llmtui.store.listing import session_entry
from llmtui.store.past_speeds import past_speeds
from llmtui.store.session_folder import JOURNAL, PAIRS, SUMMARY, TRIALS
from llmtui.store.session_rows import read_comparable
from tests.wild.judged import MS, T0_NS, judgement, ollama, openai

CORPUS = Path(__file__).parent / "corpus"
SEPARATOR = b"\n--8<--\n"
"""Between the parts of an input that stands for several files."""
BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}], "options": {"num_ctx": 4096}, "think": False}
FEW_ROWS = 20
UNITS = ("s", "ms", "us", "ns")


class Parser(NamedTuple):
    """A parser and the exceptions by which it refuses an input."""

    read: Callable[[bytes], object]
    refusals: tuple[type[Exception], ...] = ()

    def try_with(self, data: bytes) -> None:
        """Read the bytes; raises only what is a fault."""
        with suppress(*self.refusals):
            self.read(data)


def corpus_of(name: str) -> list[bytes]:
    """The committed inputs of a parser, in a fixed order."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix="llmtui-fuzz-", dir=memory if memory.is_dir() else None)


def folder() -> Path:
    """A folder that is removed at the end of the process, in memory if possible."""
    return Path(_temporary().name)


def instead_of_a_file(data: bytes, where: str) -> Any:
    """Replace the reading of a regular file in a module, so that no disk is used."""
    return patch(f"{where}.regular_bytes", lambda _path, _most: data)


FILE = Path("x.toml")


def settings(data: bytes) -> object:
    with instead_of_a_file(data, "llmtui.config.toml_text"):
        read_settings_file(FILE)
    lines = [line.partition("=") for line in data.decode("utf-8", "replace").splitlines()]
    return load_settings({f"LLMTUI_{name.strip().upper()}": value for name, _, value in lines}, None)


@cache
def shipped() -> Any:
    return shipped_pack("en")


def prompts(data: bytes) -> object:
    text = data.decode("utf-8")
    is_prompt_pack(text)
    return merge(shipped(), parse_partial(text, file="x", language="en"))


def journal(data: bytes) -> object:
    builder = SessionBuilder()
    for line in data.split(b"\n"):
        with suppress(BadLine):
            builder.apply(decode_event(line + b"\n"))
        with suppress(BadLine):
            decode_command(line)
    return builder.snapshot()


def event_stream(data: bytes) -> object:
    size = 1 + sum(data[:8])
    blocks = [data[at : at + size] for at in range(0, len(data), size)]
    return fold(event for batch in event_batches(blocks, where="stdin") for event in batch)


def imported(data: bytes, unit: str | None = None, columns: str | None = None) -> object:
    with instead_of_a_file(data, "llmtui.legacy.source"):
        made = read_file(Path("x.csv"), statements_of(unit, columns))
    few = msgspec.structs.replace(made, rows=made.rows[:FEW_ROWS])
    return fold(legacy_events(few, name="x", session_id="x", wall_ns=0, version="0"))


def column_map(data: bytes) -> object:
    stated, _, table = data.partition(SEPARATOR)
    unit, _, columns = stated.decode("utf-8", "replace").partition(" ")
    return imported(table, unit if unit in UNITS else None, columns)


def gguf(data: bytes) -> object:
    path = folder() / "x.gguf"
    path.write_bytes(data)
    return readable_model(path)


def answer(dialect: Dialect[Any], data: bytes) -> object:
    """One whole answer, cut into pieces, with the judgement of its trial."""
    reader, collected = AnswerReader(dialect), CollectedAnswer()
    collected.sent_ns = T0_NS
    size, at_ns = 16 + sum(data[:4]), T0_NS + 100 * MS
    try:
        reader.take(HeadersReceived(at_ns, 200, httpx.Headers({"transfer-encoding": "chunked"})))
        for at in range(0, len(data), size):
            at_ns += 20 * MS
            _keep(collected, reader.take(BodyReceived(at_ns, data[at : at + size])))
            if reader.over:
                break
        _keep(collected, reader.end())
    except BackendFailed as failed:
        collected.problem = failed.problem
    return judgement(collected, left_open=False)


def _keep(collected: CollectedAnswer, items: Any) -> None:
    for item in items:
        if isinstance(item, Chunk):
            collected.add(item)
        elif isinstance(item, Final):
            collected.final = item


def ollama_lists(data: bytes) -> object:
    tags, shown = data, data
    if SEPARATOR in data:
        tags, _, shown = data.partition(SEPARATOR)
    refused = suppress(ollama_listing.NotSuchAnswer)
    entries: tuple[Any, ...] = ()
    residents: tuple[Any, ...] = ()
    about = None
    ollama_listing.is_ollama_list(tags)
    with refused:
        ollama_listing.read_version(tags)
    with refused:
        entries = ollama_listing.read_tags(tags)
    with refused:
        residents = ollama_listing.read_resident(tags)
    with refused:
        about = ollama_listing.read_show(shown)
        ollama_listing.license_text(about)
        ollama_listing.blob_of(about.modelfile or "")
    return [(ollama_listing.listed(one, about, residents), ollama_listing.needs_show(one)) for one in entries]


def openai_lists(data: bytes) -> object:
    with suppress(NotJson):
        found = document(data)
        fitted(found, openai_listing.LlamaProps)
        fitted(found, openai_listing.VllmVersion)
    try:
        entries = openai_listing.read_entries(data)
    except ValueError:
        return None
    openai_listing.dialect_of(entries)
    openai_listing.product_of(entries)
    return openai_listing.residents(entries), [openai_listing.listed_entry(one, None) for one in entries]


def refusals(data: bytes) -> object:
    status = 400 + sum(data[:2]) % 110
    error_text(data)
    refused_fields.refused_fields(BODY, status, data)
    return openai_wire.error_problem(status, data), refusal(status, data, where="box:1", model="m")


def http_head(data: bytes) -> object:
    mender, size = HeadMender(), 1 + sum(data[:4])
    made = [mender.feed(data[at : at + size]) for at in range(0, len(data), size)]
    return [*made, mender.feed(b"")]


_written: dict[str, bytes] = {}


def history(data: bytes) -> object:
    parts = data.split(SEPARATOR)
    session = folder() / "results" / "s"
    session.mkdir(parents=True, exist_ok=True)
    for name, part in zip((JOURNAL, TRIALS, SUMMARY, PAIRS), (*parts, b"", b"", b""), strict=False):
        if _written.get(name) != part:  # most changes concern one file
            (session / name).write_bytes(part)
            _written[name] = part
    reader = JournalReader(session / JOURNAL)
    reader.poll()
    reader.problems()
    TrialIndex(session / JOURNAL).read("x")
    sessions_begun(session.parent)
    past_speeds(session.parent)
    return catalogued(session_entry(session)), read_comparable(session / JOURNAL)


def request_json(data: bytes) -> object:
    with instead_of_a_file(data, "llmtui.config.toml_text"):
        return extra_fields("x.json")


def address(data: bytes) -> object:
    return normalise_host(data.decode("utf-8", "replace"))


PARSERS: dict[str, Parser] = {
    "settings": Parser(settings),
    "prompts": Parser(prompts, (SettingsError, UnicodeDecodeError)),
    "journal": Parser(journal),
    "event_stream": Parser(event_stream, (LinkLost,)),
    "import": Parser(imported, (CannotImport,)),
    "column_map": Parser(column_map, (CannotImport, Refused)),
    "gguf": Parser(gguf, (BadGguf,)),
    "ollama_stream": Parser(lambda data: answer(ollama(), data)),
    "openai_stream": Parser(lambda data: answer(openai(), data)),
    "ollama_lists": Parser(ollama_lists),
    "openai_lists": Parser(openai_lists),
    "refusals": Parser(refusals),
    "http_head": Parser(http_head),
    "history": Parser(history),
    "request_json": Parser(request_json, (Refused,)),
    "address": Parser(address, (SettingsError,)),
}
