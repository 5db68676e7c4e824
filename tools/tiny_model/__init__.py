"""How the demo model was made: its corpus, its tokeniser, its training, and the checks of its answers."""
