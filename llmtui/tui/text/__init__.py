"""Text and figures for the widgets: no widget, no screen, nothing that runs."""
