"""Measurements of llmtui's cost and accuracy: ``python -m benchmarks`` writes docs/performance.md from them."""
