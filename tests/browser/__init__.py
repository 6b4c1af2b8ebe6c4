"""Pages in a real browser: quiet, whole in every window and on paper, and right not only in their source."""
