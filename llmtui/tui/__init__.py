"""The screens: they read Sessions and send commands."""
