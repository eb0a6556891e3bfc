"""Results as terminal tables, Markdown, figures and one HTML page; nothing is imported here."""
