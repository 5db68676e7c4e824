"""Model names: which of them a server treats as the same, which are similar, and what kind of model each implies."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Sequence

from llmtui.core.codes import ModelProblem
from llmtui.core.events import ListedModel

_NEAR = 0.5
_NAME_DIGEST = "name:"
_CHATS = frozenset({
    "chat", "chat-completion", "chat_completion", "chat_completions", "completion", "completions", "generate", "llm",
    "text", "text-generation", "text2text-generation", "text-to-text", "vlm", "vision", "image-text-to-text",
    "any-to-any",
})  # fmt: skip
_SIGNS: dict[ModelProblem, tuple[str, ...]] = {
    "makes_embeddings": ("embedding", "embeddings", "embed", "text-embedding", "feature-extraction",
                        "sentence-similarity", "text-embeddings"),
    "ranks_texts": ("rerank", "reranker", "reranking", "score", "text-ranking", "classify", "moderation"),
    "is_speech": ("audio", "speech", "transcription", "transcriptions", "stt", "tts", "text-to-speech",
                     "automatic-speech-recognition"),
    "makes_pictures": ("image", "images", "text-to-image", "image-generation", "video", "text-to-video"),
}  # fmt: skip
_BY_NAME: tuple[tuple[ModelProblem, re.Pattern[str]], ...] = (
    ("ranks_texts", re.compile(r"re-?rank|(^|[-_/.])(ranker|moderation)([-_/.:]|$)")),
    (
        "makes_embeddings",
        re.compile(
            r"embed|(^|[-_/.])(bge|gte|e5|minilm|stella|sbert|bert|simcse|instructor|splade|colbert)([-_/.:]|$)"
            r"|sentence-transformers|all-mpnet|paraphrase-"
        ),
    ),
    (
        "is_speech",
        re.compile(r"(^|[-_/.])(whisper|tts|kokoro|parakeet|bark|piper|speecht5|wav2vec2?)([-_/.:]|\d|$)"),
    ),
    (
        "makes_pictures",
        re.compile(r"stable-?diffusion|(^|[-_/.])(sdxl|flux|dall-e|clip|siglip2?|z-image|qwen-image)([-_/.:]|\d|$)"),
    ),
)
_OLLAMA_PREFIXES = ("registry.ollama.ai/library/", "registry.ollama.ai/", "library/")


def ollama_name(name: str) -> str:
    """Return a name as Ollama compares it: in lower case, without the prefix of its own registry, with a tag."""
    bare = name.strip().lower().removeprefix("https://").removeprefix("http://").replace("huggingface.co/", "hf.co/", 1)
    bare = next((bare.removeprefix(prefix) for prefix in _OLLAMA_PREFIXES if bare.startswith(prefix)), bare)
    return bare if ":" in bare.rpartition("/")[2] else f"{bare}:latest"


def name_digest(*facts: object) -> str:
    """Return a substitute for a digest that a server does not report: a hash of the name and the given facts."""
    return f"{_NAME_DIGEST}{hashlib.sha256(repr(facts).encode()).hexdigest()}"


def is_name_digest(*digests: str) -> bool:
    """Return whether one of the digests is a substitute made by ``name_digest``."""
    return any(digest.startswith(_NAME_DIGEST) for digest in digests)


def find_model(name: str, listed: Sequence[ListedModel], server: str) -> ListedModel | None:
    """Return the listed model that a server would use for a name; None if there is none.

    Args:
        name: the name as typed.
        listed: models of this server and of other servers.
        server: kind of the server.
    """
    own = [one for one in listed if one.model.backend == server]
    for one in own:
        if one.model.name == name or name in one.aliases:
            return one
    if server != "ollama":
        return None
    return next((one for one in own if ollama_name(one.model.name) == ollama_name(name)), None)


def nearest_names(name: str, names: Iterable[str], n: int = 3) -> tuple[str, ...]:
    """Return up to ``n`` names that are similar to the given name or contain it, best first."""
    by_form = {one.lower(): one for one in names}
    wanted = name.strip().lower()
    near = difflib.get_close_matches(wanted, by_form, n, _NEAR)
    # difflib does not consider a short part of a long name similar to it.
    parts = [one for one in by_form if wanted and wanted in one and one not in near]
    return tuple(by_form[one] for one in [*near, *parts][:n])


def why_not_chat(name: str, signs: Sequence[object] = ()) -> ModelProblem | None:
    """Return why a model cannot be benchmarked, judged by its list entry and its name; None if it can be.

    Args:
        name: the model's name.
        signs: values of list fields such as ``type``, ``task`` or ``capabilities``. Each is a word, a list of words, or
            a mapping from words to whether they apply.
    """
    words = {word for sign in signs for word in _words(sign)}
    if words & _CHATS:
        return None
    for why, known in _SIGNS.items():
        if words & set(known):
            return why
    small = name.lower()
    return next((why for why, pattern in _BY_NAME if pattern.search(small)), None)


def _words(sign: object) -> set[str]:
    if isinstance(sign, str):
        return {sign.strip().lower()}
    if isinstance(sign, dict):
        return {str(word).lower() for word, holds in sign.items() if holds}
    return {word.lower() for word in sign if isinstance(word, str)} if isinstance(sign, list) else set()
