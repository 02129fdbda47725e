"""Recipes that build training sets: one module per set, each with a seeded generator that returns pictures and gold boxes."""
