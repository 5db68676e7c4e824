"""Make a small Llama model with random weights in transformers' format: ``python tools/random_model.py FOLDER``.

Needs an environment with transformers and PyTorch. The model's text is meaningless, but servers that load such folders
can be measured with it without any download.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

TEMPLATE = "{% for message in messages %}<s> {{ message['role'] }} {{ message['content'] }} {% endfor %}"


def main(folder: Path) -> None:
    """Write configuration, weights and tokenizer into the folder."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    syllables = ("ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo")
    words = ["<unk>", "<s>", "</s>", *("".join(three) for three in product(syllables, repeat=3))]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>", chat_template=TEMPLATE
    )  # fmt: skip
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=256,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=4096,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = LlamaForCausalLM(config)
    model.lm_head.weight.data[2] = -1e3 * model.lm_head.weight.data[2].abs()  # so that it does not end by itself
    model.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=2, pad_token_id=2)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
