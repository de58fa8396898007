"""Scripts that run in another tool's own environment; they import nothing of sbicore."""
