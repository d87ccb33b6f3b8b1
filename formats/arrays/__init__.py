"""NumPy's files, ``.npy`` and ``.npz``: an array in, samples block by block out, and back."""
