"""Plans of predicted bands for any step, in the order of coding that costs least about there."""

from __future__ import annotations

import math
from copy import copy

from bandfold.common.exact import exp2, log2_of
from bandfold.onboard.planning.plan import Plan
from bandfold.onboard.prediction.predicted_coder import PredictedMethod
from bandfold.onboard.prediction.predicted_planner import PredictedPlanner
from bandfold.onboard.samples.samples import Samples
from bandfold.onboard.target import step_code

from .order_trial import choose_order


class OctaveOrders:
    """A planner of predicted bands that chooses an order for each octave of the step.

    So a plan depends on its step alone, and not on the target for which steps were tried.

    Parameters
    ----------
    samples : Samples
        Of the scene.
    method : PredictedMethod
        The model.
    planner : PredictedPlanner
        Makes plans in the usual order.
    """

    depends_on_step = True

    def __init__(self, samples: Samples, method: PredictedMethod, planner: PredictedPlanner) -> None:
        self._samples = samples
        self._method = method
        self._usual = planner
        self._chosen: dict[int, PredictedPlanner] = {}

    def plan(self, step: float, *, rotate: bool = True) -> Plan:
        """Plan for a step; a rough plan has the usual order. See `Planner.plan`."""
        if not rotate:
            return self._usual.plan(step)
        octave = math.floor(log2_of(step))
        if octave not in self._chosen:
            planner = copy(self._usual)
            choose_order(self._samples, self._method, planner, step_code(exp2(octave + 0.5)))
            self._chosen[octave] = planner
        return self._chosen[octave].plan(step)

    def step_for_bits(self, bits: float) -> float:
        """See `Planner.step_for_bits`."""
        return self._usual.step_for_bits(bits)

    def step_for_error(self, mse: float) -> float:
        """See `Planner.step_for_error`."""
        return self._usual.step_for_error(mse)

    def forget(self) -> None:
        """See `Planner.forget`."""
        self._usual.forget()

    def finish(self) -> None:
        """See `Planner.finish`."""
        self._usual.finish()
