"""What ONNX files of context networks have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from bandfold.common.onnx_session import INPUT, OUTPUT
from bandfold.common.scene import CHANNELS
from bandfold.export.onnx_versions import IR_VERSION, OPSET


class OnnxModel:
    """An ONNX file, put together node by node, from ``input`` to ``output``."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        """Add an array.

        Parameters
        ----------
        name : str
            Of the constant.
        value : ndarray or number
            Its content.

        Returns
        -------
        str
            `name`.
        """
        self._constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add an operator.

        Parameters
        ----------
        operator : str
            Such as ``"Clip"``.
        inputs : sequence of str
            Names of what it takes.
        output : str
            Name of what it gives.
        **attributes : object
            Of the operator.

        Returns
        -------
        str
            `output`.
        """
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def finish(
        self,
        about: Mapping[str, str],
        inputs: int,
        *,
        floats: bool = False,
        extent: tuple[int, int] | None = None,
    ) -> bytes:
        """Bytes of the file.

        Parameters
        ----------
        about : mapping of str to str
            What the file says of itself, from `bandfold.export.contexts.context_description`.
        inputs : int
            Planes that come in.
        floats : bool
            Whether input and output are float32, and not int8.
        extent : tuple of int, optional
            Rows and columns, if there is to be one plane of these and no others.

        Returns
        -------
        bytes
        """
        kind = TensorProto.FLOAT if floats else TensorProto.INT8

        def planes(name: str, channels: int) -> onnx.ValueInfoProto:
            shape: list[str | int | None] = ["n", channels, "rows", "columns"]
            if extent:
                shape = [1, channels, *extent]
            return helper.make_tensor_value_info(name, kind, shape, doc_string=about[name])

        graph = helper.make_graph(
            self._nodes,
            "contexts",
            [planes(INPUT, inputs)],
            [planes(OUTPUT, CHANNELS)],
            self._constants,
            doc_string=f"Contexts of latents, {about['source']}. {about[INPUT]} {about[OUTPUT]}",
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="bandfold",
        )
        helper.set_model_props(model, dict(about))
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString(deterministic=True)
        return data
