"""What each command does, for its help text."""

from __future__ import annotations

from typing import Final

from llmtui.words import marked

RUN: Final = marked(
    "Measure models without screens. Print a table, verdicts and the saved paths on stdout, progress on stderr.\n\n"
    "Exit codes: 0 all trials completed, 1 internal error, 2 wrong usage, 3 some trials failed, 4 no server answers, "
    "130 interrupted."
)
WATCH: Final = marked("Watch a saved or a running session, without changing it.")
SELFTEST: Final = marked(
    "Check on this machine that llmtui measures correctly and that drawing the screens does not slow a model down. "
    "Takes less than a minute.\n\nExit codes: 0 all figures are within bounds, 1 some are not."
)
REPORT: Final = marked(
    "Write saved sessions as CSV, JSON, Markdown, HTML or tables for other tools. Several "
    "formats can be written at once; `-` means stdout. Without a format, print the table and "
    "the verdicts, as after a run.\n\n"
    "A session may still be running. Exit codes: 0 written, 2 no such session, or a file "
    "cannot be written."
)
COMPARE: Final = marked(
    "Compare saved sessions figure by figure: before, after, ratio and 95 % interval.\n\n"
    "Exit codes: 0 compared, 2 wrong usage, 5 a limit is broken, 6 undecided whether a limit "
    "is broken (with --strict)."
)
TREND: Final = marked(
    "Show one figure over all sessions of the same plan (models, prompts and options), with "
    "intervals, and what changed between the sessions."
)
BASELINE: Final = marked("Manage baselines: named sessions that others are compared with.")
BASELINE_SET: Final = marked(
    "Name a session in the results folder as a baseline. If the name exists, it moves to this session."
)
BASELINE_LIST: Final = marked("Print each baseline with its session.")
BASELINE_REMOVE: Final = marked("Remove a baseline; its session stays.")
IMPORT: Final = marked(
    "Import results that another program measured, and check which conclusions they support.\n\n"
    "Exit codes: 0 imported, 2 the file cannot be used."
)
