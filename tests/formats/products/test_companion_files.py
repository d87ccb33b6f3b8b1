"""Lookup tables, grids of places and geometry in files of their own: one line says that they stay behind."""

import json

import numpy as np
import pytest

from bandfold.formats.companion_files import companion_notes
from bandfold.formats.opening import open_scene

NAMES = {
    "AVIRIS-NG": (
        "ang20170328t202059_rdn_v2p9_img",
        ["ang20170328t202059_rdn_glt", "ang20170328t202059_rdn_igm", "ang20170328t202059_rdn_obs"],
        ["ang20170328t202059_rdn_v2p9_log", "ang20170328t191111_rdn_glt", "notes_glt"],
    ),
    "AVIRIS-3": (
        "AV320231008t163521_000_L1B_RDN_3f4aef90_RDN.nc",
        [
            "AV320231008t163521_000_L1B_ORT_3f4aef90_GLT.nc",
            "AV320231008t163521_000_L1B_ORT_3f4aef90_LOC.nc",
            "AV320231008t163521_000_L1B_ORT_3f4aef90_OBS.nc",
        ],
        [
            "AV320231008t163521_001_L1B_ORT_3f4aef90_GLT.nc",
            "AV320231008t163521_000_L1B_RDN_3f4aef90_BANDMASK.nc",
        ],
    ),
    "EMIT": (
        "EMIT_L1B_RAD_001_20220816T063427_2222811_003.nc",
        ["EMIT_L1B_OBS_001_20220816T063427_2222811_003.nc"],
        ["EMIT_L1B_OBS_001_20220816T063439_2222811_004.nc"],
    ),
    "another": ("field.hdr", ["field_loc.hdr", "field_glt"], ["field2_glt", "my_field_glt", "field_glt_old"]),
    "another image": ("field_img", ["field_igm"], ["other_igm", "field_image"]),
}


@pytest.mark.parametrize("product", NAMES)
def test_what_belongs_to_a_scene_is_named(tmp_path, product):
    scene, own, others = NAMES[product]
    for name in (scene, *own, *others):
        (tmp_path / name).touch()
        (tmp_path / f"{name}.hdr").touch()
    (note,) = companion_notes(tmp_path / scene)
    names = ", ".join(sorted(name.partition(".")[0] for name in own))
    assert note == f"not carried, keep these files beside the stream: {names}"


def test_nothing_is_said_of_a_scene_alone(tmp_path):
    (tmp_path / "field.hdr").touch()
    assert companion_notes(tmp_path / "field.hdr") == ()
    assert companion_notes(tmp_path / "nowhere" / "field.hdr") == ()


def test_many_are_counted(tmp_path):
    for number in range(7):
        (tmp_path / f"ang20170328t202059_v{number}_glt").touch()
    (note,) = companion_notes(tmp_path / "ang20170328t202059_img")
    assert note.endswith("_v3_glt and 3 others")


def test_encode_says_so(run, tmp_path):
    np.save(tmp_path / "field_rdn.npy", np.arange(4 * 32 * 24, dtype="u2").reshape(4, 32, 24))
    (tmp_path / "field_glt").touch()
    assert open_scene(tmp_path / "field_rdn.npy").notes[-1].endswith(": field_glt")
    result = run("encode", "field_rdn.npy", "-o", "a.bf", "--bps", 2, "--json")
    told = "not carried, keep these files beside the stream: field_glt"
    assert told in json.loads(result.out)["notes"]
    assert f"warning: {told}" in result.err
