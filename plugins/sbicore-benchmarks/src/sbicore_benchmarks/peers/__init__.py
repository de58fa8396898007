"""Workers of other tools, and the requirements of the environments that they run in; nothing here imports sbicore."""
