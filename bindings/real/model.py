"""Writes a language model of random weights: `python model.py tiny.gguf WIDTH LAYERS`.

Nothing is downloaded. The weights come from a fixed seed, so the same file comes out each time. The
tokens are the 256 bytes and a few special ones; what the model says is noise, but printable ASCII:
a constant part of every hidden state holds all other tokens down. It never ends by itself, so a
text is as long as was asked for. Tool calls and JSON come from llama.cpp's grammars, which leave
even noise no choice.
"""

from __future__ import annotations

import sys
from typing import Any

import gguf  # pyright: ignore[reportMissingImports]
import numpy as np  # pyright: ignore[reportMissingImports]

SPECIAL = ["<s>", "</s>", "<|im_start|>", "<|im_end|>"]
# Their ids are in `facts`.
TOOL_CALL = "<tool_call>\n"
MERGES = ["h e", "l l", "o n"]
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
# Qwen 2.5's, shortened: llama.cpp knows by it how calls are written.
TEMPLATE = """{%- if tools %}<|im_start|>system

# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{% endif %}
{%- for message in messages %}
{%- if message.role == 'assistant' and message.tool_calls %}<|im_start|>assistant
{%- if message.content %}{{ message.content }}{%- endif %}
{%- for call in message.tool_calls %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}<|im_end|>
{% elif message.role == 'tool' %}<|im_start|>user
<tool_response>
{{ message.content }}
</tool_response><|im_end|>
{% else %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endif %}
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""  # noqa: E501


def byte_tokens() -> list[str]:
    """GPT-2's letters for the 256 bytes, in the order of the bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def write(path: str, width: int, layers: int) -> None:
    """Writes the file."""
    heads, inner = 4, 2 * width
    tokens = [*byte_tokens(), *SPECIAL, TOOL_CALL, *(pair.replace(" ", "") for pair in MERGES)]
    kinds = [NORMAL] * 256 + [CONTROL] * len(SPECIAL) + [USER_DEFINED] + [NORMAL] * len(MERGES)
    out = gguf.GGUFWriter(path, "llama")
    out.add_context_length(16_384)
    out.add_embedding_length(width)
    out.add_block_count(layers)
    out.add_feed_forward_length(inner)
    out.add_head_count(heads)
    out.add_head_count_kv(heads)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(width // heads)
    out.add_vocab_size(len(tokens))
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list(tokens)
    out.add_token_types(kinds)
    out.add_token_merges(MERGES)
    out.add_bos_token_id(tokens.index("<s>"))
    out.add_eos_token_id(tokens.index("<|im_end|>"))
    out.add_add_bos_token(False)
    out.add_chat_template(TEMPLATE)
    for name, tensor in weights(len(tokens), width, inner, layers):
        out.add_tensor(name, tensor)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def weights(vocabulary: int, width: int, inner: int, layers: int) -> list[tuple[str, Any]]:
    """The tensors by name."""
    random = np.random.default_rng(7)

    def noise(*shape: int) -> Any:
        return (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    def ones() -> Any:
        return np.ones(width, np.float32)

    embedding, output = noise(vocabulary, width), noise(vocabulary, width)
    # The first member of a hidden state is the same for every token, and no layer changes it.
    embedding[:, 0], output[:, 0] = 4, -12
    output[32:127, 0] = 0
    tensors = [("token_embd.weight", embedding)]
    for number in range(layers):
        block = f"blk.{number}."
        back = {
            name: noise(width, of) for name, of in (("attn_output", width), ("ffn_down", inner))
        }
        for name, tensor in back.items():
            tensor[0] = 0
            tensors.append((f"{block}{name}.weight", tensor))
        tensors += [(f"{block}{name}.weight", ones()) for name in ("attn_norm", "ffn_norm")]
        tensors += [(f"{block}attn_{name}.weight", noise(width, width)) for name in "qkv"]
        tensors += [(f"{block}ffn_{name}.weight", noise(inner, width)) for name in ("gate", "up")]
    return [*tensors, ("output_norm.weight", ones()), ("output.weight", output)]


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
