"""Values -> numbers."""
