"""The Textual app: modes, global keys, the events of the engine, and a clean shutdown.

Nothing here waits for a server, a file or a process before the first paint: a worker starts the engine afterwards, and
a mode's screen is imported when it is first shown.
"""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Callable, Iterable, Sequence
from threading import Thread
from traceback import format_exception
from typing import Any, ClassVar, Literal

import msgspec
from textual import on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme

from llmtui.config import Settings, SettingsError
from llmtui.core.commands import Command, StartPlan
from llmtui.core.events import EngineReady, Reply, ServerChanged
from llmtui.core.plan import Plan
from llmtui.core.session import Session
from llmtui.link import Link, LinkLost, ReadOnly
from llmtui.tui import terminal
from llmtui.tui._textual_hacks import write_sequence
from llmtui.tui.background import BackgroundFailed, in_background
from llmtui.tui.connection import ServerConnection
from llmtui.tui.contrast import ContrastFilter
from llmtui.tui.feed import Feed, FeedEnded, FeedMessage, Replied, SessionChanged, ShowDue
from llmtui.tui.host import BadAddress, ExitReport, Host
from llmtui.tui.keys import app_bindings, apply_keymap
from llmtui.tui.modes import SCREENS
from llmtui.tui.palette import palette_commands
from llmtui.tui.screens.start import StartScreen
from llmtui.tui.shell import Mode
from llmtui.tui.themes import DARK, HIGH_CONTRAST, LIGHT, OWN
from llmtui.words import _
from llmtui.words.problems import whole_problem
from llmtui.words.settings import settings_words


class LlmtuiApp(App[ExitReport]):
    """The app: all screens, fed by the events of one engine."""

    TITLE = "llmtui"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = SCREENS
    DEFAULT_MODE = "start"
    FIRST_MODE: ClassVar[Mode] = "setup"
    """The mode (main screen) that follows the first frame."""
    BINDINGS: ClassVar[list[BindingType]] = [*app_bindings()]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-medium"), (170, "-wide")]  # noqa: RUF012  # Textual's type
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall"), (46, "-very-tall")]  # noqa: RUF012
    PAUSE_GC_ON_SCROLL = True
    CSS = """
    /* At the top: what is chosen and started stands below. */
    ToastRack { dock: top; align: right top; margin: 1 0 0 0; }
    """

    read_only = False
    """True if the app only watches a file or a pipe, so that nothing can be started."""

    def __init__(self, host: Host) -> None:
        """Create the app; the engine is started after the first paint."""
        self._contrast = {False: ContrastFilter(), True: ContrastFilter(text=7.0, frame=4.5)}
        super().__init__()
        self.host = host
        self.settings: Settings = host.settings
        """The current settings, as they will be saved."""
        self.feed = self.new_feed(self.open_link)
        """Reader of the engine's events; replaced when the engine is restarted."""
        self.connection = ServerConnection(builtin_available=host.builtin_available and not host.server_named)
        self.failures: list[str] = []
        """Tracebacks of failed background work, printed after the app has ended."""
        self._running_id: str | None = None
        self.add_mode("start", lambda: StartScreen(self.FIRST_MODE, read_only=self.read_only))
        for theme in OWN:
            self.register_theme(theme)
        chosen = self.settings.theme
        self.theme = chosen if chosen in self.available_themes else DARK.name
        self._key_problems = apply_keymap(self, self.settings.keymap)

    def open_link(self) -> Link:
        """Start the engine (the measuring process) and return the link to it."""
        return self.host.open_engine()

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Return the themes on offer: only those with known colours, so that their contrast can be ensured."""
        return {name: theme for name, theme in super().available_themes.items() if not theme.ansi}

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters for every painted line; the last one ensures the minimum contrast."""
        return [*super().get_line_filters(), self._contrast[self.theme == HIGH_CONTRAST.name]]

    @property
    def running(self) -> bool:
        """Whether a session of the engine is running."""
        session = self.feed.session
        return not (self.read_only or self.feed.ended) and session is not None and session.finished is None

    # --- start ---

    async def on_ready(self) -> None:
        """Start the work that was postponed until after the first frame."""
        await self.begin()

    async def begin(self) -> None:
        """Do the slow work that was postponed until after the first frame."""
        await self.switch_mode(self.FIRST_MODE)
        terminal.on_end_signals(lambda: self.leave("terminated"))
        write_sequence(self, terminal.SAVE_TITLE + terminal.title_sequence("llmtui"))
        self.theme_changed_signal.subscribe(self, self._theme_changed)
        self._follow(self.feed)
        self.app_resume_signal.subscribe(self, lambda _: self._draw_all())
        self._tell_problems()
        self.set_timer(1.0, self._freeze_start_up)

    def _theme_changed(self, theme: Theme) -> None:
        """Save the theme, also as the last used dark theme or the last used light theme."""
        half = {"theme_dark": theme.name} if theme.dark else {"theme_light": theme.name}
        self.remember(theme=theme.name, **half)

    def _draw_all(self) -> None:
        """Redraw everything, since another program has used the terminal."""
        for widget in (self.screen, *self.screen.query("*")):
            widget.refresh()

    def _freeze_start_up(self) -> None:
        """Exempt the objects created at startup, which live as long as the app, from garbage collection."""
        gc.collect()
        gc.freeze()

    @in_background("follow")
    def _follow(self, feed: Feed) -> None:
        feed.read()

    def new_feed(self, open_link: Callable[[], Link]) -> Feed:
        """Return a ``Feed`` whose messages go to the visible screens; the caller must run ``feed.read`` in a worker."""
        return Feed(open_link, self.post_message, self.set_timer)

    @on(BackgroundFailed)
    def _background_failed(self, message: BackgroundFailed) -> None:
        """Show that background work has failed, and keep the traceback of an unexpected error."""
        if not isinstance(message.error, OSError):
            self.failures.append("".join(format_exception(message.error)))
        self.notify(whole_problem(message.problem), title=_("Something went wrong"), severity="error", timeout=15)

    def _tell_problems(self) -> None:
        """Show the settings that are ignored, with the reasons."""
        for sentence in (*self.host.problems, *self._key_problems):
            self.notify(sentence, title=_("Settings"), severity="warning", timeout=15)

    # --- messages of a feed ---

    @on(FeedMessage)
    def _hand_to_screens(self, message: FeedMessage) -> None:
        if isinstance(message, ShowDue):
            message.feed.show_when_due()
            return
        if message.feed is self.feed:
            if isinstance(message, SessionChanged):
                self._announce(message.session)
            elif isinstance(message, Replied):
                self._connect(message.reply)
            elif isinstance(message, FeedEnded):
                self.refresh_bindings()
        for screen in self.screen_stack:
            screen.post_message(message.again())

    def _connect(self, reply: Reply) -> None:
        """When the engine is ready, send it the server's address; if no server answers there, send another address."""
        if isinstance(reply, EngineReady) and not self.read_only:
            try:
                self.send(self.connection.begin(self.host.server_of(self.settings.host)))
            except BadAddress as error:
                self.notify(str(error), title=_("The server's address in the settings"), severity="error")
        elif isinstance(reply, ServerChanged):
            instead = self.connection.heard(reply)
            if instead is not None:
                self.send(instead)

    def _announce(self, session: Session) -> None:
        """Show in the window title that a run has started or ended, and ring the bell at its end."""
        if session.finished is None:
            if self._running_id != session.session_id:
                self._running_id = session.session_id
                write_sequence(self, terminal.title_sequence(_("llmtui: running")))
                self.refresh_bindings()
        elif self._running_id == session.session_id:
            self._running_id = None
            write_sequence(self, terminal.title_sequence(_("llmtui: finished")))
            self.refresh_bindings()
            if self.feed.is_live and self.settings.bell:
                self.bell()

    # --- requests of screens ---

    def send(self, command: Command) -> bool:
        """Send a command to the engine; return whether it was sent. If not, a toast shows the reason."""
        try:
            self.feed.send(command)
        except (LinkLost, ReadOnly) as error:
            self.notify(whole_problem(error.problem), title=_("Not possible now"), severity="error")
            return False
        return True

    def start(self, plan: Plan) -> None:
        """Start a run and switch to the Live screen."""
        if self.send(StartPlan(plan=plan, results_dir=self.host.results_dir, ui_pid=os.getpid())):
            self.show("live")

    def show(self, mode: Mode) -> None:
        """Switch to another mode as soon as possible."""
        self.call_later(self.action_go, mode)

    def run_again(self, plan: Plan | None) -> None:
        """Run an earlier session's plan again in another order, on the current server."""
        from llmtui.core.planning import NothingToRun, repeated  # after the first paint

        listed = self.feed.models
        if self.running:
            self.show("live")
        elif plan is None:
            self.notify(_("Nothing has run yet. Press Enter on the Setup screen (F2)."), severity="warning")
        elif listed is None:
            self.notify(_("No server answers."), severity="warning")
        else:
            try:
                self.start(repeated(plan, listed.models, server=listed.address, seed=random.randrange(2**31)))
            except NothingToRun as error:
                self.notify(whole_problem(error.problem), severity="warning")

    @in_background("last_plan")
    def run_last(self) -> None:
        """Run the plan of the newest session again."""
        plan = self.host.last_plan()
        self.call_from_thread(self.run_again, plan)

    def remember(self, **changes: object) -> None:
        """Save changed settings; each keyword is the name of a field of ``Settings``."""
        new = {name: value for name, value in changes.items() if getattr(self.settings, name) != value}
        if new:
            self.settings = msgspec.structs.replace(self.settings, **new)
            self._save(new)

    @in_background("save_settings", exclusive=False)
    def _save(self, changes: dict[str, object]) -> None:
        try:
            self.host.save(changes)
        except SettingsError as error:
            self.notify(settings_words(error), title=_("Settings not saved"), severity="warning")

    def open_session(self, session_id: str, title: str) -> None:
        """Show the results of a saved session on top of the current screen."""
        from llmtui.tui.screens.results import ResultsScreen

        feed = self.new_feed(lambda: self.host.open_session(session_id))
        self.push_screen(ResultsScreen(feed, title))
        self._read_saved(feed)

    @in_background("open_session", exclusive=False)
    def _read_saved(self, feed: Feed) -> None:
        feed.read()

    # --- global keys ---

    def get_key_display(self, binding: Binding) -> str:
        """Return the name of a key in the user's language."""
        shown = super().get_key_display(binding)
        return _("space") if shown == "space" else shown

    async def action_go(self, mode: Mode) -> None:
        """Switch to a mode and close all screens on top of it.

        While this runs, no other message is handled, not even a request to quit.
        """
        if self.current_mode != mode:
            await self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()  # not awaited: the caller may be a click handler of the popped screen

    def action_help(self) -> None:
        """Open the help of the current screen."""
        from llmtui.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def action_settings(self) -> None:
        """Open the Settings screen."""
        from llmtui.tui.screens.settings import SettingsScreen

        if not isinstance(self.screen, SettingsScreen):
            self.push_screen(SettingsScreen())

    def action_toggle_dark(self) -> None:
        """Switch between the last used dark and the last used light theme."""
        dark = self.current_theme.dark
        wanted = self.settings.theme_light if dark else self.settings.theme_dark
        known = wanted if wanted in self.available_themes else None
        self.theme = known or (LIGHT.name if dark else DARK.name)

    def action_restart_engine(self) -> None:
        """Restart the engine after it was lost."""
        if self.read_only or not self.feed.ended:
            return
        Thread(target=self.feed.close, name="close lost feed").start()
        self.feed = self.new_feed(self.open_link)
        self._follow(self.feed)
        self.notify(_("Restarting the measuring process …"))

    async def action_quit_or_ask(self) -> None:
        """Quit llmtui, asking first if a run is in progress."""
        if not self.running:
            self.leave("quit")
            return
        from llmtui.tui.screens.dialogs import ConfirmDialog

        self.push_screen(
            ConfirmDialog(
                _("A run is in progress"),
                _("Quit now? Finished trials are saved; the trial in progress is stopped."),
                yes=_("Stop and quit"),
                no=_("Keep running"),
            ),
            lambda leave: self.leave("quit") if leave else None,
        )

    def action_copy_or_quit(self) -> None:
        """Copy the selected text; if there is none, quit without asking."""
        focused = self.screen.focused
        # All text fields have this attribute; importing their classes for a check would delay the first paint.
        selected: str = getattr(focused, "selected_text", "") or self.screen.get_selected_text() or ""
        if selected:
            self.copy_to_clipboard(selected)
            self.notify(_("Copied"), timeout=2)
        else:
            self.leave("interrupted")

    async def action_quit(self) -> None:
        """Quit llmtui, asking first if a run is in progress; called by the command palette."""
        await self.action_quit_or_ask()

    def leave(self, how: Literal["quit", "interrupted", "terminated"]) -> None:
        """End the app with an exit report; if a screen is being created, first wait until it is complete."""
        self.call_later(self._end, how)

    def _end(self, how: Literal["quit", "interrupted", "terminated"]) -> None:
        self.feed.show()  # posts the events of the last 0.2 s, for the exit report
        absent = self.connection.instead_of
        silent = None if absent is None else absent.problem
        self.exit(
            ExitReport(
                how=how,
                session=self.feed.session,
                folder=self.feed.folder,
                silent=silent,
                failures=tuple(self.failures),
            )
        )

    def on_unmount(self) -> None:
        """Restore the terminal at once, however the app ends; the engine stops in a thread meanwhile."""
        write_sequence(self, terminal.RESTORE_TITLE)
        Thread(target=self.feed.close, name="close feed").start()

    # --- the command palette ---

    def action_command_palette(self) -> None:
        """Open the command palette in the user's language."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(placeholder=_("Search for commands …"), id="--command-palette"))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Yield the commands that are possible now; those of the current screen come first."""
        return palette_commands(self, self, screen)


class WatchApp(LlmtuiApp):
    """The Live and Results screens for a saved file or a pipe; nothing can be started."""

    FIRST_MODE = "live"
    read_only = True

    def __init__(self, host: Host, link: Link) -> None:
        """Create the app for a link that is already open."""
        self._watched = link
        super().__init__(host)

    def open_link(self) -> Link:
        """Return the link to the watched file or pipe."""
        return self._watched
