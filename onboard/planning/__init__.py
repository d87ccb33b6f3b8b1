"""Planning: sampled blocks of a scene in, a plan out: partition, KLT, rotations, regions."""
