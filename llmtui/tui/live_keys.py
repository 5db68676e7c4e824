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
        Binding("p", "resume", _("Resume"), id="live.pause", tooltip=_("Continue the run")),
        Binding("n", "skip('trial')", _("Skip trial"), id="live.skip", tooltip=_("Leave this trial out")),
        Binding("N", "skip('model')", _("Skip model"), id="live.skip_model", tooltip=_("Leave this model out")),
        Binding("s", "stop", _("Stop"), id="live.stop", tooltip=_("End the run; finished trials are kept")),
        Binding("m", "enlarge", _("Enlarge"), id="live.enlarge", tooltip=_("Show only the focused pane")),
        Binding("m", "restore", _("Shrink"), id="live.enlarge", tooltip=_("Show all panes again")),
        Binding("plus", "one_more", _("One more round"), id="live.one_more", tooltip=_("Run one more round")),
        Binding("y", "copy", _("Copy"), id="live.copy", tooltip=_("Copy the text shown")),
        Binding("1", "enlarge('text')", _("Show only the text"), id="live.text", show=False),
        Binding("2", "enlarge('machine')", _("Show only the machine"), id="live.machine", show=False),
        Binding("3", "enlarge('trials')", _("Show only the trials"), id="live.trials", show=False),
        Binding("escape", "restore", _("Show all panes"), id="live.restore", show=False),
        Binding("g", "toggle_pane('machine')", _("Show or hide the graphs"), id="live.graphs", show=False),
        Binding("t", "toggle_pane('trials')", _("Show or hide the trials"), id="live.table", show=False),
        Binding(
            "w", "window", _("Switch the graphs between 2 minutes and the whole session"), id="live.window", show=False
        ),
    ]
