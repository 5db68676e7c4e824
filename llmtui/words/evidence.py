"""The evidence for a trial's flags as text: one template per evidence code.

To add evidence, add its code to ``core/codes.py`` and an entry here. The templates work like those in
``llmtui.words.problems`` but have no full stop, because the text is put in brackets after the flag's sentence.
"""

from __future__ import annotations

from typing import Final

from llmtui.core.codes import EvidenceCode
from llmtui.core.records import FlagEvidence
from llmtui.words import marked
from llmtui.words.problems import filled
from llmtui.words.problems.said import Text, counted

EVIDENCE: Final[dict[EvidenceCode, Text]] = {
    "short_output": counted(
        "{tokens} token; at least {least} are needed to compare speed",
        "{tokens} tokens; at least {least} are needed to compare speed",
        "tokens",
    ),
    "thinking_inline": marked("the model writes its thinking into the answer"),
    "spilled": marked("{percent:.0f} % of the model is in the GPU's memory"),
    "clocks_disagree": marked("the server's time differs by {percent:+.1f} % from the time measured here: {side}"),
    "clocks_at_once": marked(
        "the server reports a decode time of {ms:.0f} ms, but the text arrived all at once: {side}"
    ),
    "clocks_unrelated": marked("the server's timestamps do not match the time of the request"),
    "cap_ignored": marked("{tokens} tokens arrived, {cap} were allowed"),
    "queued": marked("{ms:.0f} ms are not explained by any of the server's times: another client was served first"),
    "prompt_cut": marked("the server counted {tokens} tokens for a prompt of {chars} characters"),
    "swapped": marked("{mib:.0f} MB was read back from swap"),
    "stalled_output": marked("no text arrived for {s:.1f} s"),
    "cached_tokens": marked(
        "{cached} prompt tokens came from the prompt cache; the model's lowest count in this session is {least}"
    ),
    "cached_rate": marked("the prompt was processed {factor:.1f} times as fast as in the other rounds"),
    "throttled": counted(
        "the CPU was throttled {times} time, and each token took {percent:.0f} % longer",
        "the CPU was throttled {times} times, and each token took {percent:.0f} % longer",
        "times",
    ),
    "outlier": marked("{percent:+.1f} % from the median of its rounds; {usual:.1f} % is usual"),
    "reload_not_in_memory": marked("the model was not in the server's memory just before"),
    "reload_context": marked("its context length just before was {had}, not {wanted}"),
    "reload_process": marked("its process id changed from {old} to {new}"),
    "reload_time": marked("loading took {ms:.0f} ms; the fastest load in a cold start took {least:.0f} ms"),
    "other_models": marked("also in memory: {names}"),
    "busy": marked("other programs kept {others:.1f} of {cores} cores busy during the trial"),
    "busy_machine": marked("other programs were busy during {busy} of {warm} trials"),
    "superseded": marked("by trial {by}"),
    "noisy_start": marked("other programs kept {others:.1f} of {cores} cores busy just before"),
    "more_tokens_than_text": marked("{tokens} tokens were counted, but only {chars} characters arrived"),
    "unseen_thinking": marked("{tokens} thinking tokens were counted, but no thinking arrived"),
    "unseen_start": marked("{tokens} tokens were generated before the first text arrived"),
    "loading_text": marked("the server sent a message that it was loading the model"),
    "text_replaced": marked("the text had bytes that are not valid Unicode; they were replaced"),
    "text_repeated": marked("chunks repeated the text before them"),
    "compressed": marked("the server compressed its answer"),
    "all_at_once": marked("the server sent its answer all at once"),
    "unknown_field": marked("text arrived in an unknown field, “{field}”"),
    "only_silent_chunks": marked("{n} chunks arrived, none with text in a known field"),
    "silent_chunks": marked("{n} chunks without text arrived before the first text, as fast as the text itself"),
}


def evidence_text(seen: FlagEvidence) -> str:
    """Return the evidence for a flag as text without a full stop.

    Files of schema 1 have a sentence instead of a code; it is returned unchanged. An unknown code is returned with its
    arguments.
    """
    if isinstance(seen, str):
        return seen
    text = EVIDENCE.get(seen.code)
    said = None if text is None else filled(text, seen.args)
    return str(seen) if said is None else said
