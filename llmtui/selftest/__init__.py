"""The self-test: measured figures against what a scripted server really sent, and the cost of watching."""
