"""Background work: methods that read or write files run in a thread, and their exceptions are shown.

Textual either ends the whole program at a worker's exception or reports it only to the node that started the worker.
Here a failure is a message that bubbles from that node to the app, which shows it and keeps the traceback.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from textual import work
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.worker import Worker

from llmtui.core.codes import Task
from llmtui.core.records import Argument, Problem

Node = TypeVar("Node", bound=DOMNode)
P = ParamSpec("P")


class BackgroundFailed(Message):
    """Posted when background work has failed; it bubbles, so that a screen can show what is missing."""

    def __init__(self, task: Task, error: Exception) -> None:
        super().__init__()
        self.task = task
        self.error = error
        self.problem = problem_of(task, error)


def problem_of(task: Task, error: Exception) -> Problem:
    """Return the problem of a failed task: a problem with a file for an OSError, otherwise an internal error."""
    if isinstance(error, OSError):
        args: dict[str, Argument] = {"task": task, "path": str(error.filename or "?")}
        return Problem(code="task_refused", args=args, detail=error.strerror or str(error))
    return Problem(code="task_failed", args={"task": task}, detail=repr(error))


def in_background(
    task: Task, *, exclusive: bool = True
) -> Callable[[Callable[Concatenate[Node, P], None]], Callable[Concatenate[Node, P], Worker[None]]]:
    """Return a decorator that runs a method in a thread and posts ``BackgroundFailed`` if it raises.

    Args:
        task: the purpose of the method, named in the message about its failure; also the name of its group of workers.
        exclusive: whether a call cancels the previous one.
    """

    def decorate(method: Callable[Concatenate[Node, P], None]) -> Callable[Concatenate[Node, P], Worker[None]]:
        @wraps(method)
        def guarded(node: Node, *args: P.args, **kwargs: P.kwargs) -> None:
            try:
                method(node, *args, **kwargs)
            except Exception as error:  # noqa: BLE001  # every error is shown by the app
                app: App[Any] = node.app
                failed = BackgroundFailed(task, error)
                if not node.post_message(failed):  # the node has been removed
                    app.post_message(failed)

        started: Callable[Concatenate[Node, P], Worker[None]] = work(thread=True, exclusive=exclusive, group=task)(
            guarded
        )
        return started

    return decorate
