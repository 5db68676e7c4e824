"""One small class a sensor, all of one shape."""
