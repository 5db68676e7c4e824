"""What was seen that earns a flag, in the person's language: one template per evidence code.

To add one: its code in ``core/codes.py`` and an entry here. Templates are as in ``llmtui.words.problems``, without a
full stop: the text is put in brackets behind the flag's sentence.
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
        "{tokens} token; speed is compared from {least}", "{tokens} tokens; speed is compared from {least}", "tokens"
    ),
    "thinking_inline": marked("the model writes its thinking into the answer"),
    "spilled": marked("{percent:.0f} % of the model is in the GPU's memory"),
    "clocks_disagree": marked("the server counts {percent:+.1f} % of the time measured here: {side}"),
    "clocks_at_once": marked("the server counts {ms:.0f} ms of writing, and it all arrived at one moment: {side}"),
    "clocks_unrelated": marked("the server's times and ours do not belong together"),
    "cap_ignored": marked("{tokens} tokens came, and {cap} were allowed"),
    "queued": marked("{ms:.0f} ms went by that no counter explains: another client was served first"),
    "prompt_cut": marked("{tokens} tokens arrived of a prompt of {chars} characters"),
    "swapped": marked("{mib:.0f} MB were read back from swap"),
    "stalled_output": marked("no text arrived for {s:.1f} s"),
    "cached_tokens": marked("{cached} tokens of the prompt came from the server's memory; its least is {least}"),
    "cached_rate": marked("the prompt was read {factor:.1f} times as fast as in the other rounds"),
    "throttled": counted(
        "the processor was slowed down {times} time, and each token took {percent:.0f} % longer",
        "the processor was slowed down {times} times, and each token took {percent:.0f} % longer",
        "times",
    ),
    "outlier": marked("{percent:+.1f} % off the median of its rounds, where {usual:.1f} % is usual"),
    "reload_not_in_memory": marked("the model was not in the server's memory just before"),
    "reload_context": marked("its context length just before was {had}, not {wanted}"),
    "reload_process": marked("its process changed from {old} to {new}"),
    "reload_time": marked("loading took {ms:.0f} ms; its shortest cold start took {least:.0f} ms to load"),
    "other_models": marked("in memory too: {names}"),
    "busy": marked("other programs kept {others:.1f} of {cores} cores busy meanwhile"),
    "busy_machine": marked("other programs were busy during {busy} of {warm} trials"),
    "superseded": marked("by trial {by}"),
    "noisy_start": marked("other programs kept {others:.1f} of {cores} cores busy just before"),
    "more_tokens_than_text": marked("{tokens} tokens were counted, and {chars} characters came"),
    "unseen_thinking": marked("{tokens} tokens of thinking were counted, and none of it came"),
    "unseen_start": marked("{tokens} tokens were made before the first text came"),
    "loading_text": marked("the server wrote that it loads the model"),
    "text_replaced": marked("characters that are not Unicode were in the text and were replaced"),
    "compressed": marked("the server compressed its answer"),
    "all_at_once": marked("the server sent its answer all at once"),
    "unknown_field": marked("text came in a field that is not known, “{field}”"),
    "only_silent_chunks": marked("{n} chunks came, and none had text in a field that is known"),
    "silent_chunks": marked("{n} chunks without text came before the first text, at the pace of the text"),
}


def evidence_text(seen: FlagEvidence) -> str:
    """Return the evidence as a clause; schema 1's sentence as it is, a newer version's code with its arguments."""
    if isinstance(seen, str):
        return seen
    text = EVIDENCE.get(seen.code)
    said = None if text is None else filled(text, seen.args)
    return str(seen) if said is None else said
