"""Sensors, against trees of files like a kernel's and against real processes."""
