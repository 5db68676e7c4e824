"""The core without side effects: events, plans, metrics, statistics and sessions. It uses no I/O, clock or threads."""
