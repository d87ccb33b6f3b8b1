"""The format, which encoder and decoder share: container, transforms, contexts, entropy coder, segments."""
