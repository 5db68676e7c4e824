"""Result files of other programs: converted to one form, saved as sessions, and audited."""
