"""Damaged files for every reader: ``python -m fuzz``. Not part of the package."""
