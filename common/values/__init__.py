"""Values of a scene in: which are ordinary, which lie far outside, and which mark absent data out."""
