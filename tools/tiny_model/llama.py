"""The llama architecture in torch, with tensors named as GGUF wants them."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # its usual name
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.tiny_model.bpe import Bpe
from tools.tiny_model.shape import Shape

INITIAL_SCALE = 0.02


class RmsNorm(nn.Module):
    """x / rms(x) * weight."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape.width))
        self.epsilon = shape.norm_epsilon

    def forward(self, x: Tensor) -> Tensor:
        """[…, width] → [..., width]."""
        return F.rms_norm(x, x.shape[-1:], self.weight, self.epsilon)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """RoPE on interleaved pairs (ggml's "norm" type, so that Q and K need no permutation in the GGUF)."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


def _linear(columns: int, rows: int) -> nn.Linear:
    return nn.Linear(columns, rows, bias=False)


class Block(nn.Module):
    """Attention with grouped keys and values, then a gated feed-forward layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        width, feed_forward = shape.width, shape.feed_forward
        self.attn_norm, self.ffn_norm = RmsNorm(shape), RmsNorm(shape)
        self.attn_q = _linear(width, width)
        self.attn_k = _linear(width, shape.kv_width)
        self.attn_v = _linear(width, shape.kv_width)
        self.attn_output = _linear(width, width)
        self.ffn_gate = _linear(width, feed_forward)
        self.ffn_up = _linear(width, feed_forward)
        self.ffn_down = _linear(feed_forward, width)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """[batch, length, width] → the same."""
        shape, (batch, length, _) = self.shape, x.shape

        def heads(projected: Tensor, count: int) -> Tensor:
            return projected.view(batch, length, count, -1).transpose(1, 2)

        normed = self.attn_norm(x)
        q = rotated(heads(self.attn_q(normed), shape.heads), cos, sin)
        k = rotated(heads(self.attn_k(normed), shape.kv_heads), cos, sin)
        v = heads(self.attn_v(normed), shape.kv_heads)
        group = shape.heads // shape.kv_heads
        y = F.scaled_dot_product_attention(
            q, k.repeat_interleave(group, 1), v.repeat_interleave(group, 1), is_causal=True
        )
        x = x + self.attn_output(y.transpose(1, 2).reshape(batch, length, shape.width))
        normed = self.ffn_norm(x)
        fed: Tensor = self.ffn_down(F.silu(self.ffn_gate(normed)) * self.ffn_up(normed))
        return x + fed


class Llama(nn.Module):
    """Embedding, blocks, norm; the head is the transposed embedding."""

    def __init__(self, shape: Shape, vocabulary: int) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RmsNorm(shape)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                into_stream = name.endswith(("attn_output.weight", "ffn_down.weight"))
                scale = INITIAL_SCALE / math.sqrt(2 * shape.layers) if into_stream else INITIAL_SCALE
                nn.init.normal_(parameter, 0, scale)

    def hidden(self, ids: Tensor) -> Tensor:
        """[batch, length] token numbers → final hidden states, [batch, length, width]."""
        half = torch.arange(0, self.shape.head_width, 2).float() / self.shape.head_width
        angles = torch.outer(torch.arange(ids.shape[1]).float(), 1.0 / self.shape.rope_base**half)
        x, cos, sin = self.token_embd(ids), angles.cos(), angles.sin()
        for block in self.blk:
            x = block(x, cos, sin)
        normed: Tensor = self.output_norm(x)
        return normed

    def logits(self, hidden: Tensor) -> Tensor:
        """[…, width] → scores of the next token, [..., vocabulary]."""
        return F.linear(hidden, self.token_embd.weight)

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Gives all tensors as float32 arrays under their GGUF names."""
        return {name: tensor.detach().numpy().copy() for name, tensor in self.state_dict().items()}


def save(base: Path, model: Llama, bpe: Bpe, **facts: object) -> None:
    """Writes ``base``.npz (weights) and ``base``.json (shape, tokeniser, facts about the training)."""
    weights: dict[str, Any] = dict(model.weights())
    np.savez(base.with_suffix(".npz"), **weights)
    meta = {"shape": asdict(model.shape), "specials": bpe.specials, **facts, "merges": bpe.merges}
    base.with_suffix(".json").write_text(json.dumps(meta), encoding="utf-8")


def load(base: Path) -> tuple[Llama, Bpe]:
    """Reads what ``save`` wrote."""
    meta = json.loads(base.with_suffix(".json").read_text(encoding="utf-8"))
    bpe = Bpe(meta["merges"], meta["specials"])
    model = Llama(Shape(**meta["shape"]), len(bpe.tokens))
    with np.load(base.with_suffix(".npz")) as stored:
        model.load_state_dict({name: torch.from_numpy(stored[name]) for name in stored.files})
    return model.eval(), bpe
