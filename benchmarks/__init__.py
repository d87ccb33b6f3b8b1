"""What bandfold is measured with: other codecs, rate-distortion curves, speed, memory, synthetic scenes."""
