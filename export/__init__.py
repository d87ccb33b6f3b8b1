"""From trained networks to what a model package is made of: ONNX graphs, integer tables, a description."""
