"""Plots, one a file."""
