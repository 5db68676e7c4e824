"""The self-test: measured figures compared with those of a simulated server, and the cost of drawing the screens."""
