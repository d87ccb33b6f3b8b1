"""Versions of the ONNX files that are written, for the sake of old runtimes."""

OPSET = 18
"""Of the graphs: the oldest that PyTorch writes."""

IR_VERSION = 10
"""Of the files: that of ONNX 1.17, which ONNX Runtime 1.23 reads."""
