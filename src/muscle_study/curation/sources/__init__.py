"""Forms of exports, a module each, and reading their files."""
