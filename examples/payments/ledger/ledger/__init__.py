"""Books of payments."""
