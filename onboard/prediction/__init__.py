"""Predicted bands with a trained model: strips of samples in, segments of what prediction leaves out."""
