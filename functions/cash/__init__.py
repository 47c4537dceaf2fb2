"""Cash: drawers, their sessions, and the two persons who close one."""
