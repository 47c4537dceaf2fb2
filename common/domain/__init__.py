"""The hotel's billing rules, pure: standard library only, no clock, no database, no framework."""
