"""Numbered migrations; `store.migrate` runs them."""
