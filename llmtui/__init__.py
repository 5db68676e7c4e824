"""llmtui: compare language models on your own machine, and trust the figures."""

TYPE_CHECKING = False  # type checkers know this name; importing it from typing would take milliseconds
if TYPE_CHECKING:
    from llmtui.report.frames import read_session as read_session

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Return ``read_session``, whose module (with pandas) is imported only when it is first used.

    Raises:
        AttributeError: any other name is requested.
    """
    if name == "read_session":
        from importlib import import_module

        return import_module("llmtui.report.frames").read_session
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
