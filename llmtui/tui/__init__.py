"""The screens of the terminal program: they draw session snapshots and send commands to the engine."""
