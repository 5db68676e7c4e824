"""All codes of problems and evidence. Their sentences are in ``llmtui.words.problems`` and ``llmtui.words.evidence``.

To add a problem, add its code to one of the sets here, and its sentence to the table for that set in
``llmtui/words/problems/``. Journals store codes, so the meaning of a code never changes.
"""

from __future__ import annotations

from typing import Final, Literal

Start = Literal["ollama", "ollama_elsewhere", "server"]
"""Values of a problem's argument ``start``: the kind of server, which determines the advice on starting it."""
When = Literal["importing", "loading", "answering"]
"""Values of a problem's argument ``when``: the activity of the built-in server when its process ended."""
Fault = Literal[
    "entries", "strings", "name_length", "value_type", "array_type", "alignment", "dimensions", "tensor_size"
]
"""Values of a problem's argument ``fault``: the kind of damage in a GGUF file."""

Cost = Literal["no_count", "no_first_count", "no_repeat", "any_length", "own_thinking", "may_reuse", "stays_loaded"]
"""Values of a problem's argument ``cost``: the consequence if a server refuses a field of the request."""
Task = Literal[
    "follow", "last_plan", "save_settings", "open_session", "list_sessions", "read_answers", "export", "earlier",
    "past_speeds", "plots", "change_session",
]  # fmt: skip
"""Values of a problem's argument ``task``: background work of the screens."""
Side = Literal["ours", "server", "unknown"]
"""Values of an argument ``side``: which clock is wrong, this program's or the server's."""

ServerProblem = Literal[
    # address and connection
    "bad_address",
    "bad_port",
    "bad_scheme",
    "no_host",
    "refused",
    "no_connection",
    "silent",
    "unknown_host",
    "unreachable",
    "tls",
    "certificate_untrusted",
    "certificates_unusable",
    "system_certificates_unusable",
    "https_wanted",
    "http_wanted",
    "cut",
    "cut_line",
    "cut_chunk",
    "not_http",
    "http",
    "redirect",
    "redirect_unnamed",
    "redirected",
    "proxy",
    "proxy_absent",
    "proxy_refused",
    "proxy_unusable",
    "proxy_kind",
    "proxy_needs_socksio",
    # server answers
    "not_ollama",
    "not_openai",
    "no_such_path",
    "no_model_server",
    "web_page",
    "bad_answer",
    "bad_chunk",
    "odd_end",
    "no_body",
    "server_out_of_memory",
    "bad_status",
    "failed_silently",
    "server_error",
    "error_status",
    "failed_midway",
    "failed_http",
    "sign_in",
    "sign_in_model",
    "needs_key",
    "needs_login",
    "key_refused",
    "key_wanted",
    "field_replaced",
    "field_taken_back",
    "field_taken_back_cost",
    "forbidden",
    "forbidden_host",
    "busy",
    "rate_limited",
    "loading",
    # unsupported by the server
    "no_cold_start",
    "cannot_unload",
    "cannot_load",
    "cannot_pull",
    "builtin_pulls_not",
    # downloads
    "not_in_library",
    "server_too_old",
    "disk_full",
    "registry_unreachable",
    "pull_failed",
    "pull_cut",
    "pull_cancelled",
]
ModelProblem = Literal[
    # models that a server cannot run
    "no_such_model",
    "model_not_there",
    "not_served",
    "not_known",
    "no_models",
    "bad_name",
    "no_thinking",
    "embedding_only",
    "makes_embeddings",
    "makes_pictures",
    "ranks_texts",
    "is_speech",
    "answers_no_chats",
    "no_chats",
    "cloud",
    "cloud_speed",
    "out_of_memory",
    "load_failed",
    "load_failed_before",
    "prompt_too_long",
    "prompt_over_context",
    "repeats",
    # model files
    "no_file",
    "is_folder",
    "not_a_file",
    "unreadable",
    "not_gguf",
    "gguf_version",
    "gguf_big_endian",
    "truncated",
    "damaged",
    "adapter",
    "later_part",
    "unknown_architecture",
    "file_load_failed",
    # the built-in server
    "builtin_missing",
    "builtin_broken",
    "builtin_unreachable",
    "libgomp_missing",
    "vc_runtime_missing",
    "cpu_too_old",
    "child_failed",
    "child_not_started",
    "server_died",
    "server_crashed",
    "server_killed",
    "synthetic_tools_missing",
    "synthetic_failed",
    "unwritable",
]
RunProblem = Literal[
    # machine readings
    "events_empty",
    "events_utf16",
    "events_compressed",
    "not_events",
    # engine commands
    "run_under_way",
    "pull_under_way",
    "pull_disturbs",
    "no_run",
    "nothing_to_extend",
    "bad_command",
    "bad_rounds",
    "no_server",
    "internal",
    "no_model_picked",
    "no_prompt_picked",
    "no_prompt_text",
    "no_plan_of_import",
    "none_of_its_models",
    "unknown_backend",
    "server_changed",
    "model_rebuilt",
    "model_left",
    "llmtui_changed",
    "resume_changed",
    "nothing_left",
    "cancelled",
    "results_unwritable",
    "results_in_use",
    # during a run
    "skipped",
    "no_answer_before",
    "stalled",
    "never_began",
    "not_loaded_again",
    "not_unloaded",
    "older_build",
    "process_left",
    "gave_up",
    "server_waited_for",
    "server_back",
    "disk",
    "disk_again",
    "sampler_failed",
    "task_failed",
    "task_refused",
    # sessions on disk and in pipes
    "bad_journal",
    "not_a_session",
    "newer_schema",
    "unknown_event",
    "bad_lines",
    "torn_line",
    "unknown_line",
    "link_lost",
    "engine_not_started",
    "engine_not_running",
    "engine_gone",
    "engine_ended",
    "engine_killed",
    "file_unreadable",
    "pipe_unreadable",
    "spool_unwritable",
    "no_such_session",
    "read_only_session",
    "read_only_pipe",
    # imported files
    "imported",
    "bad_row",
    "bad_row_cells",
    "bad_row_below_zero",
    "bad_row_empty",
    "bad_row_failed",
    "prompt_and_text_mixed",
    "stale_lines",
    "chunk_times",
    "throughput",
    "incomplete_requests",
    "own_scores",
    "usual_off",
    "ttft_not_below_total",
    "tokens_below_2",
]
ProblemCode = Literal[ServerProblem, ModelProblem, RunProblem]

UNSUPPORTED: Final[frozenset[ProblemCode]] = frozenset(
    {"no_cold_start", "cannot_unload", "cannot_load", "cannot_pull", "builtin_pulls_not"}
)
"""Problems of a server that works, but does not support the request."""
NOT_LOADABLE: Final[frozenset[ProblemCode]] = frozenset(
    {"out_of_memory", "load_failed", "file_load_failed", "unknown_architecture"}
)
"""Problems of a model that cannot be loaded. Another attempt in the same session would take as long and fail too."""
GONE: Final[frozenset[ProblemCode]] = frozenset(
    {"refused", "no_connection", "silent", "unreachable", "unknown_host", "cut", "cut_line", "cut_chunk"}
)
"""Problems of a connection that could not be made or was lost."""

EvidenceCode = Literal[
    "short_output",
    "thinking_inline",
    "spilled",
    "clocks_disagree",
    "clocks_at_once",
    "clocks_unrelated",
    "cap_ignored",
    "queued",
    "prompt_cut",
    "swapped",
    "stalled_output",
    "cached_tokens",
    "cached_rate",
    "throttled",
    "outlier",
    "reload_not_in_memory",
    "reload_context",
    "reload_process",
    "reload_time",
    "other_models",
    "busy",
    "busy_machine",
    "superseded",
    "noisy_start",
    "text_replaced",
    "text_repeated",
    "compressed",
    "all_at_once",
    "unknown_field",
    "silent_chunks",
    "only_silent_chunks",
    "more_tokens_than_text",
    "unseen_thinking",
    "unseen_start",
    "loading_text",
]
"""Codes of the evidence for flags. A flag with several possible causes has several codes."""
