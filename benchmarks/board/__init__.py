"""Speed, latency and energy of a board: settings of the codec in, the rows of a table out."""
