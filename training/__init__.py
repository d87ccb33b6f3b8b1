"""Training of the networks, in PyTorch: never needed on board, nor to decode."""
