"""Worked problems that come with sbicore, one a file: data, prior, simulator, likelihood."""
