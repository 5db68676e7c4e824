"""Specification of the simulated server."""
