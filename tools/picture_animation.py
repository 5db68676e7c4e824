"""The animated picture of the documents: the last round of a recorded session, its verdict and results, as one SVG.

``python tools/pictures.py run`` makes it. A row of the terminal that stays the same over several frames is in the file
only once. Style sheets show and hide the rows, so no script is needed. The last frame is shown if the reader prefers no
motion or the program cannot animate.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from textual.pilot import Pilot

from llmtui.core.events import Chunks, Event, SessionFinished, TrialFinished, TrialStarted
from llmtui.core.metrics import chunk_texts
from llmtui.tui.app import LlmtuiApp
from llmtui.tui.host import ExitReport
from llmtui.tui.screens.live import LiveScreen
from llmtui.tui.screens.results import ResultsScreen
from tests.tui.fakes import FakeLink, ollama_up, ready
from tools.picture_scenes import Scene, Stage, no_time_passes, on, picture, until_holds
from tools.pictures import tidy

SIZE = (112, 34)
FRAME_S, VERDICT_S, RESULTS_S = 0.7, 3.5, 5.0
MOMENTS: Mapping[str, tuple[float, ...]] = {"cold": (), "warm": (0.3, 0.9), "follow_up": (0.7,)}
"""Kind of trial → shares of its answer (0 to 1) at which a frame is taken."""
_STYLE = re.compile(r"\.t-(r\d+) \{ (.*?) \}")
_RECT = re.compile(r'<rect fill="(#[0-9a-f]{6})" [^>]*shape-rendering="crispEdges"/>')
_TEXT = re.compile(r'<text class="t-(r\d+)"( x=[^>]*>.*?</text>)')
_LENGTH = re.compile(r' textLength="[^"]*"')


class Frame(NamedTuple):
    """One screenshot, and the seconds for which it is shown."""

    svg: str
    seconds: float


async def run(stage: Stage) -> str:
    """Return the animation as SVG."""
    link = FakeLink(ready(), ollama_up(), trials=stage.finished)
    app = LlmtuiApp(stage.host(link))
    frames: list[Frame] = []
    with no_time_passes():
        async with on(app, SIZE) as pilot:
            await pilot.press("f3")
            for batch, takes in _batches(stage):
                link.play(*batch)
                await until_holds(pilot, lambda batch=batch: _arrived(app, batch))
                if takes:
                    frames.append(Frame(await _still(pilot, app), FRAME_S))
            frames.append(Frame(await _still(pilot, app), VERDICT_S))
            await pilot.press("enter")
            await until_holds(pilot, lambda: isinstance(app.screen, ResultsScreen))
            frames.append(Frame(await picture(pilot, "tok/s"), RESULTS_S))
    return animated(frames)


def _batches(stage: Stage) -> Iterator[tuple[tuple[Event, ...], bool]]:
    """Yield the events in batches, each with whether a frame is taken after it."""
    last = max(one.trial.round for one in stage.finished.values())
    waiting: list[Event] = []
    for event in stage.events:
        if isinstance(event, TrialStarted) and event.trial.round == last:
            yield tuple(waiting), False
            waiting = []
        if isinstance(event, TrialFinished) and event.trial.round == last:
            shown = 0
            for part in (*MOMENTS[event.trial.kind], 1.0):
                chunks = _chunks(event)
                until = round(len(chunks) * part)
                waiting.append(Chunks(trial_id=event.trial.id, chunks=chunks[shown:until]))
                yield tuple(waiting), part < 1.0
                waiting, shown = [], until
        waiting.append(event)
        if isinstance(event, SessionFinished):
            break
    yield tuple(waiting), False


def _chunks(finished: TrialFinished) -> tuple[tuple[int, str, str], ...]:
    line = finished.timeline
    return tuple(zip(line.t_ns, line.channels, chunk_texts(finished), strict=True))


def _arrived(app: LlmtuiApp, batch: Sequence[Event]) -> bool:
    """Return whether the screen has processed all events of the batch."""
    session, screen = app.feed.session, app.screen
    facts = [event for event in batch if not isinstance(event, Chunks)]
    if not isinstance(screen, LiveScreen) or session is None or not screen.is_mounted:
        return False
    times = [t_ns for event in facts if (t_ns := getattr(event, "t_ns", None)) is not None]
    return (not times or session.last_t_ns >= times[-1]) and not app.feed.has_text


async def _still(pilot: Pilot[ExitReport], app: LlmtuiApp) -> str:
    """Return a screenshot in which everything is drawn at once that would otherwise wait for its time."""
    screen = app.screen
    assert isinstance(screen, LiveScreen)
    await pilot.pause()
    screen.draw_all_now()
    return await picture(pilot, "RAM", still_s=0.1)


ANIMATIONS: Mapping[str, Scene] = {"run": run}


# --- frames to one picture ----------------------------------------------------------------------------------------


def animated(frames: Sequence[Frame]) -> str:
    """Return one SVG that shows the frames one after the other in a loop."""
    shots = [tidy(frame.svg) for frame in frames]
    classes: dict[str, str] = {}
    layers: list[dict[str, list[int]]] = [{}, {}]
    ground = Counter(_RECT.findall("".join(shots))).most_common(1)[0][0]
    for number, shot in enumerate(shots):
        names = {name: classes.setdefault(css, f"c{len(classes)}") for name, css in _STYLE.findall(shot)}
        rects = [match.group(0) for match in _RECT.finditer(shot) if match.group(1) != ground]
        texts = [f'<text class="{names[name]}"{_LENGTH.sub("", rest)}' for name, rest in _TEXT.findall(shot)]
        for layer, elements in zip(layers, (rects, texts), strict=True):
            for element in dict.fromkeys(elements):
                layer.setdefault(element, []).append(number)
    spans: dict[tuple[int, int], str] = {}
    body = "".join(_groups(layer, len(frames), spans) for layer in layers)
    head, tail = _around(shots[-1], ground)
    css = "".join(f".{name}{{{rules}}}" for rules, name in classes.items())
    return head.replace("</style>", f"{css}\n{_keyframes(spans, frames)}</style>") + body + tail


def _groups(layer: Mapping[str, Sequence[int]], count: int, spans: dict[tuple[int, int], str]) -> str:
    """Return a layer's elements as SVG; those that are shown in the same frames form one group."""
    by_span: dict[tuple[int, int], list[str]] = {}
    for element, numbers in layer.items():
        for span in _stretches(numbers):
            by_span.setdefault(span, []).append(element)
    parts = []
    for span, elements in sorted(by_span.items()):
        inside = "".join(elements)
        if span != (0, count):
            inside = f'<g class="{spans.setdefault(span, f"f{len(spans)}")}">{inside}</g>'
        parts.append(inside)
    return "\n".join(parts) + "\n"


def _stretches(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield each run of consecutive numbers as (first, last + 1)."""
    first = before = numbers[0]
    for number in numbers[1:]:
        if number != before + 1:
            yield first, before + 1
            first = number
        before = number
    yield first, before + 1


def _keyframes(spans: Mapping[tuple[int, int], str], frames: Sequence[Frame]) -> str:
    """Return the style sheet that shows each group in its frames only."""
    at = [0.0]
    for frame in frames:
        at.append(at[-1] + frame.seconds)
    moving, still = [], []
    for (first, behind), name in spans.items():
        steps = {0.0: first == 0, at[first] / at[-1]: True}
        if behind < len(frames):
            steps[at[behind] / at[-1]] = False
        rules = "".join(
            f"{100 * share:.2f}%{{visibility:{'visible' if seen else 'hidden'}}}"
            for share, seen in sorted(steps.items())
        )
        moving.append(f"@keyframes {name}{{{rules}}}.{name}{{animation:{name} {at[-1]:g}s step-end infinite}}")
        if behind < len(frames):
            still.append(f".{name}")
    return (
        f"{','.join(still)}{{visibility:hidden}}\n@media (prefers-reduced-motion:no-preference){{{''.join(moving)}}}\n"
    )


def _around(shot: str, ground: str) -> tuple[str, str]:
    """Return the SVG text before the terminal's rows, including their background, and the SVG text after them."""
    inside = 'clip-path="url(#t-clip-terminal)">'
    head, _inside, _rest = shot.partition(inside)
    [(width, height)] = re.findall(
        r'id="t-clip-terminal">\s*<rect x="0" y="0" width="([\d.]+)" height="([\d.]+)"', head
    )
    behind = f'<rect fill="{ground}" x="0" y="0" width="{width}" height="{height}"/>\n<g class="t-matrix">'
    return f"{_STYLE.sub('', head)}{inside}{behind}", "</g>\n</g>\n</svg>\n"
