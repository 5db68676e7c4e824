"""Resuming of interrupted sessions on the History screen: a question, the session's server, and what has changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType

from llmtui.core.commands import ResumeSession, SetServer
from llmtui.core.events import CommandFailed, ModelsListed, ServerChanged, SessionOpened
from llmtui.link import LinkLost
from llmtui.tui.background import in_background
from llmtui.tui.feed import Replied
from llmtui.tui.host import SessionEntry
from llmtui.tui.screens.base import BaseScreen
from llmtui.tui.screens.dialogs import ConfirmDialog
from llmtui.words import _
from llmtui.words.problems import problem_what, whole_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llmtui.core.commands import Command
    from llmtui.core.records import Problem


class ResumeDialog(ConfirmDialog):
    """Ask whether to run the rest of a session: True for yes, False to open its results, None after Escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", _("Back"), show=False, id="back")]

    def __init__(self, title: str) -> None:
        """Create the dialog.

        Args:
            title: title of the session.
        """
        words = _("The run ended early. Run its remaining trials now? They are added to this session.")
        super().__init__(title, words, yes=_("Run the rest"), no=_("Open results"), is_harmless=True)

    def action_give_up(self) -> None:
        """Close the dialog without an answer."""
        self.dismiss(None)


class ResumingScreen(BaseScreen):
    """A screen that can resume sessions. If the user leaves it before the engine has begun, nothing is resumed."""

    _resuming: ResumeSession | None = None
    """The command that waits for the session's server, or was sent to the engine; None if nothing is being resumed."""

    def can_resume(self, entry: SessionEntry) -> bool:
        """Return whether a session seems to have trials left that could be run now."""
        is_cut_off = entry.finished != "complete" and not entry.running
        return is_cut_off and not (self.shell.read_only or self.shell.running or self.shell.feed.ended)

    def ask_to_resume(self, entry: SessionEntry, title: str, show_results: Callable[[], object]) -> None:
        """Ask whether to run the rest of an interrupted session.

        Args:
            entry: the session.
            title: its title.
            show_results: called if the user wants to see its results instead.
        """

        def answered(rest: bool | None) -> None:
            if rest:
                self._resume(entry.session_id)
            elif rest is not None:
                show_results()

        self.app.push_screen(ResumeDialog(title), answered)

    @in_background("open_session")
    def _resume(self, session_id: str) -> None:
        try:
            commands = self.shell.host.resume(session_id)
        except LinkLost as error:
            self.app.call_from_thread(self._not_resumed, error.problem)
        else:
            self.app.call_from_thread(self._send, commands)

    def _send(self, commands: Sequence[Command]) -> None:
        """Choose the session's server; the command to resume is sent when that server has listed its models."""
        for command in commands:
            if isinstance(command, SetServer):
                self.shell.send(self.shell.connection.choose(command))
            elif isinstance(command, ResumeSession):
                self._resuming = command

    @on(Replied)
    def _engine_replied(self, message: Replied) -> None:
        if self._resuming is None or message.feed is not self.shell.feed:
            return
        match message.reply:
            case ModelsListed():
                self.shell.send(self._resuming)
            case ServerChanged(problem=problem) if problem is not None:
                self._not_resumed(problem)
            case SessionOpened():
                self._resuming = None
                self.shell.show("live")
            case CommandFailed(command="ResumeSession", problem=problem) if problem.code == "resume_changed":
                self._ask_about_changes(problem, self._resuming)
            case CommandFailed(problem=problem):
                self._not_resumed(problem)
            case _:
                pass

    def _ask_about_changes(self, changes: Problem, command: ResumeSession) -> None:
        """Show what has changed since the session began, and run the rest if the user agrees."""
        self._resuming = None
        accepted = ResumeSession(folder=command.folder, ui_pid=command.ui_pid, accept_changes=True)
        dialog = ConfirmDialog(
            _("Resume under other conditions?"), problem_what(changes), yes=_("Resume"), no=_("Leave it")
        )
        self.app.push_screen(dialog, partial(self._accepted, accepted))

    def _accepted(self, command: ResumeSession, yes: bool | None) -> None:
        if yes and self.shell.send(command):
            self._resuming = command

    def _not_resumed(self, problem: Problem) -> None:
        self._resuming = None
        self.notify(whole_problem(problem), title=_("Not resumed"), severity="error", timeout=10)
