"""What went wrong, in the person's language.

Problems are kept in files and sent through pipes as English sentences with names and figures in them. Here a sentence
is recognised by its pattern, as evidence is; one that no pattern knows is given as it is, and so are the words of
servers and systems inside.
"""

from __future__ import annotations

from llmtui.core.columns import marked
from llmtui.core.facts import Problem
from llmtui.words.evidence import in_words_of

_PATTERNS = (
    # A server that cannot be talked to.
    marked("Nothing listens at {where}."),
    marked("{where} does not answer: no connection within {seconds} s."),
    marked("{where} takes the request but does not answer."),
    marked("What listens at {where} does not speak HTTP."),
    marked("What answers at {where} is not Ollama."),
    marked("The connection to {where} was cut."),
    marked("The answer of {where} ended in the middle of a line."),
    marked("The request to {where} failed: {why}"),
    marked("No machine is known by the name in {where}."),
    marked("No safe connection to {where}: {why}"),
    marked("{where} cannot be reached: {why}"),
    marked("{where} is busy: too many requests wait already."),
    marked("{where} refuses requests that call it by this name."),
    marked("{where} wants a sign-in for {name}."),
    marked("{where} wants a sign-in."),
    marked("{where} failed and does not say why."),
    marked("A proxy answers at {where}, but the server behind it does not (status {status})."),
    marked("The server wants an API key ({said})."),
    # A model that cannot be run.
    marked("The server at {where} has no model {name}."),
    marked("{where} has no model {name}."),
    marked("{name} does not fit into memory: {said}"),
    marked("{name} could not be loaded: {said}"),
    marked("{name} cannot think as asked: {said}"),
    marked("{name} answers no chats: it makes vectors, not text, or its file is broken."),
    marked("{name} runs elsewhere, and this server may not ask for it."),
    marked("The prompt is longer than {name}'s context."),
    marked("There is not enough memory for {name}: {said}"),
    # A test that did not end.
    marked("The server reports an error (status {status}): {said}"),
    marked("The server reports an error: {said}"),
    marked("{name} stopped in the middle of its answer: nothing came for {seconds} s."),
    marked("{name} did not begin to answer: nothing came for {seconds} s."),
    marked("There is no answer that could be followed up."),
    marked("The rest of this model was skipped."),
    # The run and its files.
    marked("The session cannot be saved in {folder}: {why}"),
    marked("The session can no longer be saved: {why}"),
    marked("The journal in {folder} cannot be read: {why}"),
    marked("{name} ends in the middle of a line, which was left out."),
    marked("Imported from {name}: machine, server and settings are not known."),
    marked("In line {lines}: tokens ÷ total time is not the recorded rate."),
    marked("In line {lines}: the first token is not before the end."),
    marked("In line {lines}: fewer than two tokens."),
    marked("Line {line} cannot be measured: {why}"),
    # What to do.
    marked("Start it with `ollama serve`, or name another address."),
    marked("Check the address, or name another address."),
    marked("Check the port, or name another address."),
    marked("Check the network, or name another address."),
    marked("Check the spelling, or name another address."),
    marked("Check that the machine is on, or name another address."),
    marked("Restart the server there, or name another address."),
    marked("Look at the server's log; it may have been stopped or crashed."),
    marked("Look at the server's log; a runner that ends by itself has often run out of memory."),
    marked("Look at the server's log; pulling the model again helps if its file is broken."),
    marked("Look at the server's log."),
    marked("Close other programs, or pick a smaller model or context."),
    marked("Get it with `ollama pull {name}`."),
    marked("Pick another model, or pull it again."),
    marked("Pick a model that runs here."),
    marked("Switch thinking off for it, or update Ollama."),
    marked("Ask for a larger context, or shorten the prompt."),
    marked("Stop the other programs that use it, or try again later."),
    marked("The server may be swapping or stuck: look at its log and at the machine's memory."),
    marked("Choose another folder with --results or in the settings."),
    marked("Make room on the disk and start the run again; what was saved until now is kept."),
)


def problem_words(sentence: str) -> str:
    """Gives what went wrong, or what to do about it, in the person's language."""
    return in_words_of(_PATTERNS, sentence) or sentence


def whole_problem(problem: Problem) -> str:
    """Gives what went wrong and, where there is one, the remedy behind it."""
    return " ".join(problem_words(part) for part in (problem.what, problem.remedy) if part)
