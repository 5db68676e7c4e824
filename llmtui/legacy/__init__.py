"""Files of other programs: read into one shape, kept as sessions, and audited."""
