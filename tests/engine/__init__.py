"""The engine process and its parts."""
