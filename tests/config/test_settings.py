"""Settings: built-in value < settings file < environment < flag, and no bad value stops the program."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmtui.config import LoadedSettings, Settings, SettingsError, load_settings, with_flags
from llmtui.config.settings import checked, lasting
from llmtui.core.choices import bounds_of
from llmtui.words.settings import not_used, settings_words


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_without_anything_the_built_in_values_hold(config_path: Path) -> None:
    loaded = load_settings({}, config_path)
    assert loaded == LoadedSettings(Settings(), ())
    assert (loaded.settings.num_ctx, loaded.settings.num_predict, loaded.settings.temperature) == (4096, 128, 0.0)
    assert (loaded.settings.stall_s, loaded.settings.stall_loading_s) == (120.0, 300.0)
    assert not config_path.exists()


def test_the_usual_value_of_every_setting_is_one_that_may_be_set() -> None:
    for name, value in msgspec.structs.asdict(Settings()).items():
        assert value is None or checked(bounds_of(Settings)[name], value) == value, name


def test_the_later_source_wins(config_path: Path) -> None:
    config_path.write_text("num_ctx = 1000\nnum_predict = 1000\ntemperature = 1\n", encoding="utf-8")
    env = {"LLMTUI_NUM_PREDICT": "2000", "LLMTUI_TEMPERATURE": "1.5"}
    loaded = load_settings(env, config_path)
    assert loaded.problems == ()
    settings = with_flags(loaded.settings, {"temperature": "2", "bell": None})
    assert (settings.num_ctx, settings.num_predict, settings.temperature) == (1000, 2000, 2.0)


def test_every_setting_can_be_given_in_the_environment(config_path: Path) -> None:
    env = {
        "LLMTUI_HOST": "box:1",
        "LLMTUI_RESULTS_DIR": "~/r",
        "LLMTUI_LANGUAGE": "ES",
        "LLMTUI_THEME": "nord",
        "LLMTUI_THEME_DARK": "nord",
        "LLMTUI_THEME_LIGHT": "solarized-light",
        "LLMTUI_SERVERS": "box:1, other:2",
        "LLMTUI_PROMPT_IDS": "coding-2",
        "LLMTUI_MODELS": "llama3, gemma:7b ,",
        "LLMTUI_CATEGORIES": "coding",
        "LLMTUI_PRESET": "quick",
        "LLMTUI_NUM_CTX": "512",
        "LLMTUI_NUM_THREAD": "3",
        "LLMTUI_NUM_PREDICT": "1",
        "LLMTUI_TEMPERATURE": ".5",
        "LLMTUI_THINK": "on",
        "LLMTUI_UNLOAD_OTHERS": "No",
        "LLMTUI_STALL_S": "30",
        "LLMTUI_STALL_LOADING_S": "60",
        "LLMTUI_QUIET_WAIT_S": "0",
        "LLMTUI_SERVER_WAIT_S": "5",
        "LLMTUI_BELL": "0",
        "LLMTUI_KEYMAP": "pause=f6; quit=ctrl+x,q",
    }
    assert set(env) == {f"LLMTUI_{name.upper()}" for name in lasting()}
    loaded = load_settings(env, config_path)
    assert loaded.problems == ()
    assert loaded.settings == Settings(
        host="box:1",
        results_dir="~/r",
        language="es",
        theme="nord",
        theme_dark="nord",
        theme_light="solarized-light",
        servers=("box:1", "other:2"),
        prompt_ids=("coding-2",),
        models=("llama3", "gemma:7b"),
        categories=("coding",),
        preset="quick",
        num_ctx=512,
        num_thread=3,
        num_predict=1,
        temperature=0.5,
        think="on",
        unload_others=False,
        stall_s=30.0,
        stall_loading_s=60.0,
        quiet_wait_s=0.0,
        server_wait_s=5.0,
        bell=False,
        keymap={"pause": "f6", "quit": "ctrl+x,q"},
    )


def test_ollamas_own_variable_names_the_host_where_ours_does_not(config_path: Path) -> None:
    config_path.write_text('host = "filed"\n', encoding="utf-8")
    both = load_settings({"OLLAMA_HOST": "theirs", "LLMTUI_HOST": "ours"}, config_path)
    assert both.settings.host == "ours"
    theirs = load_settings({"OLLAMA_HOST": "theirs", "LLMTUI_HOST": " "}, config_path)
    assert theirs.settings.host == "theirs"
    assert load_settings({"OLLAMA_HOST": ""}, config_path).settings.host == "filed"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("num_ctx = 'many'", "num_ctx: must be a whole number from 128 to 4194304, not 'many'"),
        ("\nbell = 1", "bell: must be true or false, not 1"),
        ("num_predict = true", "num_predict: must be a whole number from 1 to 131072, not True"),
        ("num_predict = 0", "num_predict: must be a whole number"),
        ("temperature = 'hot'", "temperature: must be a number from 0 to 2, not 'hot'"),
        ("temperature = nan", "temperature: must be a number from 0 to 2, not nan"),
        ("think = 'maybe'", "think: must be 'off', 'on', 'both', 'low', 'medium' or 'high', not 'maybe'"),
        ("models = ['a', 1]", "models: must be names of models"),
        ("host = 'ftp://x'", "host: must be a server's address"),
        ("num_ctxs = 1", "num_ctxs: unknown key 'num_ctxs'; did you mean 'num_ctx'?"),
        ("rounds = 3", "rounds: unknown key 'rounds'; "),
        ("[keymap]\npause = 6", "keymap: must be keys by action id"),
    ],
)
def test_a_bad_line_is_named_and_left_out_while_the_others_count(config_path: Path, text: str, expected: str) -> None:
    config_path.write_text(f"{text}\n", encoding="utf-8")
    loaded = load_settings({}, config_path)
    assert loaded.settings == Settings()
    assert len(loaded.problems) == 1
    assert not_used(loaded.problems[0]).startswith(f"{config_path}, {expected}")
    assert not_used(loaded.problems[0]).endswith("It is not used.")
    config_path.write_text(f"theme = 'nord'\n{text}\n", encoding="utf-8")
    assert load_settings({}, config_path).settings == Settings(theme="nord")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a = \n", "line 1: is not valid TOML"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (None, "is not a regular file"),
    ],
)
def test_a_broken_file_is_one_sentence_and_the_program_goes_on(
    config_path: Path, content: bytes | None, words: str
) -> None:
    if content is None:
        config_path.mkdir()
    else:
        config_path.write_bytes(content)
    loaded = load_settings({"LLMTUI_NUM_CTX": "512"}, config_path)
    assert loaded.settings == Settings(num_ctx=512)
    assert len(loaded.problems) == 1
    assert not_used(loaded.problems[0]).startswith(str(config_path))
    assert words in not_used(loaded.problems[0])
    assert not_used(loaded.problems[0]).endswith("The settings file is not used.")


def test_a_bad_variable_is_named_and_the_next_best_value_holds(config_path: Path) -> None:
    config_path.write_text("num_ctx = 1000\n", encoding="utf-8")
    env = {"LLMTUI_NUM_CTX": "lots", "LLMTUI_HOST": "a b", "OLLAMA_HOST": "box", "LLMTUI_KEYMAP": "pause"}
    settings, problems = load_settings(env, config_path)
    assert (settings.num_ctx, settings.host, settings.keymap) == (1000, "box", {})
    assert sorted(not_used(problem).split(":")[0] for problem in problems) == [
        "environment, LLMTUI_HOST",
        "environment, LLMTUI_KEYMAP",
        "environment, LLMTUI_NUM_CTX",
    ]


def test_a_bad_flag_is_refused() -> None:
    for value in (0, "0"):
        with pytest.raises(SettingsError) as refusal:
            with_flags(Settings(), {"num_predict": value})
        assert settings_words(refusal.value) == (
            f"--num-predict: must be a whole number from 1 to 131072, not {value!r}."
        )


def test_a_byte_order_mark_is_no_obstacle(config_path: Path) -> None:
    config_path.write_bytes(b"\xef\xbb\xbfnum_ctx = 512\r\n")
    assert load_settings({}, config_path) == LoadedSettings(Settings(num_ctx=512), ())


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(lasting())), st.text(st.characters(exclude_characters="\0"), max_size=12)),
)
def test_no_environment_stops_the_program(environment: dict[str, str]) -> None:
    env = {f"LLMTUI_{name.upper()}": text for name, text in environment.items()}
    loaded = load_settings(env, Path("there-is-no-such-file.toml"))
    for name, value in msgspec.structs.asdict(loaded.settings).items():
        assert value is None or checked(bounds_of(Settings)[name], value) == value
    refused = {problem.facts["setting"] for problem in loaded.problems}
    assert refused <= {name for name, text in environment.items() if text.strip()}
