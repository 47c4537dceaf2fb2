"""What schedules fire. A job does one item after the other, each in its own transaction."""
