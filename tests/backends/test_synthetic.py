from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from llmtui.backends import synthetic
from llmtui.backends.gguf_file import gguf_digest, readable_model
from llmtui.backends.synthetic import (
    RECIPE,
    SHAPES,
    Shape,
    SyntheticFailed,
    is_made,
    main,
    make_synthetic,
    random_tensors,
    synthetic_path,
)
from llmtui.words.problems import problem_remedy, problem_what

pytestmark = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("numpy", "gguf")),
    reason="needs the extra: pip install 'llmtui[synthetic]'",
)

SMALL = Shape(width=64, layers=2, heads=2, kv_heads=1, feed_forward=96)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The 24M model is made as a much smaller one, so that a test takes milliseconds."""
    monkeypatch.setitem(SHAPES, "24M", SMALL)


def forbid(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)


def test_both_sizes_are_what_their_names_say() -> None:
    for size, shape in SHAPES.items():
        layer = 2 * shape.width * (shape.width + shape.kv_width) + 3 * shape.width * shape.feed_forward
        parameters = 2 * 2048 * shape.width + shape.layers * layer
        assert parameters == pytest.approx(int(size.removesuffix("M")) * 1e6, rel=0.08)


def test_every_row_is_whole_blocks_of_q8_0() -> None:
    for shape in SHAPES.values():
        assert (shape.width % 32, shape.feed_forward % 32, shape.width % shape.heads) == (0, 0, 0)


@pytest.mark.usefixtures("small")
def test_the_file_is_a_model_that_says_what_it_is(tmp_path: Path) -> None:
    header = readable_model(make_synthetic("24M", tmp_path))
    assert header.architecture == "llama"
    assert header.name == "llmtui synthetic 24M"
    assert header.description == "Random weights for measuring speed; the text is noise."
    assert header.quantisation == "Q8_0"
    assert header.context_length == 2048
    assert header.size_bytes == header.needed_bytes


@pytest.mark.usefixtures("small")
def test_the_tokeniser_and_the_template_are_the_demo_models(tmp_path: Path) -> None:
    import gguf

    made = gguf.GGUFReader(make_synthetic("24M", tmp_path)).fields
    demo = gguf.GGUFReader(synthetic.TOKENISER_FILE).fields
    keys = {key for key in demo if key.startswith("tokenizer.")}
    assert "tokenizer.chat_template" in keys
    assert {key for key in made if key.startswith("tokenizer.")} == keys
    assert all(made[key].contents() == demo[key].contents() for key in keys)
    assert all(made[key].types == demo[key].types for key in keys)


@pytest.mark.usefixtures("small")
def test_making_it_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = make_synthetic("24M", tmp_path / "a"), make_synthetic("24M", tmp_path / "b")
    assert first.name == second.name
    assert gguf_digest(first) == gguf_digest(second)


@pytest.mark.usefixtures("small")
def test_a_file_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    made = make_synthetic("24M", tmp_path)
    before = made.stat()
    assert is_made("24M", tmp_path)
    assert make_synthetic("24M", tmp_path) == made
    assert (made.stat().st_mtime_ns, made.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.usefixtures("small")
def test_a_file_that_was_cut_is_made_again(tmp_path: Path) -> None:
    made = make_synthetic("24M", tmp_path)
    whole = made.read_bytes()
    made.write_bytes(whole[:-100])
    assert not is_made("24M", tmp_path)
    assert make_synthetic("24M", tmp_path).read_bytes() == whole


@pytest.mark.usefixtures("small")
def test_nothing_is_left_where_making_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(synthetic, "_flush", full)
    with pytest.raises(SyntheticFailed, match="unwritable") as caught:
        make_synthetic("24M", tmp_path)
    assert caught.value.problem.code == "unwritable"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("small")
def test_what_a_killed_run_left_is_removed_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    name = synthetic_path("24M", tmp_path).name
    stale, fresh = tmp_path / f".{name}-1", tmp_path / f".{name}-2"
    stale.touch()
    fresh.touch()
    old = time.time() - synthetic.STALE_S - 1
    os.utime(stale, (old, old))
    make_synthetic("24M", tmp_path)
    assert (stale.exists(), fresh.exists()) == (False, True)


@pytest.mark.parametrize("module", ["numpy", "gguf"])
def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    forbid(monkeypatch, module)
    with pytest.raises(SyntheticFailed) as caught:
        make_synthetic("24M", tmp_path)
    assert module in problem_what(caught.value.problem)
    assert "[synthetic]" in problem_remedy(caught.value.problem)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SyntheticFailed) as caught:
        make_synthetic("24M", tmp_path / "file" / "folder")
    assert str(tmp_path / "file" / "folder") in problem_what(caught.value.problem)


def test_the_name_holds_the_recipes_number(tmp_path: Path) -> None:
    assert synthetic_path("114M", tmp_path).name == f"llmtui-synthetic-114M-v{RECIPE}.gguf"


def test_only_words_of_plain_letters_can_be_said() -> None:
    tokens = ["<|im_end|>", "Ġ", "Ã", "a", "the", "Ġsea", "12", "Ġniño"]
    tensors = dict(random_tensors(SMALL, tokens))
    silent = [not row.any() for row in tensors["output.weight"]]
    assert silent == [True, True, True, True, False, False, True, True]


def test_the_head_is_the_models_own() -> None:
    tensors = dict(random_tensors(SMALL, ["the", "sea"]))
    assert tensors["output.weight"].shape == tensors["token_embd.weight"].shape == (2, 64)
    assert (tensors["output.weight"] != tensors["token_embd.weight"]).all()


def test_keys_and_values_are_shared_by_several_heads() -> None:
    tensors = dict(random_tensors(SMALL, ["the"]))
    assert tensors["blk.1.attn_k.weight"].shape == tensors["blk.1.attn_v.weight"].shape == (32, 64)
    assert tensors["blk.1.ffn_down.weight"].shape == (64, 96)
    assert len(tensors) == 3 + 9 * SMALL.layers


@pytest.mark.usefixtures("small")
def test_as_a_program_it_answers_with_the_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["24M", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == {"path": str(synthetic_path("24M", tmp_path))}


def test_as_a_program_it_answers_with_the_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(monkeypatch, "gguf")
    assert main(["24M", str(tmp_path)]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert set(error) == {"code", "detail"}


def test_a_run_that_is_killed_leaves_nothing_that_looks_like_a_model(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from llmtui.backends import synthetic as s;"
        "s.SHAPES['24M'] = s.Shape(width=64, layers=1, heads=2, kv_heads=1, feed_forward=96);"
        "s._flush = lambda path: os._exit(9);"
        "s.make_synthetic('24M', Path(sys.argv[1]))"
    )
    killed = subprocess.run([sys.executable, "-P", "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == 9
    assert [path.name[0] for path in tmp_path.iterdir()] == ["."]
    assert not is_made("24M", tmp_path)


def test_shapes_can_stand_in_a_digest() -> None:
    assert msgspec.json.decode(msgspec.json.encode(SMALL), type=Shape) == SMALL
