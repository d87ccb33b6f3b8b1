"""Ways to damage a stream change it."""

import random

from bandfold.benchmarks.damage.mutations import flipped, mutated, mutated_payload, without_segments


def test_ways_to_damage_differ_from_the_stream(subject):
    chance = random.Random(1)
    assert len({*flipped(subject.data), subject.data}) == 8 * len(subject.data) + 1
    assert without_segments(subject.data, 0, chance) == subject.data
    assert len(without_segments(subject.data, 100, chance)) < len(subject.data)
    for way in (mutated, mutated_payload):
        assert sum(way(subject.data, chance) != subject.data for _ in range(20)) > 15
