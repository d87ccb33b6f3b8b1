"""The first layer of a network over planes, as engines like it: more channels in, fewer positions."""

from __future__ import annotations

import numpy as np

from bandfold.onboard.networks.conv_stack import ConvLayer, ConvStack, same_padding


def widen(stack: ConvStack) -> ConvStack:
    """Let the first layer see the samples of a block as channels of one position.

    A strided convolution over one channel becomes one without strides over ``stride ** 2`` channels, with the
    same integers: weights that are new are 0. LiteRT runs it several times as fast, because it multiplies
    channels in groups.

    Parameters
    ----------
    stack : ConvStack
        Over one channel.

    Returns
    -------
    ConvStack
        Over what `bandfold.onboard.networks.integer_network.to_channels` makes of a plane, with blocks of the
        stride. The same if its first layer has no strides.
    """
    first = stack.layers[0]
    stride = first.stride
    if stack.inputs != 1 or stride == 1:
        return stack
    before, _ = same_padding(first.kernel, stride)
    # Whole blocks around the first sample of a block: as many before as after, which is SAME without strides.
    reach = max(-(-before // stride), -(-(first.kernel - before) // stride) - 1)
    size = (2 * reach + 1) * stride
    start = reach * stride - before
    kernel = np.zeros((len(first.bias), size, size), np.int8)
    kernel[:, start : start + first.kernel, start : start + first.kernel] = first.weights[:, 0]
    blocks = kernel.reshape(-1, 2 * reach + 1, stride, 2 * reach + 1, stride)
    weights = blocks.transpose(0, 2, 4, 1, 3).reshape(-1, stride * stride, 2 * reach + 1, 2 * reach + 1)
    layer = ConvLayer(
        np.ascontiguousarray(weights), first.weight_scales, first.bias, 1, first.scale, first.zero
    )
    return ConvStack(stack.scale, stack.zero, (layer, *stack.layers[1:]))
