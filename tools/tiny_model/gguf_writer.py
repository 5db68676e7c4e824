"""Writes a llama-architecture GGUF from float32 arrays in torch's layout, [out, in]."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
from numpy.typing import NDArray

from tools.tiny_model.bpe import Bpe
from tools.tiny_model.shape import Shape

Quantisation = Literal["F32", "F16", "Q8_0"]
FILE_TYPES = {
    "F32": gguf.LlamaFileType.ALL_F32,
    "F16": gguf.LlamaFileType.MOSTLY_F16,
    "Q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
}
CHATML = (
    "{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def write_gguf(
    path: Path,
    shape: Shape,
    weights: Mapping[str, NDArray[np.float32]],
    bpe: Bpe,
    quantisation: Quantisation,
    *,
    name: str,
    description: str,
) -> None:
    """Writes the weights with the tokeniser and the ChatML template.

    Args:
        path: the file; overwritten.
        shape: the dimensions.
        weights: arrays by GGUF tensor name. Vectors stay F32, matrices become ``quantisation``.
        bpe: the tokeniser.
        quantisation: of the matrices.
        name: ``general.name``.
        description: ``general.description``.
    """
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("model")
    writer.add_name(name)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_file_type(FILE_TYPES[quantisation])
    writer.add_description(description)
    _add_shape(writer, shape, len(bpe.tokens))
    _add_tokeniser(writer, bpe)
    for key, weight in weights.items():
        array = np.ascontiguousarray(weight, dtype=np.float32)
        if array.ndim == 1 or quantisation == "F32":
            writer.add_tensor(key, array)
        elif quantisation == "F16":
            writer.add_tensor(key, array.astype(np.float16))
        else:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(key, gguf.quants.quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_shape(writer: gguf.GGUFWriter, shape: Shape, vocabulary: int) -> None:
    writer.add_vocab_size(vocabulary)
    writer.add_context_length(shape.context_length)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)


def _add_tokeniser(writer: gguf.GGUFWriter, bpe: Bpe) -> None:
    special = len(bpe.specials)
    kinds = [gguf.TokenType.CONTROL] * special + [gguf.TokenType.NORMAL] * (len(bpe.tokens) - special)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(bpe.tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{a} {b}" for a, b in bpe.merges])
    writer.add_bos_token_id(bpe.id["<|endoftext|>"])
    writer.add_eos_token_id(bpe.id["<|im_end|>"])
    writer.add_pad_token_id(bpe.id["<|endoftext|>"])
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(CHATML)
