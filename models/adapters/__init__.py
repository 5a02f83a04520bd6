"""Where `models` meets third-party tools and the disk."""
