"""No process of this program connects to, or looks up, anything but the server that was named."""

from __future__ import annotations

import ast
from pathlib import Path

from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import fast
from tests.acceptance.program import Home

WATCH = """
import os, sys
_out = os.open(os.environ["SOCKETS_SEEN"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
def _look(event, args):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname"):
        at = args[-1] if event in ("socket.connect", "socket.bind") else args[0]
        os.write(_out, (repr((event, at)) + "\\n").encode())
sys.addaudithook(_look)
"""


def test_a_run_and_a_report_talk_to_the_named_server_alone(home: Home, tmp_path: Path) -> None:
    watch = tmp_path / "watch"
    watch.mkdir()
    (watch / "sitecustomize.py").write_text(WATCH)
    seen = tmp_path / "seen"
    env = {"PYTHONPATH": str(watch), "SOCKETS_SEEN": str(seen), "HTTP_PROXY": "http://192.0.2.1:3128"}
    with running_simulator(fast()) as server:
        done = home.run("run", "--host", server.url, "-m", "quick:1b", "-c", "coding", "--rounds", "1", env=env)
        assert done.returncode == 0, done.stderr
        done = home.run(
            "report", "last", "--html", str(tmp_path / "page.html"), "--json", str(tmp_path / "s.json"), env=env
        )
        assert done.returncode == 0, done.stderr
    events = [ast.literal_eval(line) for line in seen.read_text().splitlines()]
    asked = {address for event, address in events if event == "socket.connect" and not isinstance(address, str | bytes)}
    assert asked == {("127.0.0.1", server.port)}
    assert not [event for event in events if event[0] == "socket.bind"], "it listens nowhere"
    assert {name for event, name in events if event.startswith("socket.get")} <= {"127.0.0.1"}
