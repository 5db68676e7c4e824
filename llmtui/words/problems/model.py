"""Sentences for problems with a model: on a server, as a file, or in the built-in server."""

from __future__ import annotations

from typing import Final

from llmtui.core.codes import ModelProblem
from llmtui.words import marked
from llmtui.words.problems.said import Said

_COPY_AGAIN = marked("Download or copy it again.")
_CHATS = marked("Pick a chat model.")
_REINSTALL = marked("Install it again: {install}")
_UPDATE = marked("Update it: {install}")

MODEL_PROBLEMS: Final[dict[ModelProblem, Said]] = {
    "no_such_model": Said(marked("{where} has no model {name}."), marked("Get it with `ollama pull {name}`.")),
    "model_not_there": Said(marked("{where} does not have the model."), marked("Pick one from the list.")),
    "not_served": Said(marked("The server at {where} has no model {name}."), marked("Refresh its list of models.")),
    "not_known": Said(marked("The server does not know the requested model."), marked("Refresh its list of models.")),
    "no_models": Said(marked("The server at {where} serves no model."), marked("Load a model in the server first.")),
    "bad_name": Said(marked("“{text}” is not a model's name."), marked("Pick one from the list.")),
    "no_thinking": Said(
        marked("{name} does not support this thinking setting."),
        marked("Switch thinking off for it, or update Ollama."),
    ),
    "embedding_only": Said(
        marked("{name} is not a chat model: it makes embeddings, or its file is damaged."),
        marked("Pick another model, or pull it again."),
    ),
    "makes_embeddings": Said(marked("{name} makes embeddings, not text."), _CHATS),
    "makes_pictures": Said(marked("{name} makes pictures, not text."), _CHATS),
    "ranks_texts": Said(marked("{name} ranks texts; it does not write any."), _CHATS),
    "is_speech": Said(marked("{name} is a speech model, not a chat model."), _CHATS),
    "no_chats": Said(marked("The model is not a chat model."), _CHATS),
    "answers_no_chats": Said(marked("{name} is not a chat model."), _CHATS),
    "cloud": Said(
        marked("{name} runs on another server, and this server has no permission to use it."),
        marked("Pick a model that runs here."),
    ),
    "cloud_speed": Said(
        marked("{name} runs in the cloud: its speed and memory are not this machine's."),
        marked("Pick a model that runs here."),
    ),
    "out_of_memory": Said(
        marked("{name} does not fit into memory."),
        marked("Close other programs, or pick a smaller model or context."),
    ),
    "load_failed": Said(
        marked("{name} could not be loaded."),
        marked("See the server's log. If the model's file is damaged, pull the model again."),
    ),
    "load_failed_before": Said(
        marked("{name} could not be loaded in this session: not tried again."),
        marked("Its first trial says why."),
    ),
    "prompt_too_long": Said(
        marked("The prompt is longer than {name}'s context."),
        marked("Set a larger context, or shorten the prompt."),
    ),
    "prompt_over_context": Said(
        marked("The prompt does not fit into the model's context."),
        marked("Use a shorter prompt, or start the server with a larger context."),
    ),
    "repeats": Said(
        marked("{name} repeated itself, and the server stopped the answer."),
        marked("Raise the temperature (Options in Setup, --temperature)."),
    ),
    "no_file": Said(marked("{name} does not exist."), marked("Check the path.")),
    "is_folder": Said(marked("{name} is a folder."), marked("Give a .gguf file.")),
    "not_a_file": Said(marked("{name} is not a file."), marked("Give a .gguf file.")),
    "unreadable": Said(marked("{name} cannot be read."), marked("Check the path and its permissions.")),
    "not_gguf": Said(
        marked("{name} is not a GGUF file (it starts with {start_bytes})."),
        marked("Pick a model in GGUF format; its first four bytes are GGUF."),
    ),
    "gguf_version": Said(
        marked("{name} is a GGUF file of version {version}; llama.cpp reads versions 2 and 3."),
        marked("Convert the model again with a current llama.cpp, or download another build of it."),
    ),
    "gguf_big_endian": Said(
        marked("{name} is a GGUF file for big-endian machines."),
        marked("Convert the model again with a current llama.cpp, or download another build of it."),
    ),
    "truncated": Said(
        marked("{name} is incomplete: it has {size:,} bytes and needs at least {needed:,}."), _COPY_AGAIN
    ),
    "damaged": Said(marked("{name} is a damaged GGUF file: {fault}."), _COPY_AGAIN),
    "adapter": Said(
        marked("{name} is an addition to a model ({kind}), not a model."),
        marked("Pick the model's own .gguf file."),
    ),
    "later_part": Said(
        marked("{name} is part {part} of a model in {parts} files."),
        marked("Give the first part; the others are found beside it."),
    ),
    "unknown_architecture": Said(marked("The built-in server does not know this kind of model."), _UPDATE),
    "file_load_failed": Said(
        marked("{name} could not be loaded."), marked("Download the file again, or choose another model.")
    ),
    "builtin_missing": Said(marked("The built-in server is not installed."), marked("Install it: {install}")),
    "builtin_broken": Said(marked("The built-in server cannot start."), _REINSTALL),
    "builtin_unreachable": Said(
        marked("The built-in server is running, but llmtui cannot connect to it."),
        marked("Check whether a firewall or a security program blocks connections within this machine."),
    ),
    "libgomp_missing": Said(
        marked("The built-in server cannot start: libgomp1 is missing."),
        marked("apt install libgomp1 (Fedora: dnf install libgomp; Alpine is not supported)"),
    ),
    "vc_runtime_missing": Said(
        marked("The built-in server cannot start: a Windows library is missing."),
        marked("Install Microsoft's Visual C++ redistributable (x64)."),
    ),
    "cpu_too_old": Said(
        marked("This CPU lacks instructions that the built-in server needs (AVX2)."),
        marked("Use Ollama, which also runs on older processors."),
    ),
    "child_failed": Said(marked("The built-in server did not start (exit status {status})."), _REINSTALL),
    "child_not_started": Said(
        marked("The built-in server could not be started."), marked("Close other programs and try again.")
    ),
    "server_died": Said(
        marked("The built-in server ended in the middle of an answer (exit status {status})."),
        marked("Run it again; if it happens again, choose another model."),
    ),
    "server_crashed": Said(
        marked("The built-in server crashed {when} (signal {signal})."),
        marked("Choose another model, or update: {install}"),
    ),
    "server_killed": Said(
        marked("The built-in server was killed {when} (signal {signal})."),
        marked("Linux does this when memory runs out: close programs or choose a smaller model."),
    ),
    "synthetic_tools_missing": Said(
        marked("A speed-only model is made with numpy and gguf; at least one is missing."),
        marked("Install them: {install_synthetic}"),
    ),
    "synthetic_failed": Said(
        marked("The speed-only model {size} could not be made."), marked("Check the free memory and disk space.")
    ),
    "unwritable": Said(
        marked("The speed-only model {size} could not be written to {folder}."),
        marked("Free some space there, or set another cache folder."),
    ),
}
