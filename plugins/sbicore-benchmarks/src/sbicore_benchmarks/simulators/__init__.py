"""The simulators behind the configs, one a file, in numpy."""
