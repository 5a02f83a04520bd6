"""The addresses of the console: one module for each group, which only joins a page's values to its template."""
