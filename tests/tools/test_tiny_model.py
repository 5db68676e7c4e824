"""The demo model's generator still makes what the model was trained on; nothing is trained here."""

from __future__ import annotations

import hashlib
import importlib.util
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmtui.backends.builtin_models import DEMO_FILE
from tools.tiny_model.bpe import Bpe
from tools.tiny_model.codebook import read_functions
from tools.tiny_model.corpus import MAKERS, SHARES, Corpus
from tools.tiny_model.english import English, with_article
from tools.tiny_model.language import Language
from tools.tiny_model.questions import Judge, read_questions
from tools.tiny_model.spanish import Spanish
from tools.tiny_model.sums import operands

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
FIRST_500 = "7c74559c73d6f5bc80328122ef0e68fda3aa718e8980369fd59265edd67cecaa"
needs_gguf = pytest.mark.skipif(importlib.util.find_spec("gguf") is None, reason="needs gguf of the extra")


@pytest.fixture(params=[English, Spanish], ids=["en", "es"])
def language(request: pytest.FixtureRequest) -> Language:
    made: Language = request.param()
    return made


def test_the_corpus_is_the_one_that_the_model_was_trained_on() -> None:
    documents = Corpus().documents(500)
    assert hashlib.sha256("".join(documents).encode()).hexdigest() == FIRST_500


def test_the_same_seed_gives_the_same_documents_and_another_gives_others() -> None:
    assert Corpus(3).documents(20) == Corpus(3).documents(20) != Corpus(4).documents(20)


def test_every_document_is_whole_conversations() -> None:
    for document in Corpus(1).documents(200):
        assert document.count("<|im_start|>") == document.count("<|im_end|>")
        assert document.endswith("<|im_end|>\n")
        assert "{" not in document.replace("{}", "").replace("counts: dict[str, int] = {", "")


def test_shares_are_of_one_whole() -> None:
    assert sum(SHARES.values()) == pytest.approx(1.0)


def test_every_sum_is_right(language: Language) -> None:
    r = random.Random(7)
    for _ in range(300):
        a, b, c, sign = operands(r)
        assert c == (a + b if sign == "+" else a - b) >= 0
        question, answer = MAKERS["drill"](language, r)
        worked = answer.splitlines()[: len(question.splitlines()) - 1]
        assert all(eval(left) == int(right) for left, right in (line.split(" = ") for line in worked))


def test_every_kind_of_problem_ends_with_its_answer(language: Language) -> None:
    r = random.Random(8)
    label = language.phrases.text("sums.answer").split(":")[0]
    for _ in range(300):
        assert MAKERS["reasoning"](language, r)[1].splitlines()[-1].startswith(f"{label}: ")


def test_summaries_begin_with_the_first_clause_of_their_text(language: Language) -> None:
    r = random.Random(9)
    for _ in range(100):
        question, answer = MAKERS["summary"](language, r)
        clause = answer.split(": ", 1)[1].split(";", 1)[0]
        assert clause in question


def test_articles_agree() -> None:
    assert (with_article("owl"), with_article("fox")) == ("an owl", "a fox")
    spanish = Spanish()
    assert spanish.contract("cerca de el mar, a el norte, de él") == "cerca del mar, al norte, de él"
    assert {topic.one.split()[0] for topic in spanish.topics if topic.kind == "thing"} == {"un", "una"}


def test_every_function_of_the_code_book_runs_and_passes() -> None:
    assert [f.name for f in read_functions() if not f.passes(f.written("es"))] == []


def test_a_wrong_function_does_not_pass() -> None:
    is_even = next(f for f in read_functions() if f.name == "is_even")
    assert not is_even.passes("def is_even(n): return True")
    assert not is_even.passes("def is_even(n): raise SystemExit(0)\n")


def test_answers_are_judged_by_their_kind() -> None:
    judge = Judge(["Mira", "Otto"], read_functions())
    by_kind = {question.kind: question for question in read_questions()}
    story, total = by_kind["story"], by_kind["sum"]
    assert judge.is_right(story, f"Mira found a {story.want}. Mira smiled.")
    assert not judge.is_right(story, f"Mira and Otto found a {story.want}.")
    assert judge.is_right(total, f"So it is.\n\nRespuesta: {total.want}")
    assert not judge.is_right(total, "")
    code = "```python\ndef is_even(n):\n    return n % 2 == 0\n```"
    assert judge.runs(code, "is_even")
    assert not judge.runs(code, "gcd")


@needs_gguf
class TestTheTokeniser:
    @pytest.fixture(scope="class")
    def bpe(self) -> Bpe:
        import gguf

        merges = gguf.GGUFReader(DEMO_FILE).fields["tokenizer.ggml.merges"].contents()
        return Bpe([merge.split(" ") for merge in merges], SPECIALS)

    def test_its_vocabulary_is_the_models(self, bpe: Bpe) -> None:
        import gguf

        assert gguf.GGUFReader(DEMO_FILE).fields["tokenizer.ggml.tokens"].contents() == bpe.tokens

    @given(text=st.text())
    def test_decoding_undoes_encoding(self, bpe: Bpe, text: str) -> None:
        assert bpe.decode(bpe.encode(text)) == text

    def test_special_tokens_are_one_token(self, bpe: Bpe) -> None:
        assert bpe.encode("<|im_start|>user\n")[0] == bpe.id["<|im_start|>"]

    def test_the_writer_makes_the_file_that_ships_from_its_own_weights(self, bpe: Bpe, tmp_path: Path) -> None:
        import gguf

        from tools.tiny_model.gguf_writer import write_gguf
        from tools.tiny_model.shape import Shape

        shipped = gguf.GGUFReader(DEMO_FILE)
        weights = {tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type) for tensor in shipped.tensors}
        description = shipped.fields["general.description"].contents()
        path = tmp_path / "again.gguf"
        write_gguf(path, Shape(), weights, bpe, "Q8_0", name="llmtui demo", description=description)
        assert path.read_bytes() == DEMO_FILE.read_bytes()


def test_training_joins_the_most_frequent_pair_first() -> None:
    bpe = Bpe.train("aab aab aab abab", 256 + 3 + 2, SPECIALS)
    assert bpe.merges[0] == ("a", "b")
    assert len(bpe.tokens) == 256 + 3 + 2
    assert bpe.decode(bpe.encode("aab")) == "aab"


def test_two_merges_that_make_one_token_are_refused() -> None:
    with pytest.raises(ValueError, match="the same token"):
        Bpe([("a", "bc"), ("ab", "c")], SPECIALS)
