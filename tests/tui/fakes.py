"""A host and a link without an engine: a script says what they answer, the test says when."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from queue import SimpleQueue
from typing import Any, TypeVar

import msgspec

from llmtui.config import Settings
from llmtui.core.across import Earlier
from llmtui.core.commands import CancelPull, Command, ListModels, PullModel, ResumeSession, SetServer, StartPlan
from llmtui.core.estimate import PastSpeed
from llmtui.core.events import (
    EngineReady,
    Event,
    ListedModel,
    ModelsListed,
    PullProgressed,
    ServerChanged,
    TrialFinished,
)
from llmtui.core.plan import Model, Plan
from llmtui.core.prompts import Category, Prompt, PromptPack
from llmtui.core.records import Problem, ResidentModel
from llmtui.core.session import Session
from llmtui.core.trend import FigureTrend
from llmtui.link import LinkLost, ReadOnly
from llmtui.store.compared import ComparedSessions
from llmtui.tui.host import BadAddress, ExportFailed, FileIsThere, SessionEntry, SessionRefused

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

GB = 10**9
ADDRESS = "http://127.0.0.1:11434"


class FakeLink:
    """Events come when the test plays them; commands are kept in ``sent`` and may be answered by ``answer``."""

    def __init__(
        self,
        *events: Event,
        answer: Callable[[Command], tuple[Event, ...]] | None = None,
        is_live: bool = True,
        accepts_commands: bool = True,
        trials: Mapping[str, TrialFinished] | None = None,
    ) -> None:
        self.name = "fake"
        self.is_live = is_live
        self.accepts_commands = accepts_commands
        self.sent: list[Command] = []
        self.closed = threading.Event()
        self._answer = answer
        self._trials = dict(trials or {})
        self._queue: SimpleQueue[tuple[Event, ...] | LinkLost | None] = SimpleQueue()
        if events:
            self.play(*events)
        if not is_live:
            self._queue.put(None)

    def play(self, *events: Event) -> None:
        """Let events arrive together."""
        self._trials |= {event.trial.id: event for event in events if isinstance(event, TrialFinished)}
        self._queue.put(events)

    def break_off(self, why: str) -> None:
        """The engine dies."""
        self._queue.put(LinkLost(Problem(code="engine_gone", detail=why)))

    def batches(self) -> Iterator[tuple[Event, ...]]:
        while (batch := self._queue.get()) is not None:
            if isinstance(batch, LinkLost):
                raise batch
            yield batch

    def send(self, command: Command) -> None:
        if not self.accepts_commands:
            raise ReadOnly(Problem(code="read_only_session"))
        self.sent.append(command)
        if self._answer is not None and (events := self._answer(command)):
            self.play(*events)

    def trial(self, trial_id: str) -> TrialFinished | None:
        return self._trials.get(trial_id)

    def close(self) -> None:
        self.closed.set()
        self._queue.put(None)

    def sent_of(self, kind: type[T]) -> list[T]:
        """Return the commands of a kind, in order."""
        return [command for command in self.sent if isinstance(command, kind)]


class FakeHost:
    """The program around the app; ``links`` are handed out one a start of the engine."""

    problems: tuple[str, ...] = ()
    compared: tuple[ComparedSessions, ...] = ()
    trends_found: tuple[FigureTrend, ...] = ()

    def __init__(
        self,
        *links: FakeLink,
        settings: Settings | None = None,
        pack: PromptPack | None = None,
        entries: tuple[SessionEntry, ...] = (),
        saved_sessions: Mapping[str, Callable[[], FakeLink]] | None = None,
        builtin_available: bool = True,
        server_named: bool = False,
        ollama_installed: bool = False,
        export_problem: str | None = None,
        past: Mapping[str, PastSpeed] | None = None,
        last_plan: Plan | None = None,
        earlier: Earlier | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.pack = pack or a_pack()
        self.results_dir = "results"
        self.settings_file = "~/.config/llmtui/config.toml"
        self.edits: list[PromptPack | Exception] = []
        """What comes of the next edits of the prompts."""
        self.builtin_available = builtin_available
        self.server_named = server_named
        self.ollama_installed = ollama_installed
        self.saved: dict[str, object] = {}
        self.exported: list[tuple[tuple[str, ...], str, str]] = []
        self.tables: list[tuple[tuple[str, ...], ...]] = []
        self.files: set[str] = set()
        self.trash: dict[str, SessionEntry] = {}
        self.undeletable: set[str] = set()
        self.unresumable: set[str] = set()
        self.trends_of: list[tuple[str, ...]] = []
        self._links = list(links)
        self._entries = entries
        self._saved_sessions = dict(saved_sessions or {})
        self._export_problem = export_problem
        self._past = dict(past or {})
        self._last_plan = last_plan
        self._earlier = earlier

    def server_of(self, address: str | None) -> SetServer:
        if address == "builtin":
            return SetServer(address="builtin", kind="builtin")
        if address is not None and " " in address:
            raise BadAddress(f"{address!r} is not a host name or address.")
        url = ADDRESS if address is None else f"http://{address.removeprefix('http://')}"
        return SetServer(address=url, kind="openai" if url.endswith("/v1") else "ollama")

    def past_speeds(self) -> Mapping[str, PastSpeed]:
        return self._past

    def edit_prompts(self) -> PromptPack:
        edited = self.edits.pop(0)
        if isinstance(edited, Exception):
            raise edited
        self.pack = edited
        return edited

    def open_engine(self) -> FakeLink:
        if not self._links:
            raise LinkLost(Problem(code="engine_not_started", detail="no more links in this test"))
        return self._links.pop(0)

    def open_session(self, session_id: str) -> FakeLink:
        if session_id not in self._saved_sessions:
            raise LinkLost(Problem(code="no_such_session", args={"session": session_id, "folder": "results"}))
        return self._saved_sessions[session_id]()

    def resume(self, session_id: str, *, accept_changes: bool = False) -> tuple[Command, ...]:
        if session_id in self.unresumable:
            raise LinkLost(Problem(code="no_such_session", args={"session": session_id, "folder": "results"}))
        server = SetServer(address=ADDRESS, kind="ollama", address_source="session")
        return server, ResumeSession(folder=f"results/{session_id}", accept_changes=accept_changes, ui_pid=1)

    def sessions(self) -> tuple[SessionEntry, ...]:
        return self._entries

    def last_plan(self) -> Plan | None:
        return self._last_plan

    def earlier_session(self, session: Session) -> Earlier | None:
        return self._earlier

    def compare(self, session_ids: Sequence[str]) -> tuple[ComparedSessions, ...]:
        return self.compared

    def trends(self, session_ids: Sequence[str]) -> tuple[FigureTrend, ...]:
        self.trends_of.append(tuple(session_ids))
        return self.trends_found

    def save(self, changes: Mapping[str, object]) -> None:
        self.saved |= changes

    def label_session(self, session_id: str, *, name: str, note: str) -> None:
        self._entries = tuple(
            replace(one, name=name, note=note) if one.session_id == session_id else one for one in self._entries
        )

    def delete_session(self, session_id: str) -> str:
        if session_id in self.undeletable:
            raise SessionRefused(f"{session_id} is still running.")
        [gone] = [one for one in self._entries if one.session_id == session_id]
        self._entries = tuple(one for one in self._entries if one is not gone)
        self.trash[session_id] = gone
        return session_id

    def restore_session(self, deleted: str) -> None:
        entries = (*self._entries, self.trash.pop(deleted))
        self._entries = tuple(sorted(entries, key=lambda one: one.wall_ns, reverse=True))

    def export(self, sessions: Sequence[str], form: str, target: str, *, replace: bool) -> str:
        if self._export_problem is not None:
            raise ExportFailed(self._export_problem)
        if target in self.files and not replace:
            raise FileIsThere(f"/home/person/{target}")
        self.files.add(target)
        self.exported.append((tuple(sessions), form, target))
        return f"/home/person/{target}"

    def export_table(self, rows: Sequence[Sequence[str]], target: str, *, replace: bool) -> str:
        self.tables.append(tuple(map(tuple, rows)))
        return self.export((), "this table", target, replace=replace)

    def llama_bench(self, session: str) -> str:
        if self._export_problem is not None:
            raise ExportFailed(self._export_problem)
        return f"| model | of {session} |"


def a_model(name: str, size_gb: float = 4.1, **changes: Any) -> Model:
    fields: dict[str, Any] = {
        "name": name,
        "digest": f"sha256-{name}",
        "size_bytes": round(size_gb * GB),
        "parameters": "7.2B",
        "quantisation": "Q4_0",
        "family": "llama",
        "format": "gguf",
        "context_limit": 8192,
        "thinking": False,
    }
    return Model(**(fields | changes))


def loaded(model: Model, **changes: Any) -> ResidentModel:
    fields: dict[str, Any] = {"name": model.name, "digest": model.digest, "size_bytes": model.size_bytes}
    return ResidentModel(**(fields | {"context_length": 4096} | changes))


def some_models() -> tuple[ListedModel, ...]:
    """Seven models: two that cannot be benchmarked, one in memory, one that thinks."""
    phi = a_model("phi3:mini", 2.2, parameters="3.8B", quantisation="Q4_K_M", family="phi3")
    listed = (
        a_model("llama3:8b", 4.7, parameters="8.0B"),
        a_model("mistral:7b", 4.1),
        a_model("gemma:7b", 5.0, parameters="8.5B", quantisation="Q4_K_M", family="gemma"),
        a_model("qwen3:4b", 2.6, parameters="4.0B", quantisation="Q4_K_M", family="qwen3", thinking=True),
    )
    no_use = (
        (a_model("nomic-embed-text", 0.27, parameters="137M", quantisation="F16"), Problem(code="makes_embeddings")),
        (a_model("gpt-oss:120b-cloud", 0, size_bytes=None, parameters="116.8B"), Problem(code="cloud_speed")),
    )
    return (
        ListedModel(model=phi, resident=loaded(phi)),
        *(ListedModel(model=model) for model in listed),
        *(ListedModel(model=model, why_not=Problem(code=why.code, args={"name": model.name})) for model, why in no_use),
    )


def a_pack(language: str = "en") -> PromptPack:
    """Four categories with two prompts each."""
    texts = {
        "creativity": ("Creativity", "Write a short story about a lighthouse keeper who finds a message in a bottle."),
        "reasoning": (
            "Reasoning",
            "A train leaves at nine and travels at sixty kilometres an hour. When does it meet …?",
        ),
        "coding": ("Coding", "Write a Python function that finds the longest palindrome in a text, and explain it."),
        "summary": ("Summary", "Summarise in three sentences what photosynthesis is and why it matters to us all."),
    }
    return PromptPack(
        name="llmtui",
        language=language,
        categories=tuple(
            Category(
                id=name,
                title=title,
                prompts=tuple(
                    Prompt(
                        id=f"{name}-{n}", category=name, title=f"{title} {n}", text=text if n == 1 else f"{n}. {text}"
                    )
                    for n in (1, 2)
                ),
            )
            for name, (title, text) in texts.items()
        ),
        cold="Explain in detail how a lighthouse works, from the lamp to the lens. " * 6,
        follow_up="And why is that so?",
        sources=("prompts.toml",),
    )


def ready() -> EngineReady:
    return EngineReady(version="0.1.0", schema=1, pid=4242)


def ollama_up(version: str = "0.34.4") -> ServerChanged:
    return ServerChanged(address=ADDRESS, kind="ollama", version=version, local=True)


def models(*listed: ListedModel, resident: tuple[ResidentModel, ...] | None = None) -> ModelsListed:
    """The list of a server, in its memory what the listed models say."""
    chosen = listed or some_models()
    here = tuple(one.resident for one in chosen if one.resident is not None)
    return ModelsListed(address=ADDRESS, models=chosen, resident=here if resident is None else resident)


def refused(address: str = ADDRESS, kind: Any = "ollama") -> ServerChanged:
    problem = Problem(code="refused", args={"where": "127.0.0.1:11434", "start": "ollama"})
    return ServerChanged(address=address, kind=kind, problem=problem)


def an_ollama(command: Command) -> tuple[Event, ...]:
    """Answer commands like an engine beside an Ollama server with some models."""
    match command:
        case SetServer(kind="builtin"):
            return a_builtin(command)
        case SetServer() | ListModels():
            return (ollama_up(), models())
        case PullModel():
            half = PullProgressed(name=command.name, status="pulling", completed_bytes=GB, total_bytes=2 * GB)
            return (half,)
        case CancelPull():
            return (PullProgressed(name="?", status="cancelled", done=True),)
        case StartPlan():
            return ()
        case _:
            return ()


def no_ollama(command: Command) -> tuple[Event, ...]:
    """Answer like an engine where nothing listens; the built-in server is there."""
    match command:
        case SetServer(kind="builtin"):
            return a_builtin(command)
        case SetServer() | ListModels():
            return (refused(),)
        case _:
            return ()


def a_builtin(command: Command) -> tuple[Event, ...]:
    tiny = a_model("tiny", 0.008, backend="builtin", parameters="3.4M", quantisation="Q8_0", note="built-in demo")
    return (
        ServerChanged(address="builtin", kind="builtin", version="llama.cpp b6700", local=True),
        ModelsListed(address="builtin", models=(ListedModel(model=tiny),)),
    )


def engine_beside(answer: Callable[[Command], tuple[Event, ...]]) -> FakeLink:
    """An engine that is up and answers."""
    return FakeLink(ready(), answer=answer)


def replace(struct: S, **changes: Any) -> S:
    """Return a record with changes."""
    return msgspec.structs.replace(struct, **changes)
