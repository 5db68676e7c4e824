"""What llmtui costs and how right it is, measured: ``python -m benchmarks`` remakes docs/performance.md."""
