"""Sensors of the machine: one small class per source, all with the same interface (``base.Sensor``)."""
