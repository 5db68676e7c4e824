"""The terminal screen: reads Sessions, sends commands."""
