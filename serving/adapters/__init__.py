"""Where `serving` meets third-party tools and the disk."""
