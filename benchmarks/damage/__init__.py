"""Damage: streams and their packets in, what decoders made of damaged ones out, counted."""
