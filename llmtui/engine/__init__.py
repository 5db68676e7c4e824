"""The engine: a process that runs an experiment and reports everything as events."""
