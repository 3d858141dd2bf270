"""Walks to plan and to judge: the first front door."""
