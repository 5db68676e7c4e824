"""Sensors of the machine: one small class per source, each with a method ``read``."""
