"""Where `monitoring` meets third-party tools and the disk."""
