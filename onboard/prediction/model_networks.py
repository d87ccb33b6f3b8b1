"""The networks of a model of either kind, ready to be opened."""

from __future__ import annotations

from dataclasses import replace

from bandfold.bitstream.contexts.tables import Tables, load_tables
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.predicted_codec import PredictedCodec, codec_of
from bandfold.common.errors import SettingsError
from bandfold.common.workers import Workers
from bandfold.onboard.networks.engine_choice import IntegerModel
from bandfold.onboard.networks.network_engine import NetworkEngine, integer_model
from bandfold.onboard.settings import EncoderSettings, PackageName, find_package

from .innovation_network import InnovationNetwork, innovation_model
from .predicted_coder import PredictedMethod

Codec = BandCodec | PredictedCodec
Networks = InnovationNetwork | NetworkEngine


def integer_models(codec: Codec) -> list[IntegerModel]:
    """The analyses of a model in 8-bit integers.

    Parameters
    ----------
    codec : BandCodec or PredictedCodec
        The model.

    Returns
    -------
    list of IntegerModel
        One for each of its engines; none of a model in floating point.

    Raises
    ------
    ModelError
        If one does not turn planes into latents.
    """
    if isinstance(codec, PredictedCodec):
        return [innovation_model(codec, engine) for engine in range(codec.engines)]
    return [integer_model(codec, engine) for engine in range(codec.engines if codec.quantised else 0)]


def networks_of(codec: Codec, settings: EncoderSettings) -> Networks:
    """What runs the networks of a model.

    Parameters
    ----------
    codec : BandCodec or PredictedCodec
        The model.
    settings : EncoderSettings
        Engine and threads.

    Returns
    -------
    InnovationNetwork or NetworkEngine

    Raises
    ------
    SettingsError
        If there is no such engine, or streams cannot be coded with the model.
    ModelError
        If it cannot run this kind of model.
    """
    if isinstance(codec, PredictedCodec):
        return InnovationNetwork(codec, settings.engine)
    if settings.stream:
        raise SettingsError(
            f"model {codec.name!r} has one step for a whole scene, which a stream cannot know: take a model "
            "that predicts bands (bandfold models), or leave out stream"
        )
    return NetworkEngine(codec, settings.threads, settings.engine)


def streamed_model(settings: EncoderSettings, tables: Tables | None = None) -> PredictedMethod:
    """The method of a stream with a model.

    Parameters
    ----------
    settings : EncoderSettings
        Which name a model.
    tables : Tables, optional
        Entropy tables of the format; those of the settings if not given.

    Returns
    -------
    PredictedMethod

    Raises
    ------
    SettingsError
        If streams cannot be coded with the model.
    ModelError
        If there is no such model, or it cannot be used.
    """
    wanted: PackageName = settings.model or ""
    networks = networks_of(codec_of(find_package(wanted)), replace(settings, stream=True))
    if not isinstance(networks, InnovationNetwork):
        raise TypeError("streams have other models")
    return PredictedMethod(networks, tables or load_tables(settings.tables_path), Workers(settings.threads))
