"""Archives: many streams in, products out, over the workers of a cluster."""
