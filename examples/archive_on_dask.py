# %% [markdown]
# # An archive on Dask
#
# A folder of streams becomes a folder of Zarr stores, on the cores of this machine or on a cluster; then
# all of them are analysed as one array. It takes `pip install 'bandfold[archive]'`.

# %%
from pathlib import Path

import numpy as np
import xarray

import bandfold
from bandfold.ground.archive.archive_decoding import Archive
from bandfold.ground.archive.dask_cluster import dask_client
from bandfold.synthetic.scenes import SyntheticScene

streams = []
for day in ("monday", "tuesday", "wednesday"):
    streams.append(Path(f"{day}.bf"))
    scene = SyntheticScene(lines=48, samples=40, bands=24, seed=len(streams))
    bandfold.Encoder(psnr=75, strip_lines=16).encode_to(scene, streams[-1])

# %% [markdown]
# `dask_client("tcp://host:8786")` connects to a cluster that is there. What is decoded already, and
# verified, is skipped: the same call goes on where it was interrupted. `bandfold decode *.bf --to zarr -o
# decoded` does the same.


# %%
def main() -> None:
    """Decode the archive, and look for change; in a function because workers import this file."""
    archive = Archive(streams, Path("decoded"))
    with dask_client(workers=1) as client:
        for outcome in archive.decode(client):
            print(f"{outcome.output.name}: {outcome.state}")
        print("again:", {outcome.state for outcome in archive.decode(client)})

    # Nothing is read before it is asked for, chunk by chunk.
    days = xarray.concat(
        [xarray.open_zarr(f"decoded/{stream.stem}.zarr").cube for stream in streams],
        dim="day",
        join="override",
    )
    change = days.astype(np.float32).std("day").mean("band")
    print(f"{days.sizes['day']} days, in chunks of {days.chunksizes['y'][0]} lines")
    print(f"largest change {float(change.max()):.0f} counts")


if __name__ == "__main__":
    main()
