"""Sentences for problems with a run: commands, the run itself, sessions on disk and in pipes, imported files."""

from __future__ import annotations

from typing import Final

from llmtui.core.codes import RunProblem
from llmtui.words import marked
from llmtui.words.problems.said import Said, counted

_REPORT = marked("The log has the details; please report it.")
_WAIT_OR_CANCEL = marked("Wait until it ends, or cancel it.")
_PICK = marked("Pick one and start again.")
_RUN_AGAIN = marked("Run the same plan again with g.")
_OTHER_FOLDER = marked("Choose another folder with --results or in the settings.")
_ROW_KEPT = marked("The row is kept but not counted. Correct the file and import it again to count it.")
_NEWER = marked("They come from a newer llmtui; use that version to see them.")

RUN_PROBLEMS: Final[dict[RunProblem, Said]] = {
    "events_empty": Said(
        marked("{where} is empty: there is nothing to watch yet."),
        marked("Wait until a run has started writing to it."),
    ),
    "events_utf16": Said(
        marked("{where} is UTF-16 text, as PowerShell's > writes it, and events are UTF-8."),
        marked("Write them with Set-Content -Encoding utf8, or open the session's own events.jsonl."),
    ),
    "events_compressed": Said(marked("{where} is compressed."), marked("Unpack it, and watch the events.jsonl in it.")),
    "not_events": Said(
        marked("{where} holds no session events."), marked("Give an events.jsonl, or a session's folder.")
    ),
    "run_under_way": Said(
        marked("A run is in progress; anything else would disturb its figures."),
        marked("Cancel the run or wait until it ends."),
    ),
    "pull_under_way": Said(marked("Another download is in progress."), _WAIT_OR_CANCEL),
    "pull_disturbs": Said(marked("A download is in progress; it would disturb the figures."), _WAIT_OR_CANCEL),
    "no_run": Said(marked("No run is in progress.")),
    "nothing_to_extend": Said(
        marked("There is no finished run to add rounds to."),
        marked("A stopped run can be repeated as a whole with g."),
    ),
    "bad_command": Said(marked("llmtui received an internal command that it cannot read."), _REPORT),
    "bad_rounds": Said(marked("{n} more rounds are not possible."), marked("Ask for one or more.")),
    "no_server": Said(marked("No server has been chosen yet."), marked("Choose one in Setup.")),
    "internal": Said(marked("llmtui has an internal error."), _REPORT),
    "no_model_picked": Said(marked("No model is picked."), _PICK),
    "no_prompt_picked": Said(marked("No prompt is picked."), _PICK),
    "no_prompt_text": Said(marked("There is no prompt yet."), marked("Type a prompt.")),
    "no_plan_of_import": Said(marked("An imported file cannot be run again.")),
    "none_of_its_models": Said(
        marked("This server has none of the models of that run."), marked("Choose the server it ran on.")
    ),
    "unknown_backend": Said(marked("{name} needs a server of the unknown kind {kind}."), marked("Pick another model.")),
    "server_changed": Said(
        marked(
            "The server was {then} when the session began and is {now} now. Rounds from different servers are "
            "not combined."
        ),
        _RUN_AGAIN,
    ),
    "model_rebuilt": Said(marked("The build of {name} has changed since the session began.")),
    "model_left": Said(marked("The server no longer has {name}.")),
    "llmtui_changed": Said(marked("The session began with llmtui {then}; this is {now}.")),
    "resume_changed": Said(marked("The rest of the session would be measured under other conditions."), _RUN_AGAIN),
    "nothing_left": Said(marked("Nothing is left to run in {folder}: every planned trial has a result.")),
    "cancelled": Said(marked("The run was cancelled before it began.")),
    "results_unwritable": Said(marked("The session cannot be saved in {folder}."), _OTHER_FOLDER),
    "results_in_use": Said(
        marked("Another llmtui (process {pid}) is writing the session in {folder}."),
        marked("Wait until its run is over, or open the session with `llmtui watch`."),
    ),
    "skipped": Said(marked("This model's other trials were skipped.")),
    "no_answer_before": Said(marked("There is no answer to follow up on.")),
    "stalled": Said(
        marked("{name} stopped in the middle of its answer: no data for {seconds:g} s."),
        marked("The server may be swapping or stuck: look at its log and at the machine's memory."),
    ),
    "never_began": Said(
        marked("{name} did not start to answer: no data for {seconds:g} s."),
        marked("The server may be swapping or stuck: look at its log and at the machine's memory."),
    ),
    "not_loaded_again": Said(
        marked("In memory before the run, but not loaded again afterwards because time ran out: {names}."),
    ),
    "not_unloaded": Said(
        marked("{seconds:g} s after the unload request, the server still lists {names}."),
        marked("Another program may be using it. Stop that program and run again."),
    ),
    "older_build": Said(
        marked("The server still has an older build of {name} in memory, and llmtui cannot unload it."),
        marked("The server unloads it when its keep-alive time ends, or when the server restarts."),
    ),
    "process_left": Said(marked("{names} is no longer in the server's list, but its process is still running.")),
    "server_waited_for": Said(
        marked("llmtui waits for it, up to {seconds:g} s."), marked("Start the server again: the run then continues.")
    ),
    "server_back": Said(marked("The server answers again, after {seconds:g} s. The run continues.")),
    "gave_up": Said(
        counted(
            "It was tried {tries} time; the remaining trials are skipped.",
            "It was tried {tries} times; the remaining trials are skipped.",
            "tries",
        )
    ),
    "disk": Said(
        marked("Measurements from now on cannot be written to disk."),
        marked("Make room there: measuring continues, and the rest is written after the next trial that ends."),
    ),
    "disk_again": Said(marked("Everything measured so far is on the disk now.")),
    "sampler_failed": Said(marked("Reading the machine's sensors failed. The plots stop here."), _REPORT),
    "task_failed": Said(
        marked("Failed: {task}."), marked("Please report it; the details are printed when llmtui ends.")
    ),
    "task_refused": Said(marked("Failed: {task} ({path})."), marked("Check the path and its permissions.")),
    "bad_journal": Said(marked("The journal in {folder} cannot be read."), marked("Check the file's permissions.")),
    "not_a_session": Said(marked("The journal in {folder} does not begin with the start of a session.")),
    "unknown_event": Said(
        counted(
            "{file}: {n} line of the unknown kind {tag} was skipped.",
            "{file}: {n} lines of the unknown kind {tag} were skipped.",
            "n",
        ),
        _NEWER,
    ),
    "bad_lines": Said(
        counted(
            "{file}: {n} line cannot be read and was skipped.",
            "{file}: {n} lines cannot be read and were skipped.",
            "n",
        )
    ),
    "newer_schema": Said(
        marked("This session was written by a newer llmtui (format {schema})."),
        marked("Parts of it may be missing here. Open it with that version to see everything."),
    ),
    "torn_line": Said(marked("{file} ends in the middle of a line; that line was skipped.")),
    "unknown_line": Said(
        marked("A line of {where} could not be read and was skipped."),
        marked("It may come from a newer llmtui. Further lines like this are skipped without a message."),
    ),
    "link_lost": Said("", marked("Press ctrl+r to start again.")),
    "engine_not_started": Said(marked("The measuring process cannot be started.")),
    "engine_not_running": Said(marked("The measuring process is not running."), marked("Press ctrl+r to start it.")),
    "engine_gone": Said(marked("The measuring process has ended; finished trials are saved.")),
    "engine_ended": Said(marked("The measuring process ended with code {status}; finished trials are saved.")),
    "engine_killed": Said(marked("The measuring process was killed by {signal}; finished trials are saved.")),
    "file_unreadable": Said(marked("{file} cannot be read."), marked("Check the path and its permissions.")),
    "pipe_unreadable": Said(marked("The pipe cannot be read.")),
    "spool_unwritable": Said(
        marked("The events from the pipe cannot be saved in {file}."), marked("Free disk space there and start again.")
    ),
    "no_such_session": Said(marked("There is no session {session} in {folder}.")),
    "read_only_session": Said(marked("This session has ended: it can be viewed, not changed.")),
    "read_only_pipe": Said(marked("This run belongs to another process: it can be watched here, not controlled.")),
    "imported": Said(marked("Imported from {file}: machine, server and settings are unknown.")),
    "bad_row": Said(
        marked("Line {line} cannot be used: its first token is not before its end."),
        _ROW_KEPT,
    ),
    "bad_row_below_zero": Said(
        marked("Line {line} cannot be used: a time is below zero."),
        _ROW_KEPT,
    ),
    "bad_row_cells": Said(
        marked("Line {line} cannot be used: {cells} is not a number."),
        _ROW_KEPT,
    ),
    "bad_row_failed": Said(marked("Line {line} cannot be used: its request failed."), _ROW_KEPT),
    "prompt_and_text_mixed": Said(
        counted(
            "Left out: {n} result that mixes prompt processing with writing.",
            "Left out: {n} results that mix prompt processing with writing.",
            "n",
        )
    ),
    "stale_lines": Said(
        counted(
            "Left out: {n} line at the end, which an older run left in the file.",
            "Left out: {n} lines at the end, which an older run left in the file.",
            "n",
        )
    ),
    "chunk_times": Said(
        counted(
            "Left out: chunk gaps of {n} request that do not cover its answer.",
            "Left out: chunk gaps of {n} requests that do not cover their answers.",
            "n",
        )
    ),
    "throughput": Said(
        counted(
            "Left out: {n} load level; throughput under load is not the speed for one user.",
            "Left out: {n} load levels; throughput under load is not the speed for one user.",
            "n",
        )
    ),
    "incomplete_requests": Said(
        counted(
            "Left out: {n} request that the end of the benchmark cut off.",
            "Left out: {n} requests that the end of the benchmark cut off.",
            "n",
        )
    ),
    "own_scores": Said(
        counted(
            "Left out: {n} score that the program computes from figures or answers.",
            "Left out: {n} scores that the program computes from figures or answers.",
            "n",
        )
    ),
    "bad_row_empty": Said(
        marked("Line {line} cannot be used: it has no tokens or no time."),
        _ROW_KEPT,
    ),
    "usual_off": Said(marked("In line {lines}: tokens ÷ total time is not the recorded rate.")),
    "ttft_not_below_total": Said(marked("In line {lines}: the first token is not before the end.")),
    "tokens_below_2": Said(marked("In line {lines}: fewer than two tokens.")),
}
