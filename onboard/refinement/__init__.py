"""Refinement: a coded stream and its samples in, the same with its errors bounded out."""
