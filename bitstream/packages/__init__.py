"""Packages (``.bfm``): a file of arrays and networks in, checked arrays and networks out."""
