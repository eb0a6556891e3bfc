"""Errors, paths, ranks: what every layer may use."""
