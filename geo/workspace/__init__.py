"""The only place where core and rim meet: load, call, save."""
