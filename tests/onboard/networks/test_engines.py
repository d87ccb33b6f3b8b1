"""Every engine gives the integers of the golden model: any thread count, any optimisation level."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bandfold.bitstream.packages.package import load_package, unpack
from bandfold.bitstream.packages.registry import SHIPPED_PACKAGES
from bandfold.bitstream.segments.band_codec import BandCodec
from bandfold.bitstream.segments.predicted_codec import codec_of
from bandfold.common.errors import ModelError, SettingsError
from bandfold.ground.decoder import Decoder
from bandfold.onboard.encoder import Encoder
from bandfold.onboard.networks import engine_choice as choice
from bandfold.onboard.networks import litert_network as litert
from bandfold.onboard.networks.conv_stack import ConvStack
from bandfold.onboard.networks.engine_choice import ENGINES, check_engines, is_exact, open_exact, probe, unfit
from bandfold.onboard.networks.integer_network import to_integers
from bandfold.onboard.networks.litert_network import LiteRtNetwork
from bandfold.onboard.networks.network_engine import NetworkEngine, integer_model
from bandfold.onboard.networks.numpy_network import NumpyNetwork
from bandfold.onboard.networks.onnxruntime_network import OrtNetwork
from bandfold.onboard.prediction.model_networks import integer_models

GOLDEN = Path(__file__).parents[2] / "golden"
MODEL = GOLDEN / "int8/golden-int8.bfm"
LEVELS = ("ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_EXTENDED", "ORT_ENABLE_ALL")


def _load_maker():
    specification = importlib.util.spec_from_file_location("make_int8", GOLDEN / "make_int8.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["make_int8"] = module
    specification.loader.exec_module(module)
    return module


maker = _load_maker()


@pytest.fixture(scope="module")
def codec():
    return BandCodec.from_package(load_package(MODEL))


@pytest.fixture(scope="module")
def latents():
    """Inputs and the pinned latents of each network of the golden model."""
    with np.load(GOLDEN / "int8/inputs.npz") as inputs, np.load(GOLDEN / "int8/latents.npz") as pinned:
        assert set(inputs) == set(pinned)
        return {
            number: [(plane, pinned[name]) for name, plane in inputs.items() if name.startswith(str(number))]
            for number in range(2)
        }


def check(network, pairs):
    for plane, wanted in pairs:
        np.testing.assert_array_equal(network.run(plane), wanted)
    # A batch of two, and the first size again after another one.
    plane, wanted = pairs[0]
    np.testing.assert_array_equal(
        network.run(np.concatenate([plane, plane])), np.concatenate([wanted, wanted])
    )


def test_pinned_latents_show_something(latents):
    values = np.concatenate([wanted.ravel() for pairs in latents.values() for _, wanted in pairs])
    assert np.unique(values).size > 100
    assert values.min() == -128
    assert values.max() == 127
    assert ((values > -128) & (values < 127)).mean() > 0.85


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", ENGINES)
def test_engines_give_the_pinned_latents(codec, latents, name, threads, number):
    if name != "numpy":
        pytest.importorskip({"litert": "ai_edge_litert", "onnxruntime": "onnxruntime"}[name])
    model = integer_model(codec, number)
    opened = open_exact(model, name, threads)
    assert (opened.engine, opened.notes) == (name, ())
    check(opened.network, latents[number])


@pytest.mark.parametrize("level", LEVELS)
def test_optimisation_changes_nothing(codec, latents, level):
    pytest.importorskip("onnxruntime")
    for number in range(2):
        for threads in (1, 2):
            model = integer_model(codec, number)
            check(OrtNetwork(model.onnx, model.name, threads, level), latents[number])


def test_the_spelt_out_reference_is_what_was_pinned(latents):
    plane, wanted = latents[1][1]
    np.testing.assert_array_equal(maker.reference(maker.stack(1), plane), wanted)


def test_the_onnx_file_holds_the_network_that_was_written(codec):
    for number in range(2):
        found, wanted = integer_model(codec, number).stack, maker.stack(number)
        assert (found.scale, found.zero, len(found.layers)) == (wanted.scale, wanted.zero, len(wanted.layers))
        for one, other in zip(found.layers, wanted.layers, strict=True):
            np.testing.assert_array_equal(one.weights, other.weights)
            np.testing.assert_array_equal(one.weight_scales, other.weight_scales)
            np.testing.assert_array_equal(one.bias, other.bias)
            assert (one.stride, one.scale, one.zero) == (other.stride, other.scale, other.zero)


@pytest.mark.parametrize("name", ENGINES)
def test_engines_write_the_golden_stream(codec, name):
    if name != "numpy":
        pytest.importorskip({"litert": "ai_edge_litert", "onnxruntime": "onnxruntime"}[name])
    encoder = Encoder(model=MODEL, engine=name, threads=2, **maker.SETTINGS)
    assert encoder.encode(maker.maker().modelled()) == (GOLDEN / "int8/stream.bndf").read_bytes()
    assert (encoder.engines, encoder.notes) == ((name,), ())


def test_the_golden_stream_decodes():
    pytest.importorskip("onnxruntime")
    scene = maker.maker().modelled()
    cube = scene.read(slice(0, scene.info.bands), slice(0, scene.info.lines))
    decoder = Decoder(GOLDEN / "int8/stream.bndf", models=[MODEL])
    restored = decoder.decode()
    assert decoder.damage == []
    assert restored.shape == cube.shape
    np.testing.assert_array_equal(restored == -9999, cube == -9999)


def test_auto_takes_the_first_that_is_exact(codec, monkeypatch):
    model = integer_model(codec, 0)
    assert open_exact(model).engine == next(name for name in ENGINES if not unfit(name))

    class Wrong:
        """One latent in ten thousand is off by one."""

        def __init__(self, network):
            self.network = network

        def run(self, batch):
            found = self.network.run(batch).copy()
            found.ravel()[::10000] ^= 1
            return found

    wrong = {
        name: replace(kind, open=lambda model, *_: Wrong(NumpyNetwork(model.stack)))
        for name, kind in ENGINES.items()
        if name != "numpy"
    }
    monkeypatch.setattr(choice, "ENGINES", {**wrong, "numpy": ENGINES["numpy"]})
    assert open_exact(model).engine == "numpy"
    for name in wrong:
        if not unfit(name):
            with pytest.raises(ModelError, match=f"engine {name} does not give the golden latents"):
                open_exact(model, name)
            assert "does not give" in dict(check_engines(model))[name]


def test_accelerators_are_named_behind_a_colon(codec):
    model = integer_model(codec, 0)
    for wanted in ("auto:x", "numpy:x"):
        with pytest.raises(SettingsError, match="runs on the processor"):
            open_exact(model, wanted)
    for name, accelerator, message in (
        ("litert", "no-such-delegate.so", "cannot be opened"),
        ("onnxruntime", "AbacusExecutionProvider", "cannot be opened|does not have it"),
    ):
        if ENGINES[name].installed():
            with pytest.raises(ModelError, match=message):
                open_exact(model, f"{name}:{accelerator}")
    if ENGINES["onnxruntime"].installed():
        opened = open_exact(model, "onnxruntime:CPUExecutionProvider")
        assert opened.engine == "onnxruntime:CPUExecutionProvider"


def test_a_model_that_no_engine_agrees_with_is_refused(codec):
    model = replace(integer_model(codec, 0), golden=bytes(32))
    with pytest.raises(ModelError, match=r"no engine gives the golden latents .*numpy: engine numpy"):
        open_exact(model)


def test_the_old_runtime_is_never_taken_by_itself_and_announced(codec, monkeypatch):
    pytest.importorskip("ai_edge_litert")
    monkeypatch.setattr(choice, "_is_legacy", lambda: True)
    model = integer_model(codec, 0)
    assert open_exact(model).engine != "litert"
    (note,) = open_exact(model, "litert").notes
    assert "integers differ between processors" in note


def test_what_is_not_installed_is_told(codec, monkeypatch):
    model = integer_model(codec, 0)
    monkeypatch.setattr(litert, "MODULES", ("no_such_module.interpreter",))
    with pytest.raises(ModelError, match=r"needs LiteRT.*pip install 'bandfold\[tflite\]'"):
        open_exact(model, "litert")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"needs ONNX Runtime"):
        open_exact(model, "onnxruntime")
    with pytest.raises(SettingsError, match="engine 'tpu' is unknown"):
        open_exact(model, "tpu")


def test_what_is_no_network_is_refused(codec):
    model = integer_model(codec, 0)
    for data in (b"", b"nonsense", model.onnx[:-100]):
        with pytest.raises(ModelError, match="mine"):
            ConvStack.from_onnx(data, "mine")
        if unfit("onnxruntime") == "":
            with pytest.raises(ModelError, match="mine cannot be opened"):
                OrtNetwork(data, "mine")
    if unfit("litert") == "":
        for data in (b"nonsense", b""):
            with pytest.raises(ModelError, match="mine cannot be opened"):
                LiteRtNetwork(data, "mine")
    floating = load_package(GOLDEN / "golden-walsh.bfm").engines["analysis-0.onnx"]
    with pytest.raises(ModelError, match="an operator Conv"):
        ConvStack.from_onnx(floating, "mine")


def test_planes_of_another_shape_are_refused(codec):
    model = integer_model(codec, 0)
    for name in ENGINES:
        if name != "numpy" and not unfit(name):
            with pytest.raises(ModelError, match="cannot be run"):
                open_exact(model, name).network.run(np.zeros((1, 2, 32, 32), np.int8))


def test_a_quantised_model_needs_its_files(codec):
    package = load_package(MODEL)
    for name in ("analysis-0.onnx", "analysis-1.tflite"):
        engines = {key: data for key, data in package.engines.items() if key != name}
        with pytest.raises(ModelError, match=f"no {name}"):
            BandCodec.from_package(replace(package, engines=engines))
    for golden in (np.zeros((2, 31), np.uint8), np.zeros((1, 32), np.uint8), np.zeros((2, 32), np.int8)):
        with pytest.raises(ModelError, match="golden latents"):
            BandCodec.from_package(replace(package, arrays={**package.arrays, "analysis-golden": golden}))


def test_networks_of_other_units_are_refused(codec):
    networks = dict(codec.networks)
    networks["analysis-0.onnx"] = networks["analysis-1.onnx"]
    with pytest.raises(ModelError, match="golden latents"):
        NetworkEngine(replace(codec, networks=networks), engine="numpy").analyse(np.zeros((16, 16)), 0)


def test_planes_are_rounded_and_clipped():
    planes = np.array([[0.0, 1e9, -1e9, 3.0]])
    np.testing.assert_array_equal(to_integers(planes, 0.5, 3), [[3, 127, -128, 9]])
    # Whole units stay what they are, wherever they lie: nothing is nothing.
    whole = np.random.default_rng(0).integers(-100, 100, (2, 1, 35, 50))
    np.testing.assert_array_equal(to_integers(whole * 0.25, 0.25, 0), whole)


def test_rounding_errors_of_a_flat_block_cancel():
    for level in np.linspace(-3, 3, 41).tolist():
        found = to_integers(np.full((32, 48), level), 1.0, 5) - 5.0
        assert np.abs(found - level).max() < 1
        for block in found.reshape(2, 16, 3, 16).transpose(0, 2, 1, 3).reshape(6, -1):
            assert abs(block.mean() - level) <= 0.5 / 256 + 1e-9
        # And of parts of it nearly so.
        assert np.abs(found.reshape(8, 4, 12, 4).mean(axis=(1, 3)) - level).max() <= 1 / 16


def test_engines_of_floating_point_and_of_none():
    walsh = BandCodec.from_package(load_package(GOLDEN / "golden-walsh.bfm"))
    for name in ("litert", "numpy"):
        with pytest.raises(ModelError, match=f"which engine {name} does not run"):
            NetworkEngine(walsh, engine=name)
    with pytest.raises(SettingsError, match="0 threads"):
        NetworkEngine(walsh, threads=0)
    with pytest.raises(SettingsError, match="name a model"):
        Encoder(step=1.0, engine="numpy")
    pytest.importorskip("onnxruntime")
    engine = NetworkEngine(walsh, engine="onnxruntime")
    engine.analyse(np.zeros((16, 16)), 0)
    assert list(engine.used) == ["onnxruntime"]
    assert "computes in floating point" in next(iter(engine.notes))


def test_a_flipped_bit_anywhere_in_a_model_is_refused():
    data = bytearray(MODEL.read_bytes())
    assert len(data) > 80000
    for at in range(0, len(data), 157):
        data[at] ^= 1 << at % 8
        with pytest.raises(ModelError):
            unpack(bytes(data))
        data[at] ^= 1 << at % 8
    assert unpack(bytes(data)).name == "golden-int8"


def _shipped():
    return [
        codec_of(package)
        for path in sorted(SHIPPED_PACKAGES.glob("*.bfm"))
        if (package := load_package(path)).manifest.kind == "codec"
    ]


def test_shipped_models_are_exact_here():
    codecs = _shipped()
    assert {"balle48-relu-cal-l1", "balle48-relu-uncal-l1", "innovations"} == {codec.name for codec in codecs}
    for codec in codecs:
        models = integer_models(codec)
        assert len(models) == codec.engines > 0
        for model in models:
            for threads in (1, 2):
                assert dict(check_engines(model, threads)) == {
                    name: "" for name, kind in ENGINES.items() if kind.installed()
                }


def test_the_probe_uses_every_integer(codec):
    made = probe(integer_model(codec, 0).stack)
    assert made.shape == (1, 1, 256, 256)
    assert np.unique(made).size == 256
    assert is_exact(NumpyNetwork(integer_model(codec, 0).stack), integer_model(codec, 0))
