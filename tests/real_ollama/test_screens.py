"""The screens on real servers: what they show is what was measured, and the server is left as it was found."""

from __future__ import annotations

import re
import shutil
import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from llmtui.backends.synthetic import make_synthetic, synthetic_path
from llmtui.core.events import TrialFinished
from llmtui.link.event_file import EventFile
from tests.acceptance.program import Home, say
from tests.acceptance.stand_ins import needs_builtin
from tests.real_ollama.asking import Asking, wait_until
from tests.real_ollama.contract import a_prompt
from tests.real_ollama.servers import RunningOllama
from tests.terminal import needs_tmux

pytestmark = [pytest.mark.real_ollama, pytest.mark.slow, needs_tmux]

SOMEBODY_ELSES, THEIR_NUM_CTX = "repeater", 512
AGREEMENT = 0.02
ENOUGH_TOKENS = 128
STEADY = {"LLMTUI_NUM_THREAD": "1", "LLMTUI_NUM_CTX": "1024", "LLMTUI_NUM_PREDICT": "128", "LLMTUI_TEMPERATURE": "1"}
"""With as many threads as cores, llama.cpp's wait for whichever shares its core. Noise that is drawn does not get stuck
on one token, upon which Ollama would end the answer."""


DISTURBED = {"unexpected_reload", "other_model_resident", "prompt_cut", "cached_prompt"}
"""What other programs on a test machine cannot cause."""


class Seen(NamedTuple):
    """A runner in the server's process list."""

    pid: int
    blob: str


class Watched:
    """The runners beneath a server, looked at all the time."""

    def __init__(self, server: RunningOllama) -> None:
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.runners: list[Seen] = []
        """Each once, in the order in which they were seen first."""
        self.most_at_once = 0

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def pids_of(self, blob: str) -> list[int]:
        return [seen.pid for seen in self.runners if seen.blob in blob]

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            now = list(self._look())
            self.most_at_once = max(self.most_at_once, len(now))
            self.runners.extend(seen for seen in now if seen not in self.runners)

    def _look(self) -> Iterator[Seen]:
        for process in self._server.process.children(recursive=True):
            try:
                words = process.cmdline()
            except psutil.Error:
                continue
            if "--model" in words and process.status() != psutil.STATUS_ZOMBIE:
                yield Seen(process.pid, words[words.index("--model") + 1].replace("\\", "/").rsplit("/", 1)[-1])


@pytest.fixture(scope="session")
def made_114m(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_synthetic("114M", tmp_path_factory.mktemp("synthetic"))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def lend(home: Home, made: Path) -> None:
    """Put the large model where the program would create it."""
    cache = home.folder / "cache" / "llmtui" / "models"
    cache.mkdir(parents=True)
    shutil.copyfile(made, synthetic_path("114M", cache))


def warm_rows(home: Home, model: str) -> list[dict[str, str]]:
    return [row for row in home.trials() if row["kind"] == "warm" and row["model"].startswith(model)]


def check_agreement(rows: Sequence[dict[str, str]]) -> None:
    """Our clock and the server's counts, at answers that are long enough for either; noise may end before that."""
    ratios = [
        float(row["decode_tps"]) / float(row["server_decode_tps"])
        for row in rows
        if int(row["tokens"]) >= ENOUGH_TOKENS and row["tps_source"] == "client"
    ]
    assert ratios, [(row["tokens"], row["tps_source"]) for row in rows]
    say(f"{rows[0]['model']}: ours ÷ the server's, {', '.join(f'{ratio:.4f}' for ratio in ratios)}")
    assert abs(statistics.median(ratios) - 1) <= AGREEMENT


def finished(home: Home) -> list[TrialFinished]:
    journal = EventFile(home.sessions()[-1] / "events.jsonl")
    return [event for batch in journal.batches() for event in batch if isinstance(event, TrialFinished)]


@contextmanager
def somebody_elses_model(asking: Asking) -> Iterator[None]:
    """Load a model that was not picked, with its own context length; reload it afterwards."""
    asking.chat(SOMEBODY_ELSES, a_prompt(), num_predict=1, options={"num_ctx": THEIR_NUM_CTX})
    [before] = asking.loaded()
    assert before["context_length"] == THEIR_NUM_CTX
    yield
    wait_until(lambda: asking.loaded_names() == [SOMEBODY_ELSES])
    [after] = asking.loaded()
    assert after["context_length"] == THEIR_NUM_CTX


def test_two_models_two_categories_two_rounds(ollama_server: RunningOllama, asking: Asking, home: Home) -> None:
    env = STEADY | {
        "LLMTUI_MODELS": "steady:latest,tiny:latest",
        "LLMTUI_CATEGORIES": "coding,summary",
        "LLMTUI_PRESET": "quick",
    }
    with (
        somebody_elses_model(asking),
        Watched(ollama_server) as watched,
        home.screens("--host", ollama_server.url, env=env, columns=120, rows=36) as screen,
    ):
        screen.wait_for(f"Ollama {ollama_server.version}", timeout_s=30)
        screen.wait_for(f"In memory, not picked: {SOMEBODY_ELSES}:latest")
        screen.wait_for("2 models × 2 prompts")
        screen.press("Enter")
        screen.wait_for("Round 1", timeout_s=30)
        screen.press("+")
        screen.wait_for("Round 1 of 2")
        live = screen.wait_for("Finished · ", timeout_s=240)
        # 16, and one more per trial repeated because other programs were busy.
        assert re.search(r"Finished · (1[6-9]|2\d) of \1 trials", live), live
        screen.press("F4")
        results = screen.wait_for("1 Models")
        screen.press("q")
        assert screen.wait_for_exit() == 0

    rows = home.trials()
    assert {row["outcome"] for row in rows} == {"ok"}
    rows = [row for row in rows if "superseded" not in row["flags"].split()]
    assert len(rows) == 16
    assert not {flag for row in rows for flag in row["flags"].split()} & DISTURBED
    check_agreement(warm_rows(home, "steady"))
    check_what_is_shown(rows, live, results)
    check_unloading(watched, asking, finished(home))


def check_what_is_shown(rows: Sequence[dict[str, str]], live: str, results: str) -> None:
    """The screen's last figures are the file's, and those are the engine's clock's."""
    assert "steady:latest" in results
    assert "tiny:latest" in results
    last = rows[-1]
    [shown] = re.findall(rf"^ +{last['order']} .*$", live, flags=re.MULTILINE)
    assert f"{float(last['ttft_ms']) / 1000:.3f}"[:4] in shown, (shown, last["ttft_ms"])
    for row in rows:
        if row["tps_source"] == "client":
            steps = int(row["tokens"]) - 1
            took_s = (float(row["e2e_ms"]) - float(row["ttft_ms"])) / 1000
            assert float(row["decode_tps"]) == pytest.approx(steps / took_s, rel=1e-3)


def check_unloading(watched: Watched, asking: Asking, trials: Sequence[TrialFinished]) -> None:
    """Each block began with a process of its own, and at no time were there two."""
    for contender, name in enumerate(("steady", "tiny")):
        pids = [pids_of_block(trials, contender, number) for number in (1, 2)]
        assert [len(block) for block in pids] == [1, 1], "one process a block"
        assert pids[0] != pids[1], "another one after it was unloaded"
        assert pids[0] | pids[1] == set(watched.pids_of(asking.blob_of(name)))
    assert watched.most_at_once == 1


def pids_of_block(trials: Sequence[TrialFinished], contender: int, number: int) -> set[int]:
    """The processes that answered; an answer may be over before its process is found."""
    block = [one for one in trials if one.trial.contender == contender and one.trial.round == number]
    return {one.machine.runner_pid for one in block if one.machine is not None and one.machine.runner_pid is not None}


@needs_builtin
def test_one_model_through_two_servers_in_one_table(
    ollama_server: RunningOllama, asking: Asking, home: Home, made_114m: Path
) -> None:
    lend(home, made_114m)
    env = STEADY | {
        "LLMTUI_MODELS": "steady:latest,builtin:synthetic-114M",
        "LLMTUI_CATEGORIES": "coding,summary",
        "LLMTUI_PRESET": "quick",
    }
    with home.screens("--host", ollama_server.url, env=env, columns=120, rows=36) as screen:
        shown = screen.wait_for("[✓] synthetic-114M", timeout_s=30)
        assert "Inside llmtui (built-in)" in shown
        screen.wait_for("2 models × 2 prompts")
        screen.press("Enter")
        screen.wait_for("Finished · ", timeout_s=240)
        screen.press("F4")
        shown = screen.wait_for("1 Models")
        assert "steady:latest" in shown
        assert "synthetic-114M (built-" in shown
        screen.press("q")
        assert screen.wait_for_exit() == 0
        assert "synthetic" in screen.screen(), "the printed table of 80 columns may shorten the name"
    check_both_servers(home)
    assert asking.loaded_names() == []


@needs_builtin
def test_the_same_without_screens(ollama_server: RunningOllama, home: Home, made_114m: Path) -> None:
    lend(home, made_114m)
    done = home.run(
        "run", "-m", "steady", "-m", "builtin:synthetic-114M", "--rounds", "1", "-c", "coding", "-c", "summary",
        env=STEADY | {"OLLAMA_HOST": ollama_server.url}, timeout_s=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "steady:latest" in done.stdout
    assert "synthetic-114M (built-in)" in done.stdout
    check_both_servers(home)


def check_both_servers(home: Home) -> None:
    """Both sets of figures, each within what its server counts."""
    counted = [row for row in home.trials() if "superseded" not in row["flags"].split()]
    assert [row["outcome"] for row in counted] == ["ok"] * 8
    assert {row["backend"] for row in home.trials()} == {"ollama", "builtin"}
    assert not any("other_model_resident" in row["flags"] for row in home.trials())
    check_agreement(warm_rows(home, "steady"))
    check_agreement(warm_rows(home, "synthetic-114M"))
