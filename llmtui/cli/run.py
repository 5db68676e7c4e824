"""``llmtui run``: a run without screens. Results go to stdout, progress to stderr."""

from __future__ import annotations

import secrets
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from llmtui.cli.exits import Exit
from llmtui.cli.naming import named_models, only_builtin, refuse_place_without_models, spelled_models
from llmtui.cli.output_files import STDOUT, can_be_written, not_saved, write_output
from llmtui.cli.progress import Progress
from llmtui.cli.resume import exit_of, plan_in, server_for
from llmtui.cli.startup import Refused, Startup, builtin_available, cannot_list, server_of
from llmtui.cli.streams import is_output_lost, output_failed
from llmtui.config import expanded
from llmtui.core.across import Earlier
from llmtui.core.commands import Cancel, FindServers, ResumeSession, SetServer, StartPlan
from llmtui.core.events import (
    CommandFailed,
    Event,
    ListedModel,
    ModelsListed,
    ServerChanged,
    ServersFound,
    SessionFinished,
    SessionOpened,
    SessionResumed,
    encode,
)
from llmtui.core.plan import BUILTIN, Model
from llmtui.core.planning import (
    NothingToRun,
    cannot_think_so,
    default_categories,
    default_models,
    make_plan,
)
from llmtui.core.records import AddressSource, Problem
from llmtui.core.session import Session, SessionBuilder
from llmtui.link import Link, LinkLost
from llmtui.link.engine_process import EngineProcess
from llmtui.store.earlier import earlier_session
from llmtui.words import _, plural
from llmtui.words.install import install_command
from llmtui.words.lists import few
from llmtui.words.problems import whole_problem
from llmtui.words.servers import server_words


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """The command-line arguments except run options such as temperature: models, server and outputs."""

    models: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    host: str | None = None
    csv: str | None = None
    markdown: str | None = None
    chosen: frozenset[str] = frozenset()
    """Names of the run options, such as ``temperature``, that were given on the command line."""
    extra_fields: Mapping[str, object] = {}
    """Fields added to the body of every request."""
    events: bool = False
    """Print events on stdout instead of the table."""
    resume: Path | None = None
    """Folder of an interrupted session whose remaining trials are run; None for a new session."""
    words: bool = False
    """After the table, print all conclusions as sentences, and all tables."""


def run(of: Startup, order: Order) -> int:
    """Measure the models, print and save the results; return the exit code (see cli.exits).

    Raises:
        Refused: the run cannot be carried out.
    """
    unknown = set(order.categories) - {category.id for category in of.pack.categories}
    if unknown:
        known = ", ".join(category.id for category in of.pack.categories)
        raise Refused(_("There is no category {name}. Available: {known}.").format(name=min(unknown), known=known))
    _check_targets(order)
    try:
        link = EngineProcess(api_key=of.api_key)
    except OSError as error:
        problem = Problem(code="engine_not_started", detail=error.strerror)
        raise Refused(whole_problem(problem), Exit.INTERNAL) from error
    progress = Progress(sys.stderr, silent=order.events)
    try:
        return _Run(of, order, link, progress).run()
    except LinkLost as error:
        raise Refused(whole_problem(error.problem), Exit.INTERNAL) from error
    finally:
        progress.close()
        link.close()


def _check_targets(order: Order) -> None:
    targets = ((order.csv, True), (order.markdown, False))
    if [*(target for target, _ in targets), "-" if order.events else None].count(STDOUT) > 1:
        raise Refused(_("Only one format can go to stdout (`-`). Give a file for each of the others."))
    for target, may_be_folder in targets:
        if target not in (None, STDOUT):
            can_be_written(expanded(target).absolute(), may_be_folder=may_be_folder)


class _Run:
    """One run without screens: connects to the server, starts the plan, and processes the engine's events."""

    def __init__(self, of: Startup, order: Order, link: Link, progress: Progress) -> None:
        self._frame = of
        self._order = order
        self._link = link
        self._builder = SessionBuilder()
        self._progress = progress
        self._folder: Path | None = None
        self._server: ServerChanged | None = None
        self._asked = SetServer(address="")
        self._inside = order.host is None and only_builtin(order.models, files_count=True)
        """True if the named models may all be the built-in server's, so that no other server may be needed."""
        self._fallback = order.host is None and (not order.models or self._inside) and builtin_available()
        self._interrupted = False
        self._started = False
        self._catches_up = order.resume is not None
        """True while the engine repeats the events that an interrupted session's journal already has."""

    def run(self) -> int:
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:  # ignored under nohup
                signal.signal(number, self._interrupt)
        if self._order.resume is not None:
            self._ask(server_for(plan_in(self._order.resume), host=self._frame.settings.host, key=self._frame.api_key))
            return self._follow()
        if self._order.host is None and not self._inside and self._frame.host_problem is not None:
            raise Refused(self._frame.host_problem)
        host = self._order.host or self._frame.settings.host
        address_source: AddressSource = "user" if self._order.host is not None else "settings" if host else "search"
        configured = server_of(host, address_source)
        # Apart from the built-in server, only OpenAI-compatible ones may list a model by the path of its file.
        asks_first = configured.kind == "openai" and not only_builtin(self._order.models, files_count=False)
        self._ask(server_of(BUILTIN) if self._inside and not asks_first else configured)
        return self._follow()

    def _follow(self) -> int:
        for batch in self._link.batches():
            for event in batch:
                if self._take(event):
                    return self._finish()
        return Exit.INTERRUPTED if self._interrupted else Exit.INTERNAL

    def _take(self, event: Event) -> bool:
        """Process one event; return whether the run is over."""
        if self._order.events:
            self._pass_on(event)
        match event:
            case ServerChanged():
                self._server_changed(event)
            case ServersFound():
                self._found(event)
            case ModelsListed() if not self._started:
                if self._interrupted:
                    return True
                self._start(event.models)
            case SessionOpened():
                self._folder = Path(event.folder)
            case CommandFailed():
                raise Refused(whole_problem(event.problem), exit_of(event.problem))
            case SessionFinished():
                self._builder.apply(event)
                return True
            case _:
                self._fold(event)
        return False

    def _fold(self, event: Event) -> None:
        if isinstance(event, SessionResumed):
            self._catches_up = False
        if self._builder.apply(event) and not self._catches_up:
            self._progress.show(event, self._builder)

    def _ask(self, server: SetServer) -> None:
        self._asked = server
        self._link.send(server)

    def _server_changed(self, event: ServerChanged) -> None:
        self._server = event
        if event.problem is None:
            asked, used = self._asked, (event.kind, event.address)
            if asked.address_source != "search" and used != (asked.kind, asked.address.rstrip("/")):
                self._progress.say(_("Found {server}.").format(server=server_words(event.kind, event.address)))
        elif self._asked.address_source == "search" and not self._order.models and event.kind != BUILTIN:
            self._link.send(FindServers())  # not named by the user: any other server will do
        else:
            self._do_without(event, event.problem)

    def _found(self, event: ServersFound) -> None:
        """Use the first server found on this machine; called if no server was named and the default one is absent."""
        assert self._server is not None
        assert self._server.problem is not None
        if not event.servers:
            self._do_without(self._server, self._server.problem)
            return
        first = event.servers[0]
        self._progress.say(_("Using {server}.").format(server=server_words(first.kind, first.address)))
        self._ask(SetServer(address=first.address, kind=first.kind, with_builtin=builtin_available()))

    def _do_without(self, absent: ServerChanged, problem: Problem) -> None:
        if self._fallback and absent.kind != BUILTIN:
            self._fallback = False
            self._progress.say(whole_problem(problem) + " " + _("Using the built-in server instead."))
            self._ask(SetServer(address=BUILTIN, kind=BUILTIN))
            return
        raise Refused(f"{whole_problem(problem)} {self._instead(absent)}".strip(), Exit.NO_SERVER)

    def _instead(self, absent: ServerChanged) -> str:
        """Return advice for a user without the default server; empty if a server was named."""
        if self._order.host is not None or absent.kind == BUILTIN:
            return ""
        if builtin_available():
            return _("Or run a model inside llmtui: --host builtin.")
        return _("Or install the built-in server:") + " " + install_command()

    def _start(self, listed: Sequence[ListedModel]) -> None:
        assert self._server is not None
        if self._server.problem is not None:
            return
        if self._order.resume is not None:
            self._started = True
            self._link.send(ResumeSession(folder=str(self._order.resume)))
            return
        models = self._models(listed)
        self._say_what_cannot_be_chosen(models)
        pack, settings = self._frame.pack, self._frame.settings
        try:
            plan = make_plan(
                models,
                pack,
                server=self._server.address,
                categories=self._order.categories or default_categories(pack, settings.categories),
                choices=settings,
                extra_fields=self._order.extra_fields,
                seed=secrets.randbelow(2**31) if settings.seed is None else settings.seed,
            )
        except NothingToRun as error:
            raise Refused(whole_problem(error.problem)) from error
        self._started = True
        self._link.send(StartPlan(plan=plan, results_dir=str(self._frame.results)))

    def _models(self, listed: Sequence[ListedModel]) -> list[Model]:
        """Return the models named on the command line, or those that are selected by default."""
        assert self._server is not None
        kind, order = self._server.kind, self._order
        if order.models:
            named = order.host is not None
            return named_models(order.models, listed, server=kind, named=named, say=self._progress.say)
        refuse_place_without_models(order.host or "", listed)
        spellings = default_models(listed, self._frame.settings.models, server=kind)
        if not spellings:
            raise Refused(self._no_models(named=any(one.model.backend == kind for one in listed)), Exit.USAGE)
        models = spelled_models(spellings, listed)
        there = sum(one.model.backend == kind for one in listed)
        if len(models) < there:
            self._progress.say(
                _("Measuring {names} (of {n} models). Use --model to choose others.").format(
                    names=", ".join(model.spelling for model in models), n=there
                )
            )
        return models

    def _no_models(self, *, named: bool) -> str:
        """Return the message that there is nothing to measure, and what to do.

        Args:
            named: whether the server lists any models.
        """
        assert self._server is not None
        if self._server.kind == "openai" and not named:
            where = self._server.address
            return _("The server at {where} lists no models. Load one there, or give one with -m.").format(where=where)
        sentence = _("The server has no model that can be measured.")
        return f"{sentence} {_('Get one: ollama pull NAME.')}" if self._server.kind == "ollama" else sentence

    def _say_what_cannot_be_chosen(self, models: Sequence[Model]) -> None:
        """Report options that have no effect for some models or for the server.

        Raises:
            Refused: no model supports the given ``--think``.
        """
        chosen, think = self._order.chosen, self._frame.settings.think
        deaf = [model.spelling for model in models if cannot_think_so(model, think)] if "think" in chosen else []
        if deaf:
            sentence = _("`--think {how}` does not work for {names}.").format(names=few(deaf), how=think)
            if len(deaf) == len(models):
                raise Refused(sentence + " " + _("Leave out `--think` to measure them with their default."))
            self._progress.say(sentence)
        fixed = [model.spelling for model in models if model.backend == "openai"]
        for name in ("num_ctx", "num_thread") if fixed else ():
            if name in chosen:
                flag = "--" + name.replace("_", "-")
                self._progress.say(
                    _("{names}: the server sets this when it starts, so `{flag}` has no effect.").format(
                        names=few(fixed), flag=flag
                    )
                )

    def _pass_on(self, event: Event) -> None:
        sys.stdout.buffer.write(encode(event))
        sys.stdout.buffer.flush()
        if output_failed(sys.stdout) is not None and not self._interrupted:
            self._interrupt(signal.SIGTERM, None)

    def _interrupt(self, number: int, frame: object) -> None:
        """End the run: cancel it in an orderly way at the first signal, and close the engine at the second.

        Finished trials are saved in both cases.
        """
        if self._interrupted or not self._started:
            self._link.close()
        else:
            self._link.send(Cancel())
        self._interrupted = True

    def _finish(self) -> int:
        self._progress.close()
        session = self._builder.snapshot()
        if session is None:
            return Exit.INTERRUPTED if self._interrupted else Exit.INTERNAL
        earlier = self._earlier(session) if self._order.words or self._order.markdown is not None else None
        written: list[str] = []
        try:
            if self._order.csv is not None:
                written.append(_("Saved CSV: {path}").format(path=self._copy(self._order.csv, session)))
            if self._order.markdown is not None:
                path = self._report(self._order.markdown, session, earlier)
                written.append(_("Saved Markdown: {path}").format(path=path))
        finally:  # files are written first, so that they exist even if printing fails
            if not self._order.events and STDOUT not in (self._order.csv, self._order.markdown):
                self._print(session, earlier, written)
        if self._interrupted:
            return Exit.INTERRUPTED
        # A skipped trial is not a failure: the server may not support it.
        repeated = {row.repeats for row in session.rows if row.outcome == "ok"}
        all_ok = all(row.outcome in ("ok", "skipped") or row.trial.id in repeated for row in session.rows)
        is_all_there = not_saved(session, self._folder) is None and not is_output_lost(sys.stdout)
        return Exit.OK if all_ok and is_all_there else Exit.FAILED

    def _earlier(self, session: Session) -> Earlier | None:
        try:
            return earlier_session(self._frame.results, session)
        except OSError as error:  # the result is printed without the comparison
            self._progress.say(cannot_list(self._frame.results, error))
            return None

    def _print(self, session: Session, earlier: Earlier | None, written: Sequence[str]) -> None:
        from llmtui.report.terminal import print_result, print_session

        print_result(session, sys.stdout)
        if self._order.words:
            print()
            print_session(session, sys.stdout, earlier)
        print()
        if self._folder is not None:
            print(not_saved(session, self._folder) or _("Saved: {path}").format(path=self._folder))
        for sentence in written:
            print(sentence)
        sys.stdout.flush()
        for sentence in went_wrong(session):
            self._progress.say(sentence)

    def _copy(self, target: str, session: Session) -> str:
        from llmtui.store.trials_csv import trials_csv

        path = expanded(target).absolute()
        return self._write(target, path / f"{session.session_id}.csv" if path.is_dir() else path, trials_csv(session))

    def _report(self, target: str, session: Session, earlier: Earlier | None) -> str:
        from llmtui.report.markdown import markdown

        return self._write(target, expanded(target), markdown(session, earlier).encode())

    def _write(self, target: str, path: Path, content: bytes) -> str:
        write_output(None if target == STDOUT else path, content)
        return str(path)


def went_wrong(session: Session) -> Iterator[str]:
    """Yield each model's problems, each problem once with the number of its trials; skipped trials are left out."""
    met = Counter(
        (session.contender(row.trial).label, whole_problem(row.problem))
        for row in session.rows
        if row.problem is not None and row.outcome != "skipped"
    )
    for (label, sentence), n in met.items():
        trials = plural("{n} trial", "{n} trials", n).format(n=n)
        yield f"{label}, {trials}: {sentence}"
