"""The engine: a process that runs an experiment and reports every fact as an event."""
