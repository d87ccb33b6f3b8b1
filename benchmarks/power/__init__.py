"""Power and latency: an encoder on the board that it runs on in, watts, joules and seconds out."""
