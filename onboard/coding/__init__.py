"""Coding: strips of samples and a plan in, the payloads of their segments out."""
