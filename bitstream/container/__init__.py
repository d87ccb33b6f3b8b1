"""The container: sections, headers, segments and packets in, bytes out, and back."""
