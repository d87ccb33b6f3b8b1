"""The format: container, segments, contexts, tables, entropy coder and errors. See ``docs/format.md``."""
