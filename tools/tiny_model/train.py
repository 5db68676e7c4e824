"""Trains the demo model on the generated corpus and exports it: ``python -m tools.tiny_model.train``.

Writes ``OUT.npz``, ``OUT.json`` and ``OUT-F32.gguf``, ``-F16.gguf``, ``-Q8_0.gguf``. Needs torch, numpy and gguf.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads starve each other when something else runs

import torch
import torch.nn.functional as F  # noqa: N812  # its usual name
from torch import Tensor, nn

from tools.tiny_model.bpe import Bpe
from tools.tiny_model.corpus import Corpus
from tools.tiny_model.gguf_writer import Quantisation, write_gguf
from tools.tiny_model.llama import Llama, save
from tools.tiny_model.shape import Shape

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
NOT_COUNTED = -100
"""Target of tokens that do not count for the loss."""
TOKENISER_DOCUMENTS = 4000
POOL = 600
"""Documents out of which batches of similar length are made."""
WARM_UP_STEPS = 60
QUANTISATIONS: tuple[Quantisation, ...] = ("F32", "F16", "Q8_0")
DESCRIPTION = "Very small demonstration model, trained on generated sentences only; its answers are not facts."

Example = tuple[list[int], list[int]]
"""Token numbers of a document, and the targets."""


@dataclass(frozen=True)
class Settings:
    """How long and how fast to learn."""

    steps: int
    tokens: int
    """Most tokens of a batch."""
    rate: float
    seconds: float
    """Stop after this time instead of after ``steps``; 0 for no such end."""

    def done(self, step: int, spent_s: float) -> float:
        """Gives the share of the training that is over."""
        return spent_s / self.seconds if self.seconds else step / self.steps

    def rate_at(self, step: int, done: float) -> float:
        """Gives the learning rate: a linear start, then a cosine down to 2 %."""
        return self.rate * min(1.0, step / WARM_UP_STEPS) * (0.02 + 0.49 * (1 + math.cos(math.pi * min(1.0, done))))


def example(bpe: Bpe, document: str, context_length: int) -> Example:
    """Gives a document's tokens and targets; only the assistant's tokens count for the loss."""
    ids: list[int] = []
    counted: list[bool] = []
    for part in document.split("<|im_start|>")[1:]:
        role, _, body = part.partition("\n")
        head, text = bpe.encode(f"<|im_start|>{role}\n"), bpe.encode(body)
        ids += head + text
        wanted = len(text) - 1 if role == "assistant" else 0  # without the line break after <|im_end|>
        counted += [False] * len(head) + [True] * wanted + [False] * (len(text) - wanted)
    ids, counted = ids[: context_length + 1], counted[: context_length + 1]
    targets = [token if counts else NOT_COUNTED for token, counts in zip(ids[1:], counted[1:], strict=True)]
    return ids[:-1], targets


def batches(data: list[Example], tokens: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Gives endless batches of whole documents of similar length, padded at the end."""
    r = random.Random(seed)
    while True:
        order = list(range(len(data)))
        r.shuffle(order)
        for at in range(0, len(order), POOL):
            groups = _groups(data, sorted(order[at : at + POOL], key=lambda j: len(data[j][0])), tokens)
            r.shuffle(groups)
            for group in groups:
                width = max(len(data[j][0]) for j in group)
                inputs = [data[j][0] + [0] * (width - len(data[j][0])) for j in group]
                targets = [data[j][1] + [NOT_COUNTED] * (width - len(data[j][1])) for j in group]
                yield torch.tensor(inputs), torch.tensor(targets)


def _groups(data: list[Example], pool: list[int], tokens: int) -> list[list[int]]:
    """Cuts a pool, ordered by length, into groups that hold at most so many tokens with their padding."""
    groups: list[list[int]] = [[]]
    for j in pool:
        if groups[-1] and (len(groups[-1]) + 1) * len(data[j][0]) > tokens:
            groups.append([])
        groups[-1].append(j)
    return groups


def train(model: Llama, data: list[Example], settings: Settings) -> tuple[int, float]:
    """Trains with AdamW.

    Returns:
        The steps made and the moving average of the loss.
    """
    optimiser = _optimiser(model, settings.rate)
    start, seen, average = time.perf_counter(), 0, 0.0
    step, done = 0, 0.0
    for inputs, targets in batches(data, settings.tokens, seed=2):
        step += 1
        done = settings.done(step, time.perf_counter() - start)
        for group in optimiser.param_groups:
            group["lr"] = settings.rate_at(step, done)
        counted = targets != NOT_COUNTED
        loss = F.cross_entropy(model.logits(model.hidden(inputs)[counted]), targets[counted])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        seen += inputs.numel()
        average = loss.item() if step == 1 else 0.98 * average + 0.02 * loss.item()
        if step % 100 == 0 or done >= 1:
            spent = time.perf_counter() - start
            rate = f"{seen / 1e6:.2f} M tokens, {seen / spent:.0f}/s"
            print(f"step {step} ({done:.0%})  {spent:.0f} s  loss {average:.4f}  {rate}", flush=True)
        if done >= 1:
            break
    return step, average


def _optimiser(model: Llama, rate: float) -> torch.optim.AdamW:
    """Weight decay is for matrices only."""
    matrices = [p for p in model.parameters() if p.ndim == 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=True)


def export(base: Path, model: Llama, bpe: Bpe) -> None:
    """Writes the GGUF files and prints their digests."""
    for quantisation in QUANTISATIONS:
        path = Path(f"{base}-{quantisation}.gguf")
        write_gguf(path, model.shape, model.weights(), bpe, quantisation, name="llmtui demo", description=DESCRIPTION)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(path, path.stat().st_size, "bytes, sha256", digest)


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2239)
    parser.add_argument("--docs", type=int, default=45_000)
    parser.add_argument("--tokens", type=int, default=3072, help="tokens a batch")
    parser.add_argument("--vocab", type=int, default=2048)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0, help="stop after this time instead of after --steps")
    parser.add_argument("--out", type=Path, default=Path("tiny"))
    return parser.parse_args()


def main() -> None:
    """Corpus, tokeniser, training, export."""
    asked = arguments()
    shape = Shape()
    torch.manual_seed(1)
    torch.set_num_threads(asked.threads)
    start = time.perf_counter()
    documents = Corpus().documents(asked.docs)
    bpe = Bpe.train("".join(documents[:TOKENISER_DOCUMENTS]), asked.vocab, SPECIALS, least_count=8)
    data = [example(bpe, document, shape.context_length) for document in documents]
    tokens = sum(len(ids) for ids, _ in data)
    model = Llama(shape, len(bpe.tokens))
    parameters = sum(p.numel() for p in model.parameters())
    print(
        f"{len(bpe.tokens)} tokens in the vocabulary, {tokens} in {len(documents)} documents "
        f"({sum(map(len, documents)) / tokens:.2f} characters each), longest {max(len(ids) for ids, _ in data)}; "
        f"{parameters} parameters; prepared in {time.perf_counter() - start:.0f} s",
        flush=True,
    )
    steps, loss = train(model, data, Settings(asked.steps, asked.tokens, asked.lr, asked.seconds))
    save(asked.out, model, bpe, params=parameters, steps=steps, docs=asked.docs, loss=round(loss, 4))
    export(asked.out, model, bpe)
    print(f"all in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
