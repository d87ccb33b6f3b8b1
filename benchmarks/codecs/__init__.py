"""Codecs under comparison: a cube and a rate in, the decoded cube and its bytes out."""
