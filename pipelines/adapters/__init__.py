"""Where `pipelines` meets third-party tools and the disk."""
