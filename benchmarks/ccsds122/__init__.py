"""CCSDS 122.0-B-2, the image compressor of space agencies: images in, segments out, and back."""
