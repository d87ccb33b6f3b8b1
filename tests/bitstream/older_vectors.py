"""Writes triangular vectors as encoders did before vectors were told by rows: decoders still read them."""

import numpy as np

from bandfold.bitstream.payloads.klt_code import COUNT_MEAN, MEAN_MEAN, TRIANGULAR
from bandfold.bitstream.payloads.payload import SIDE_UNIT
from bandfold.bitstream.payloads.vector_code import write_vectors


def write_older_fold(payload, fold):
    """Append a spectral fold without weights, whose vectors are triangular and have no row shifts."""
    payload.integers([TRIANGULAR], COUNT_MEAN, signed=False)
    payload.integers([len(fold.ends)], COUNT_MEAN, signed=False)
    payload.integers(np.diff(fold.ends, prepend=0).tolist(), 32 * SIDE_UNIT, signed=False)
    payload.integers([fold.mean_shift], COUNT_MEAN, signed=False)
    payload.integers(np.diff(fold.means >> fold.mean_shift, prepend=0).tolist(), MEAN_MEAN)
    payload.integers([vectors.count for vectors in fold.first], COUNT_MEAN, signed=False)
    payload.integers(fold.merged, COUNT_MEAN, signed=False)
    for vectors in fold.first:
        write_vectors(payload, vectors, triangular=True, predicted=True)
    payload.integers([fold.second.count], COUNT_MEAN, signed=False)
    write_vectors(payload, fold.second, triangular=True)


def write_older_matrices(payload, matrices):
    """Append triangular rotation matrices without row shifts."""
    payload.integers([TRIANGULAR, matrices[0].count], COUNT_MEAN, signed=False)
    payload.integers([len(matrices)], COUNT_MEAN, signed=False)
    for matrix in matrices:
        write_vectors(payload, matrix, triangular=True)
