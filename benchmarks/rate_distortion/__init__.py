"""Rate and distortion: codecs and scenes in, curves, tables and plots out."""
