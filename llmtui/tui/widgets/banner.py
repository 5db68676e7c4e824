"""The line above everything else, with a problem and what to do about it."""

from __future__ import annotations

from typing import Literal

from textual.content import Content
from textual.widgets import Static

from llmtui.core.records import Problem
from llmtui.words.problems import problem_remedy, problem_what

Level = Literal["info", "warning", "error"]

_MARKS: dict[Level, str] = {"info": "i", "warning": "!", "error": "✗"}


class Banner(Static):
    """A line that is hidden until there is a problem or a message."""

    DEFAULT_CSS = """
    Banner {
        display: none;
        height: auto;
        max-height: 4;
        padding: 0 1;
        &.-info { display: block; background: $primary 20%; color: $text; }
        &.-warning { display: block; background: $warning 20%; color: $text; }
        &.-error { display: block; background: $error 25%; color: $text; }
    }
    """

    code = ""
    """Code of the shown problem; empty if none is shown."""

    def say(self, what: str, remedy: str | None = None, *, level: Level = "warning", code: str = "said") -> None:
        """Show a sentence, followed by a dimmed one that says what to do."""
        self.code = code
        self.update(Content.assemble((f"{_MARKS[level]} ", "bold"), what, "  ", (remedy or "", "dim italic")))
        for each in _MARKS:
            self.set_class(each == level, f"-{each}")

    def tell(self, problem: Problem, *, level: Level = "error") -> None:
        """Show a problem and its remedy."""
        self.say(problem_what(problem), problem_remedy(problem), level=level, code=problem.code)

    def hush(self) -> None:
        """Hide the line."""
        self.code = ""
        for each in _MARKS:
            self.remove_class(f"-{each}")
