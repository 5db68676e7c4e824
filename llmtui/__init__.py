"""llmtui: compare language models on your own machine, and trust the figures."""

TYPE_CHECKING = False  # as for type checkers; it costs some milliseconds at the start of the program
if TYPE_CHECKING:
    from llmtui.report.frames import read_session as read_session

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Return ``read_session``; loads pandas on first access."""
    if name == "read_session":
        from importlib import import_module

        return import_module("llmtui.report.frames").read_session
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
