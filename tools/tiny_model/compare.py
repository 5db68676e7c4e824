"""Is the export exact? Torch's greedy answers against llama.cpp's, token by token.

Run as ``python -m tools.tiny_model.compare`` where ``train`` wrote its files.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from tools.tiny_model.bpe import Bpe
from tools.tiny_model.llama import Llama, load
from tools.tiny_model.llama_server import LlamaServer
from tools.tiny_model.questions import read_questions

LIMIT = 200
"""Most tokens of an answer."""


@dataclass(frozen=True)
class Wanted:
    """What torch makes of one prompt."""

    prompt: str
    prompt_tokens: list[int]
    answer_tokens: list[int]
    leads: list[float]
    """How far the best score is ahead of the second, for each token of the answer."""


def greedy(model: Llama, bpe: Bpe, question: str) -> Wanted:
    """Gives torch's greedy answer."""
    prompt = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    prompt_tokens = bpe.encode(prompt)
    answer: list[int] = []
    leads: list[float] = []
    with torch.no_grad():
        while len(answer) < LIMIT:
            hidden = model.hidden(torch.tensor([prompt_tokens + answer]))[0, -1]
            best = torch.topk(model.logits(hidden), 2)
            token = int(best.indices[0])
            if token == bpe.id["<|im_end|>"]:
                break
            answer.append(token)
            leads.append(float(best.values[0] - best.values[1]))
    return Wanted(prompt, prompt_tokens, answer, leads)


def compare(path: Path, wanted: list[Wanted], end: int) -> str:
    """Gives one line on how far llama.cpp's answers with a file agree with torch's; prints where they part."""
    server = LlamaServer(path)
    tokenised = same = agreed = 0
    for want in wanted:
        tokens = server.post("/tokenize", content=want.prompt, add_special=True, parse_special=True)["tokens"]
        tokenised += tokens == want.prompt_tokens
        made = server.post("/completion", prompt=want.prompt, n_predict=LIMIT, temperature=0, return_tokens=True)
        got = [token for token in made["tokens"] if token != end]
        first = _first_difference(got, want.answer_tokens)
        same += got == want.answer_tokens
        agreed += first
        if got != want.answer_tokens:
            lead = (
                f", where torch's two best scores are {want.leads[first]:.4f} apart" if first < len(want.leads) else ""
            )
            print(f"  {path.name}: differs at token {first} of {len(want.answer_tokens)}{lead}")
    total = sum(len(want.answer_tokens) for want in wanted)
    return (
        f"{path.name}: tokenisation identical {tokenised}/{len(wanted)}, answers identical {same}/{len(wanted)}, "
        f"tokens before the first difference {agreed}/{total}"
    )


def _first_difference(got: list[int], wanted: list[int]) -> int:
    """The place of the first token that differs, or the length of the shorter answer."""
    pairs = zip(got, wanted, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(got), len(wanted)))


def main(base: Path) -> None:
    """Compares the three files of ``base`` with its weights in torch."""
    torch.set_num_threads(2)
    model, bpe = load(base)
    wanted = [greedy(model, bpe, question.text) for question in read_questions()]
    for quantisation in ("F32", "F16", "Q8_0"):
        print(compare(Path(f"{base}-{quantisation}.gguf"), wanted, bpe.id["<|im_end|>"]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if sys.argv[1:] else "tiny"))
