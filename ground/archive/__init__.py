"""Archives: many streams in, their scenes in files of another format out, over the workers of a cluster."""
