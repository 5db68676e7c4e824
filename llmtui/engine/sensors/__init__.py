"""Readings of the machine: one small class a source, each with the same shape (``base.Sensor``)."""
