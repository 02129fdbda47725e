"""Completion text -> values. Every function is linear in the text's length and never raises, whatever the text."""
