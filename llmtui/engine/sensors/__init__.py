"""Machine readings: one small class per source, all of one shape (``base.Sensor``)."""
