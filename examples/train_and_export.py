# %% [markdown]
# # Training and exporting a model
#
# Train a network on a folder of scenes, make a package of 8-bit integers of it, and code with that. The
# smoke configuration trains in seconds and codes badly: it shows the way. It takes `pip install
# 'bandfold[train,export,onnx,tflite]'`.

# %%
from pathlib import Path

from bandfold.cli.main import main
from bandfold.formats.envi.writer import write_envi
from bandfold.synthetic.scenes import SyntheticScene


def bandfold(*arguments: str) -> None:
    """Run the command as a shell does, in this process; it ends with its exit status."""
    print("$ bandfold", *arguments)
    try:
        main(arguments)
    except SystemExit as end:
        if end.code:
            raise


# %% [markdown]
# Scenes to train on are ENVI files in a folder. Here is one, made up.

# %%
Path("scenes").mkdir(exist_ok=True)
scene = SyntheticScene(lines=24, samples=20, bands=40, seed=1)
write_envi("scenes/scene.hdr", scene.read(slice(0, 40), slice(0, 24)), scene.info)

# %% [markdown]
# A configuration names the network, the bands that share one, and the steps (`training/configs/` holds
# those that are shipped, [docs/training.md](../docs/training.md) says what is in them). An interrupted
# training goes on when the same command is given again.

# %%
bandfold(
    "train",
    "--config",
    "balle48-relu-smoke",
    "--scenes",
    "scenes",
    "-o",
    "run",
    "--threads",
    "1",
    "--no-export",
)

# %% [markdown]
# The package holds the network in integers, as all engines run it, and how it was made. Scenes of the
# sensor calibrate the ranges of its activations.

# %%
bandfold("export", "run", "--calibration", "scenes", "-o", "ours.bfm", "--name", "ours")
bandfold("models", "show", "ours.bfm")

# %% [markdown]
# Both sides need the package: it is part of what a stream means.

# %%
bandfold(
    "encode", "scenes/scene.hdr", "-o", "scene.bf", "--bps", "1", "--model", "ours.bfm", "--engine", "numpy"
)
bandfold("decode", "scene.bf", "-o", "again.hdr", "--model", "ours.bfm")
bandfold("compare", "scenes/scene.hdr", "again.hdr")
