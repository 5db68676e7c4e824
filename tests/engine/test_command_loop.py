from __future__ import annotations

import os
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.backends.base import BackendFailed
from llmtui.core.commands import Command, ListModels, Pause, SetServer, Skip
from llmtui.core.events import encode
from llmtui.core.records import ServerKind
from llmtui.engine.command_loop import read_commands
from llmtui.engine.fingerprint import fingerprint, machine_facts
from llmtui.engine.servers import Servers, open_backend
from tests.engine.fake_server import FakeServer


def heard(data: bytes, cuts: list[int]) -> tuple[list[Command], list[str], int]:
    """What reaches the runner if the bytes come in these parts."""
    read_fd, write_fd = os.pipe()
    taken: list[Command] = []
    refused: list[str] = []
    ends: list[int] = []
    thread = threading.Thread(
        target=read_commands, args=(read_fd, taken.append, refused.append, lambda: ends.append(1))
    )
    thread.start()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(places):
        os.write(write_fd, data[start:end])
    os.close(write_fd)
    thread.join(10)
    os.close(read_fd)
    return taken, refused, len(ends)


@given(st.lists(st.integers(0, 200), max_size=6))
def test_commands_may_come_in_any_parts(cuts: list[int]) -> None:
    commands: list[Command] = [SetServer(address="127.0.0.1:1"), Pause(), Skip(what="model"), ListModels()]
    assert heard(b"".join(encode(command) for command in commands), cuts) == (commands, [], 1)


def test_a_last_command_without_line_end_counts() -> None:
    assert heard(encode(Pause()).rstrip(), []) == ([Pause()], [], 1)


@given(st.binary(max_size=100))
def test_no_bytes_make_it_fail(junk: bytes) -> None:
    taken, _, ends = heard(junk + b"\n" + encode(Pause()), [])
    assert taken[-1] == Pause()
    assert ends == 1


# --- servers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ollama", "openai", "builtin"])
async def test_a_backend_is_opened_by_its_kind(kind: ServerKind) -> None:
    backend = open_backend(kind, "127.0.0.1:9", None)
    assert backend.kind == kind
    await backend.aclose()


async def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(BackendFailed):
        open_backend("ollama", "ftp://somewhere", None)


async def test_a_server_is_opened_once_and_others_are_closed() -> None:
    made: list[FakeServer] = []

    def open_one(kind: ServerKind, _address: str, _access: object) -> FakeServer:
        made.append(FakeServer(kind=kind))
        return made[-1]

    servers = Servers(open_one)
    first = servers.backend("ollama", "a")
    assert servers.backend("ollama", "a") is first
    assert servers.backend("builtin", "x") is servers.backend("builtin", "y"), "there is one built-in server"
    assert servers.backend("ollama", "b") is not first
    await servers.close_all_but(first)
    assert [server.log for server in made] == [[], ["close"], ["close"]]
    assert servers.backend("ollama", "a") is first


# --- fingerprint --------------------------------------------------------------------------------------------------


def test_a_machine_is_described_by_what_its_files_say(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Babbage 9000\nmodel name\t: again\n")
    facts = machine_facts(tmp_path, tmp_path)
    assert facts.cpu == "Babbage 9000"
    assert facts.gpu is None
    assert facts.ram_total_bytes > 0
    made = fingerprint(facts, kind="ollama", address="127.0.0.1:1", info=None, sampling_hz=2.0)
    assert (made.server_version, made.server_is_local, made.server_address) == (None, None, "127.0.0.1:1")


def test_a_machine_that_does_not_name_its_processor_has_another_name(tmp_path: Path) -> None:
    assert machine_facts(tmp_path, tmp_path).cpu != ""
