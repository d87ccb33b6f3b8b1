"""What makes figures of a board doubtful, in words."""

from __future__ import annotations

from typing import Any

from bandfold.benchmarks.power.energy import ENOUGH

BUSY = 10.0
"""Percent of the processors in use while nothing should run, above which the idle power says little."""

DRIFT = 0.1
"""Change of the power at rest, as a part of the power above it, that makes net figures uncertain."""


def warnings_of(found: dict[str, Any]) -> list[str]:
    """Look for what makes a measurement doubtful.

    Parameters
    ----------
    found : dict
        As `bandfold.benchmarks.board.measurement.measure` returns it.

    Returns
    -------
    list of str
        Sentences; empty if nothing was found.
    """
    told = []
    busy = max(one["busy"] for one in found["idle"])
    if busy > BUSY:
        told.append(
            f"Something else used {busy:.0f} % of the processors while nothing should have run: no "
            "figure is that of the board alone."
        )
    told += _of_sampling(found["sampling"]) + _of_rest(found)
    conditions = found["conditions"] or {}
    if conditions.get("throttled"):
        told.append(f"The board was slowed down: {', '.join(conditions['throttled'])}.")
    odd = [name for name in conditions.get("governors", ()) if name != "performance"]
    if odd:
        told.append(
            f"The frequency governor is {', '.join(odd)}: clocks follow the load, and with 'performance' "
            "figures vary less."
        )
    return told


def _of_sampling(sampling: dict[str, Any] | None) -> list[str]:
    if sampling is None or sampling["counts"]:
        return []
    shortest = sampling["shortest_load_seconds"]
    slowest = max(sampling["interval_seconds"], sampling["update_seconds"] or 0.0)
    values = min(sampling["least_readings"], shortest / slowest)
    if values < ENOUGH:
        return [
            f"The sensor is too slow for a load of {shortest:.2f} s: {values:.0f} values, one every "
            f"{slowest:.2g} s. Make the load last {ENOUGH * slowest:.0f} s or more with --seconds."
        ]
    observed = sampling["observed_update_seconds"]
    if observed is None:
        return [
            "The sensor showed the same power throughout every load: it may be stuck, or slower than the "
            "loads last."
        ]
    if shortest / observed < ENOUGH:
        return [
            f"The sensor showed a new power only every {observed:.2g} s in the mean: if it is that slow, "
            f"make the load last {ENOUGH * observed:.0f} s or more with --seconds."
        ]
    return []


def _of_rest(found: dict[str, Any]) -> list[str]:
    watts = [one["watts"] for one in found["idle"]]
    net = (found["encode"]["net_watts"] or {}).get("mean")
    if net is None or None in watts:
        return []
    if net <= 0:
        return ["The load takes no more power than rest: the sensor does not see it."]
    if max(watts) - min(watts) <= DRIFT * net:
        return []
    return [
        f"Power at rest went from {watts[0]:.2f} to {watts[-1]:.2f} W while the load takes {net:.2f} W more: "
        "net figures are uncertain. Let the board warm up (--warm-up) or rest longer (--idle)."
    ]
