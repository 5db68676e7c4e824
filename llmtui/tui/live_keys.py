"""Keys of the Live screen."""

from __future__ import annotations

from textual.binding import Binding

from llmtui.words import _


def live_bindings() -> list[Binding]:
    """Return the key bindings in the footer's order; those not in the footer are listed in the help."""
    return [
        Binding("enter", "results", _("Results"), id="live.results", tooltip=_("Compare the results")),
        Binding("space", "start_now", _("Start now"), id="live.start_now", tooltip=_("Do not wait for other programs")),
        Binding("p", "pause", _("Pause"), id="live.pause", tooltip=_("Pause after this trial")),
        Binding("p", "resume", _("Resume"), id="live.pause", tooltip=_("Keep running")),
        Binding("n", "skip('trial')", _("Skip trial"), id="live.skip", tooltip=_("Leave this trial out")),
        Binding("N", "skip('model')", _("Skip model"), id="live.skip_model", tooltip=_("Leave this model out")),
        Binding("s", "stop", _("Stop"), id="live.stop", tooltip=_("End the run; what is finished is kept")),
        Binding("m", "enlarge", _("Enlarge"), id="live.enlarge", tooltip=_("Only the pane that has the focus")),
        Binding("m", "restore", _("Shrink"), id="live.enlarge", tooltip=_("All panes again")),
        Binding("plus", "one_more", _("One more round"), id="live.one_more"),
        Binding("y", "copy", _("Copy"), id="live.copy", tooltip=_("Copy the text on show")),
        Binding("1", "enlarge('text')", _("Only the text"), id="live.text", show=False),
        Binding("2", "enlarge('machine')", _("Only the machine"), id="live.machine", show=False),
        Binding("3", "enlarge('trials')", _("Only the trials"), id="live.trials", show=False),
        Binding("escape", "restore", _("All panes"), id="live.restore", show=False),
        Binding("g", "toggle_pane('machine')", _("Show or hide the graphs"), id="live.graphs", show=False),
        Binding("t", "toggle_pane('trials')", _("Show or hide the trials"), id="live.table", show=False),
        Binding("w", "window", _("Graphs: 2 minutes, or all"), id="live.window", show=False),
    ]
