"""What the program may cost, counted: calls, allocations, modules, widgets painted. Clocks are read in benchmarks."""
