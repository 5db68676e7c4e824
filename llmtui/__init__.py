"""llmtui: compare language models on your own machine, and trust the figures."""

__version__ = "0.1.0"
