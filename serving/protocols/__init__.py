"""What is spoken over HTTP: paths, documents, problems."""
