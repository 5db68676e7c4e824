"""Pure core: the event vocabulary, plans, metrics, statistics and the session fold. No I/O, no clock, no threads."""
