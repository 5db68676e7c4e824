"""A machine that is not as it should be: each time a sentence in the person's language, and no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmtui.simulator.process import running_simulator
from llmtui.simulator.scenarios import fast
from tests.acceptance.program import Home
from tests.terminal import needs_tmux

QUICKLY = {"LLMTUI_PRESET": "quick", "LLMTUI_CATEGORIES": "coding", "LLMTUI_NUM_PREDICT": "8"}
LANGUAGES = pytest.mark.parametrize("language", ["en", "es"])
NOT_SAVED = {"en": "The session cannot be saved in {folder}", "es": "La sesión no se puede guardar en {folder}"}
NOT_STARTED = {
    "en": "The measuring process cannot be started: ", "es": "No se puede iniciar el proceso de medición: ",
}  # fmt: skip
NOT_READ = {"en": "Failed: reading the saved sessions", "es": "Falló: leer las sesiones guardadas"}
NOT_USED = {"en": "It is not used.", "es": "No se usa."}


@LANGUAGES
def test_a_results_path_that_is_a_file_is_refused(home: Home, language: str) -> None:
    target = home.folder / "taken"
    target.write_text("mine")
    with running_simulator(fast()) as server:
        done = home.run("run", "--host", server.url, "--results", str(target), env={"LLMTUI_LANGUAGE": language})
    assert done.returncode == 2
    assert NOT_SAVED[language].format(folder=target) in done.stderr
    assert "Traceback" not in done.stderr
    assert target.read_text() == "mine"


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="needs a user whom permissions bind")
@LANGUAGES
def test_a_folder_that_may_not_be_written_is_refused(home: Home, language: str) -> None:
    home.results.chmod(0o500)
    with running_simulator(fast()) as server:
        done = home.run("run", "--host", server.url, env={"LLMTUI_LANGUAGE": language})
    assert done.returncode == 2
    assert NOT_SAVED[language].format(folder=home.results) in done.stderr
    assert "Traceback" not in done.stderr


@LANGUAGES
def test_a_bad_variable_is_said_and_the_run_goes_on(home: Home, language: str) -> None:
    with running_simulator(fast()) as server:
        done = home.run(
            "run", "--host", server.url, env={**QUICKLY, "LLMTUI_LANGUAGE": language, "LLMTUI_NUM_CTX": "abc"}
        )
    assert done.returncode == 0, done.stderr
    first = done.stderr.splitlines()[0]
    assert "LLMTUI_NUM_CTX" in first
    assert NOT_USED[language] in first


@LANGUAGES
def test_an_engine_that_cannot_start_is_said(home: Home, tmp_path: Path, language: str) -> None:
    """Its log has no place: no temporary folder is writable, and neither is the current folder."""
    env = {name: str(tmp_path / "gone") for name in ("TMPDIR", "TEMP", "TMP")}
    script = home.folder / "sitecustomize.py"
    script.write_text("import tempfile\ntempfile._candidate_tempdir_list = lambda: []\n")
    done = home.run(
        "run", "--host", "127.0.0.1:9", env={**env, "LLMTUI_LANGUAGE": language, "PYTHONPATH": str(home.folder)}
    )
    assert done.returncode == 1
    assert NOT_STARTED[language] in done.stderr
    assert "Traceback" not in done.stderr


@needs_tmux
@LANGUAGES
def test_history_over_a_file_says_so(home: Home, language: str) -> None:
    target = home.folder / "taken"
    target.write_text("mine")
    with (
        running_simulator(fast()) as server,
        home.screens("--host", server.url, "--results", str(target), env={"LLMTUI_LANGUAGE": language}) as shown,
    ):
        shown.wait_for("quick:1b")
        shown.press("F5")
        shown.wait_for(NOT_READ[language])
