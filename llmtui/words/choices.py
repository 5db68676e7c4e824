"""Titles, purposes and bounds of options and settings as texts: for flags, fields and error messages.

The options and settings themselves, with their bounds, are defined in ``core.choices`` and ``config.settings``.
"""

from __future__ import annotations

from llmtui.core.choices import Bounds
from llmtui.words import _


def choice_title(name: str) -> str:
    """Return the title of an option's field, or the option's name if it has no title."""
    titles = {
        "num_predict": _("Answer length (num_predict)"),
        "num_ctx": _("Context (num_ctx)"),
        "temperature": _("Temperature"),
        "think": _("Thinking"),
        "twice": _("Same model twice (A/A)"),
        "full": _("Full answers (1024)"),
        "others": _("Other models in memory"),
    }
    return titles.get(name, name)


def setting_title(name: str) -> str:
    """Return a setting's title on the settings screen, or the setting's name if it has no title."""
    titles = {
        "language": _("Language"),
        "theme": _("Theme"),
        "theme_dark": _("Dark theme"),
        "theme_light": _("Light theme"),
        "bell": _("Bell"),
        "results_dir": _("Results folder"),
        "host": _("Server"),
        "servers": _("Known servers"),
        "stall_s": _("Silence limit (s)"),
        "stall_loading_s": _("Loading limit (s)"),
        "server_wait_s": _("Wait for server (s)"),
        "quiet_wait_s": _("Wait for idle CPU (s)"),
        "num_thread": _("Threads"),
    }
    return titles.get(name, name)


def setting_meaning(name: str) -> str:
    """Return one sentence that says what a setting does; empty for an unknown setting."""
    meanings = {
        "language": _("For screens, reports and prompts. Takes effect at the next start."),
        "theme": _("Colours of the screens."),
        "theme_dark": _("The dark theme that F6 switches to."),
        "theme_light": _("The light theme that F6 switches to."),
        "bell": _("Ring the terminal bell when a session ends."),
        "results_dir": _(
            "Where sessions are kept. Default: ./results, else your data folder. Takes effect at the next start."
        ),
        "host": _("The server to use at startup. Default: Ollama on this machine."),
        "servers": _("Servers that Down offers in the server field (s), separated by commas."),
        "stall_s": _("Give up a request that receives nothing for this long."),
        "stall_loading_s": _("The same, while a model is loading."),
        "server_wait_s": _("Longest wait in a run for a server that no longer answers."),
        "quiet_wait_s": _("Longest time to wait before a cold start until other programs are idle; 0: do not wait."),
        "num_thread": _("Number of threads the server computes with. Default: the server's choice."),
    }
    return meanings.get(name, "")


def purpose(name: str) -> str:
    """Return one sentence that says what an option's flag does, for its help text.

    Raises:
        KeyError: the option has no flag.
    """
    return {
        "preset": _("Set how thoroughly to measure."),
        "rounds": _("Run exactly N rounds."),
        "budget_s": _("Run as many whole rounds as fit into this time, for example 20m or 1h30m."),
        "all_prompts": _("Use every prompt of each category instead of only the first."),
        "twice": _(
            "Measure each model as if it were two (A/A), to see how much the results of one model "
            "differ on this machine."
        ),
        "seed": _("Set the seed for the order of models and prompts."),
        "think": _("Set how much models think, if they can."),
        "unload_others": _("Unload models that are not part of the run while it runs, and load them again afterwards."),
        "num_ctx": _("Set the context length in tokens."),
        "num_thread": _("Set the number of CPU threads."),
        "num_predict": _("Limit the length of an answer, in tokens."),
        "temperature": _("Set the sampling temperature."),
    }[name]


def may_be(bounds: Bounds) -> str:
    """Return the valid values of an option or setting as a noun phrase: "a whole number from 128 to 4194304"."""
    low, high = str(bounds.least), str(bounds.most)
    match bounds.kind:
        case "flag":
            return _("true or false")
        case "whole":
            return _("a whole number from {low} to {high}").format(low=low, high=high)
        case "number":
            return _("a number from {low} to {high}").format(low=low, high=high)
        case "time":
            return _("a time such as 90s, 20m or 1h30m, at most {days} days").format(
                days=round((bounds.most or 0) / 86_400)
            )
        case "one_of":
            quoted = [repr(value) for value in bounds.among]
            return _("{some} or {last}").format(some=", ".join(quoted[:-1]), last=quoted[-1])
        case "text" | "names" | "keys":
            return _texts()[bounds.name]


def refused(bounds: Bounds, given: str) -> str:
    """Return what is wrong with a value, to be put after the option's name: "must be true or false, not 1".

    Args:
        bounds: bounds of the option or setting.
        given: the invalid value, as ``BadChoice`` shows it.
    """
    return _("must be {what}, not {given}").format(what=may_be(bounds), given=given)


def _texts() -> dict[str, str]:
    return {
        "host": _("a server's address such as '127.0.0.1:11434', 'https://box.example' or 'builtin'"),
        "servers": _("addresses of servers"),
        "results_dir": _("a folder"),
        "theme": _("the name of a theme"),
        "theme_dark": _("the name of a theme"),
        "theme_light": _("the name of a theme"),
        "models": _("names of models"),
        "categories": _("ids of categories"),
        "prompt_ids": _("ids of prompts"),
        "keymap": _("keys by action id, such as pause = 'f6'"),
    }
