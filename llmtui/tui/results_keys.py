"""Keys of the Results screen."""

from __future__ import annotations

from textual.binding import Binding

from llmtui.tui.widgets.tab_line import tab_names
from llmtui.words import _


def results_bindings() -> list[Binding]:
    """Return the key bindings in the footer's order; those not in the footer are listed in the help."""
    tabs = [
        Binding(
            str(number),
            f"tab('{tab}')",
            name,
            id=f"results.{tab}",
            show=False,
            tooltip=_("Show the tab {name}").format(name=name),
        )
        for number, (tab, name) in enumerate(tab_names().items(), start=1)
    ]
    evidence = _("Show the figures behind each conclusion")
    replay = _("Replay two answers at their original speed")
    copied = _("Copy the table in llama-bench's layout")
    rounds = _("Run the rounds that the open pairs are expected to need")
    flags = _("List the flagged trials and the reasons")
    return [
        Binding("escape", "back", _("Back"), id="results.back"),
        *tabs,
        Binding("e", "evidence", _("Evidence"), id="results.evidence", tooltip=evidence),
        Binding("r", "replay", _("Replay"), id="results.replay", tooltip=replay),
        Binding("space", "pick", _("Pick"), id="results.pick", tooltip=_("Pick this trial for the replay")),
        Binding("x", "export", _("Export"), id="results.export", tooltip=_("Export this table, a page or a report")),
        Binding("y", "copy", _("Copy"), id="results.copy", tooltip=copied),
        Binding(
            "question_mark",
            "explain",
            _("Columns"),
            id="results.explain",
            tooltip=_("Show each column's formula and source"),
        ),
        Binding(
            "m", "maximise", _("Enlarge"), id="results.maximise", tooltip=_("Enlarge this tab, or shrink it again")
        ),
        Binding("plus", "more_rounds", _("More rounds"), id="results.more_rounds", tooltip=rounds),
        Binding(
            "g", "run_again", _("Run again"), id="results.run_again", tooltip=_("Run the same plan in a new order")
        ),
        Binding("exclamation_mark", "flags", _("Flags"), id="results.flags", show=False, tooltip=flags),
    ]
