"""Context networks: trained integers in, graphs of 8-bit integers in ONNX and TFLite out."""
