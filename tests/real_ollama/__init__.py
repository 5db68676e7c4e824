"""What real Ollama servers of two ages do, and that the simulator does the same."""
