"""Packets of a stream while it is made."""

from __future__ import annotations

from collections.abc import Callable

from bandfold.bitstream.container.sections import SIGNATURE, Section, write_preamble

from .packets import Packetiser, PacketSettings


class PacketWriter:
    """Cuts into packets what an encoder of lines writes, and hands them on at once.

    The packets are those that `bandfold.onboard.downlink.packets.packetise` makes of the finished stream with
    the same identity. Nothing is held but the sections that are to be sent again.

    Parameters
    ----------
    settings : PacketSettings
        APID, size, scene number and repetition of the packets.
    send : callable
        Called with every packet, as bytes, in order.

    Raises
    ------
    SettingsError
        If spacepackets is not installed.

    Attributes
    ----------
    packetiser : Packetiser
        Tells how much there was, the identity of the stream, and with which sequence count the next scene
        goes on.

    Examples
    --------
    >>> import numpy as np
    >>> from bandfold.common.scene import SceneInfo
    >>> from bandfold.onboard import StreamEncoder
    >>> packets = []
    >>> writer = PacketWriter(PacketSettings(100, size=1024), packets.append)
    >>> info = SceneInfo(8, 1, 16, np.dtype("uint16"), interleave="bil")
    >>> encoder = StreamEncoder(info, writer.write, step=4.0, repeat=0)
    >>> encoder.push(np.ones((20, 8, 16), dtype=np.uint16))
    >>> encoder.flush()
    >>> len(packets) == writer.packetiser.packets
    True
    """

    def __init__(self, settings: PacketSettings, send: Callable[[bytes], object]) -> None:
        self.packetiser = Packetiser(settings)
        self._send = send
        self._closed = False

    def write(self, data: bytes) -> None:
        """Send sections; behind the end of the stream, the last copies and the closing packets as well.

        Parameters
        ----------
        data : bytes
            Whole sections, the first of a stream with its preamble before them, as
            `bandfold.onboard.StreamEncoder` writes them.

        Raises
        ------
        StreamError
            If a section is longer than 4 GiB.
        """
        begins = data.startswith(SIGNATURE)
        for packet in self.packetiser.push_stream(data if begins else write_preamble() + data):
            self._send(packet)
        if data[:1] == bytes([Section.END]):
            self.close()

    def close(self) -> None:
        """End the scene, where the stream has no end of its own or was given up; harmless the second time."""
        if self._closed:
            return
        self._closed = True
        for packet in self.packetiser.close():
            self._send(packet)
