"""Functions that make the texts and plots shown by widgets; they are independent of widgets and screens."""
