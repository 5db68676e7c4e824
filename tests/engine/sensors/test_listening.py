"""The process that serves an address is the one that listens there; what cannot be told is not guessed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmtui.backends.base import ServerEndpoint
from llmtui.engine.sensors.listening import ancestors, descendants, server_process
from llmtui.engine.sensors.processes import ProcessTable, ProcProcesses, PsutilProcesses
from llmtui.engine.sensors.runner import RunnerSearch, RunnerTarget, find_runner
from tests.engine.sensors.trees import lay, listen, process, stand_in_server

HERE = ServerEndpoint(addresses=("127.0.0.1",), port=8080)
LOCALHOST = ServerEndpoint(addresses=("127.0.0.1", "::1"), port=8080)
SIX = ServerEndpoint(addresses=("::1",), port=8080)
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads the real /proc")


def served(root: Path, place: ServerEndpoint = HERE, never: set[int] | None = None) -> int | None:
    table = ProcProcesses(root)
    return server_process(place, table, table.parents(), never or set())


class TestTheSocket:
    def test_tells_its_process_whatever_the_command_lines_say(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "server") | process(8, "llama-server", "-m", "own.gguf", "--port", "8080"))
        listen(tmp_path, 8080, 7)
        listen(tmp_path, 8081, 8)
        assert served(tmp_path) == 7

    def test_of_the_exact_address_comes_before_the_one_for_every_address(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "exact") | process(8, "every"))
        listen(tmp_path, 8080, 8, address="0.0.0.0", inode=1)
        assert served(tmp_path) == 8
        listen(tmp_path, 8080, 7, address="127.0.0.1", inode=2)
        assert served(tmp_path) == 7
        assert served(tmp_path, ServerEndpoint(addresses=("127.0.0.2",), port=8080)) == 8

    def test_for_every_address_of_version_6_takes_version_4_too(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "dual"))
        listen(tmp_path, 8080, 7, address="::")
        assert served(tmp_path) == served(tmp_path, SIX) == served(tmp_path, LOCALHOST) == 7

    def test_of_version_4_is_not_reached_by_version_6(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "four"))
        listen(tmp_path, 8080, 7, address="0.0.0.0")
        assert served(tmp_path, SIX) is None
        assert served(tmp_path, LOCALHOST) == 7

    def test_of_two_servers_behind_one_name_is_not_guessed(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "four") | process(8, "six"))
        listen(tmp_path, 8080, 7, address="127.0.0.1", inode=1)
        listen(tmp_path, 8080, 8, address="::1", inode=2)
        assert served(tmp_path, LOCALHOST) is None
        assert (served(tmp_path, HERE), served(tmp_path, SIX)) == (7, 8)

    def test_of_two_servers_that_share_a_port_is_not_guessed(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "one") | process(8, "other"))
        listen(tmp_path, 8080, 7, inode=1)
        listen(tmp_path, 8080, 8, inode=2)
        assert served(tmp_path) is None

    def test_that_is_not_there_has_no_process(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "server"))
        assert served(tmp_path) is None

    def test_of_another_user_has_no_process_without_the_right_to_see_it(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "llama-server", "--port", "8080"))
        listen(tmp_path, 8080, uid=4711)
        assert served(tmp_path) is None


class TestWorkers:
    def test_share_the_socket_of_their_master(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "master") | process(8, "worker", parent=7) | process(9, "worker", parent=7))
        listen(tmp_path, 8080, 7, 8, 9)
        assert served(tmp_path) == 7

    @pytest.mark.parametrize(
        "worker",
        [("python", "-c", "from multiprocessing.spawn import spawn_main", "--multiprocessing-fork"),
         ("VLLM::APIServer_0",), ("python", "-m", "server")],
    )  # fmt: skip
    def test_lead_to_the_process_that_holds_the_others(self, tmp_path: Path, worker: tuple[str, ...]) -> None:
        lay(tmp_path, process(5, "bash") | process(7, "python", "-m", "server", parent=5))
        lay(tmp_path, process(8, *worker, parent=7) | process(9, "VLLM::EngineCore", parent=7))
        listen(tmp_path, 8080, 8)
        assert served(tmp_path) == 7

    def test_do_not_lead_to_a_shell(self, tmp_path: Path) -> None:
        lay(tmp_path, process(5, "bash", "-m") | process(7, "python", "-m", "server", parent=5))
        listen(tmp_path, 8080, 7)
        assert served(tmp_path) == 7

    def test_do_not_count_init_that_holds_a_services_socket(self, tmp_path: Path) -> None:
        lay(tmp_path, process(1, "systemd", parent=0) | process(7, "server", parent=1))
        listen(tmp_path, 8080, 1, 7)
        assert served(tmp_path) == 7


@pytest.mark.parametrize(
    "arguments",
    [
        ("/usr/bin/docker-proxy", "-proto", "tcp", "-host-port", "8080"),
        ("ssh", "-L", "8080:box:8080", "box"),
        ("nginx: master process /usr/sbin/nginx",),
        ("/venv/bin/python", "/venv/bin/litellm", "--port", "8080"),
        ("python3", "-m", "litellm"),
    ],
)
def test_what_only_passes_requests_on_is_not_the_server(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    lay(tmp_path, process(7, *arguments))
    listen(tmp_path, 8080, 7)
    assert served(tmp_path) is None


def test_llmtui_is_never_the_server(tmp_path: Path) -> None:
    lay(tmp_path, process(7, "llmtui", "run"))
    listen(tmp_path, 8080, 7)
    assert served(tmp_path, never={7}) is None


class TestOllamaOfAUserOfItsOwn:
    """Its packages run it so, and its descriptors are not readable; the socket's owner is."""

    UID = os.getuid() if hasattr(os, "getuid") else 0  # of the files of the tree

    def test_is_the_only_one_of_that_user(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "/usr/bin/ollama", "serve") | process(8, "bash"))
        listen(tmp_path, 8080, uid=self.UID)
        assert served(tmp_path) == 7

    @pytest.mark.parametrize("beside", [("ollama", "serve"), ("docker-proxy", "-host-port", "8080")])
    def test_is_not_guessed_where_it_may_be_another(self, tmp_path: Path, beside: tuple[str, ...]) -> None:
        lay(tmp_path, process(7, "ollama", "serve") | process(8, *beside))
        listen(tmp_path, 8080, uid=self.UID)
        assert served(tmp_path) is None

    def test_is_not_taken_for_another_users_server(self, tmp_path: Path) -> None:
        lay(tmp_path, process(7, "ollama", "serve"))
        listen(tmp_path, 8080, uid=self.UID + 1)
        assert served(tmp_path) is None


def test_relations_of_processes(tmp_path: Path) -> None:
    parents = {2: 1, 3: 2, 4: 3, 5: 3, 6: 1}
    assert ancestors(4, parents) == (3, 2, 1)
    assert sorted(descendants(2, parents)) == [3, 4, 5]
    assert sorted(descendants(2, parents, without={3})) == []
    assert descendants(7, {7: 7}) == ()


@pytest.mark.parametrize("table", [pytest.param(ProcProcesses, marks=linux), PsutilProcesses])
def test_a_real_server_is_seen_by_its_port(table: type[ProcProcesses | PsutilProcesses]) -> None:
    processes: ProcessTable = table()
    with stand_in_server() as one, stand_in_server() as other:
        for server in (one, other):
            place = ServerEndpoint(addresses=("127.0.0.1",), port=server.port)
            assert server_process(place, processes, processes.parents(), set()) == server.pid


@linux
class TestAServerThatCannotBeSeen:
    """As an ordinary user sees it: the search runs in a process without the right to look into others'."""

    @pytest.mark.skipif(
        not shutil.which("setpriv") or (hasattr(os, "getuid") and os.getuid() != 0), reason="takes two users"
    )
    def test_belongs_to_another_user(self) -> None:
        if subprocess.run([*as_user(4711), sys.executable, "-c", "import llmtui"], cwd="/", check=False).returncode:
            pytest.skip("this interpreter is in a folder that other users may not enter")
        # Neither belongs to root: an Ollama that root runs beside the tests is the only one of its user.
        with stand_in_server(*as_user(65533)) as of_one, stand_in_server(*as_user(65534)) as of_other:
            assert seen_by(4711, of_one.port) == seen_by(4711, of_other.port) == "None"
            assert seen_by(65534, of_other.port) == str(of_other.pid)
            assert seen_by(65534, of_one.port) == "None"

    @pytest.mark.skipif(not shutil.which("unshare"), reason="takes a network of its own")
    def test_is_in_a_network_of_its_own(self) -> None:
        """Its port is not ours: another program listens there, or none."""
        with networked_apart() as (port, _):
            assert find(port) == RunnerSearch()


def as_user(uid: int) -> tuple[str, ...]:
    return ("setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups")


def find(port: int) -> RunnerSearch:
    return find_runner(RunnerTarget(place=ServerEndpoint(addresses=("127.0.0.1",), port=port)), ProcProcesses())


def seen_by(uid: int, port: int) -> str:
    """The server's pid as a search says that runs as another user."""
    search = (
        "from llmtui.backends.base import ServerEndpoint\n"
        "from llmtui.engine.sensors.processes import ProcProcesses\n"
        "from llmtui.engine.sensors.listening import server_process\n"
        "table = ProcProcesses()\n"
        f"print(server_process(ServerEndpoint(addresses=('127.0.0.1',), port={port}), table, table.parents(), set()))"
    )
    done = subprocess.run(
        [*as_user(uid), sys.executable, "-c", search], capture_output=True, text=True, check=True, timeout=60, cwd="/"
    )
    return done.stdout.strip()


@contextmanager
def networked_apart() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    serve = (
        "import socket, sys; s = socket.create_server(('0.0.0.0', 0)); print(s.getsockname()[1], flush=True);"
        "sys.stdin.read()"
    )
    command = ["unshare", "--net", sys.executable, "-c", serve]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line:
            pytest.skip("no right to make a network of its own")
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(line))) != 0
        yield int(line), server
        assert server.stdin is not None
        server.stdin.close()
