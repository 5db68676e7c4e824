"""Keys of the Results screen."""

from __future__ import annotations

from textual.binding import Binding

from llmtui.tui.widgets.tab_line import tab_names
from llmtui.words import _


def results_bindings() -> list[Binding]:
    """Return the key bindings in the footer's order; those not in the footer are listed in the help."""
    tabs = [
        Binding(str(number), f"tab('{tab}')", name, id=f"results.{tab}", show=False)
        for number, (tab, name) in enumerate(tab_names().items(), start=1)
    ]
    evidence = _("The figures behind each of the first lines")
    replay = _("Two answers at their original speed")
    copied = _("The table that people paste (llama-bench)")
    rounds = _("As many as are expected to settle the open pairs")
    flags = _("Marked trials, and the reasons")
    return [
        Binding("escape", "back", _("Back"), id="results.back"),
        *tabs,
        Binding("e", "evidence", _("Evidence"), id="results.evidence", tooltip=evidence),
        Binding("r", "replay", _("Replay"), id="results.replay", tooltip=replay),
        Binding("space", "pick", _("Pick"), id="results.pick", tooltip=_("Pick this trial for the replay")),
        Binding("x", "export", _("Export"), id="results.export", tooltip=_("This table, a page, a report …")),
        Binding("y", "copy", _("Copy"), id="results.copy", tooltip=copied),
        Binding("question_mark", "explain", _("Columns"), id="results.explain", tooltip=_("Formula and source")),
        Binding("m", "maximise", _("Enlarge"), id="results.maximise", tooltip=_("Only the tab, or all")),
        Binding("plus", "more_rounds", _("More rounds"), id="results.more_rounds", tooltip=rounds),
        Binding("g", "again", _("Run again"), id="results.again", tooltip=_("The same plan, in another order")),
        Binding("exclamation_mark", "flags", _("Flags"), id="results.flags", show=False, tooltip=flags),
    ]
