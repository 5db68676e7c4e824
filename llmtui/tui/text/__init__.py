"""What the widgets show, as text and figures: no widget, no screen, nothing that is running."""
