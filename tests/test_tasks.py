"""Task families: the waves, where they are seen, and the source-domain rule."""

from dataclasses import replace

import numpy as np
import pytest

from metademo.tasks import (
    FAMILIES,
    PI,
    SHAPES,
    SourceBand,
    WaveFamily,
    Waves,
    turned,
    wave_families,
)

DRAWS = 4000

WAVES = wave_families()
family_names = pytest.mark.parametrize("family", WAVES.values(), ids=WAVES.keys())
supports = pytest.mark.parametrize(
    ("family", "sources"),
    [(family, 0) for family in WAVES.values()]
    + [(family, 5) for family in WAVES.values() if family.bands],
    ids=lambda value: getattr(value, "name", "unlabelled" if value else "labelled"),
)


def _episodes(family, n=DRAWS, *, seed=0, shots=4, queries=6, sources=0):
    rng = np.random.default_rng(seed)
    return family.sample_episodes(rng, n, shots=shots, queries=queries, sources=sources)


def test_waves_are_amplitude_times_the_sine_of_frequency_times_x_plus_phase():
    waves = Waves(np.array([1.0, 2.0]), np.array([1.0, 3.0]), np.array([0.5, -1.0]))
    x = np.array([-1.0, 0.0, 0.7])
    expected = [np.sin(x + 0.5), 2 * np.sin(3 * x - 1)]
    np.testing.assert_allclose(waves(x), expected, rtol=1e-14)
    own = np.array([x, x + 1])
    np.testing.assert_allclose(waves(own)[1], 2 * np.sin(3 * (x + 1) - 1), rtol=1e-14)
    assert len(waves) == 2


def test_one_wave_is_a_batch_of_one():
    wave = Waves.one(amplitude=2, phase=PI / 2)
    assert len(wave) == 1
    assert wave([0.0, PI]) == pytest.approx(np.array([[2.0, -2.0]]))


def test_the_registry_knows_the_families_of_the_article_and_the_benchmark():
    assert {"two-phase", "any-phase", "finn"} <= FAMILIES.keys()
    assert all(name == family.name and family.title for name, family in FAMILIES.items())


@family_names
def test_shapes_ranges_and_labels(family):
    waves, episode = _episodes(family)
    assert len(waves) == DRAWS
    for examples, points in ((episode.support, 4), (episode.query, 6)):
        assert examples.x.shape == examples.y.shape == (DRAWS, points)
        low, high = family.x_range
        assert low <= examples.x.min() < low + 0.02
        assert high - 0.02 < examples.x.max() <= high
        angle = waves.frequency[:, None] * examples.x + waves.phase[:, None]
        off = examples.y - waves.amplitude[:, None] * np.sin(angle)
        noise = family.noise if examples is episode.support else 0.0
        assert off.std() == pytest.approx(noise, rel=0.05)
    assert not np.isin(episode.support.x, episode.query.x).any()


@pytest.mark.parametrize("family", [FAMILIES["two-phase"], FAMILIES["any-phase"]])
def test_waves_of_the_article_have_amplitude_and_frequency_one_on_two_periods(family):
    waves = family.sample_tasks(np.random.default_rng(0), 50)
    assert (waves.amplitude == 1).all()
    assert (waves.frequency == 1).all()
    assert family.x_range == (-2 * PI, 2 * PI)
    np.testing.assert_allclose(family.grid, np.linspace(-2 * PI, 2 * PI, 400), rtol=1e-14)


def test_two_phases_are_equally_likely():
    phase = _episodes(FAMILIES["two-phase"])[0].phase
    assert set(phase) == {0.0, PI}
    assert abs((phase == 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(DRAWS)


def test_any_phase_is_uniform_from_0_to_pi():
    phase = np.sort(_episodes(FAMILIES["any-phase"])[0].phase)
    assert phase[0] >= 0
    assert phase[-1] <= PI
    distance = np.abs(phase / PI - (np.arange(DRAWS) + 0.5) / DRAWS).max()
    assert distance < 1.95 / np.sqrt(DRAWS)  # Kolmogorov and Smirnov: passed 999 times in 1000


def test_amplitudes_are_uniform_over_their_interval():
    amplitude = FAMILIES["finn"].sample_tasks(np.random.default_rng(0), DRAWS).amplitude
    assert 0.1 <= amplitude.min() < 0.12
    assert 4.98 < amplitude.max() <= 5
    assert amplitude.mean() == pytest.approx(2.55, abs=0.1)


def test_the_benchmark_is_that_of_its_paper():
    """A sin(x - phase), A in [0.1, 5], phase in [0, pi], x in [-5, 5] (Finn et al. 2017)."""
    family = FAMILIES["finn"]
    waves, episode = _episodes(family)
    shift = -waves.phase
    assert 0 <= shift.min() < 0.01
    assert PI - 0.01 < shift.max() <= PI
    x, y = episode.support
    np.testing.assert_allclose(y, waves.amplitude[:, None] * np.sin(x - shift[:, None]), atol=1e-12)
    assert (family.grid[0], family.grid[-1]) == (-5, 5)
    # What predicts zero is off by E[A^2] E[sin^2]: 4.25 to 4.5, as the paper's inputs are uniform.
    assert 4.0 < np.square(waves(family.grid)).mean() < 4.6


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_has_the_period_the_height_and_the_zeros_of_the_sine(shape):
    wave = Waves.one(amplitude=2, frequency=0.5, phase=0.3, shape=shape)
    x = np.linspace(-6, 6, 1000)
    y, again = wave(x)[0], wave(x + 4 * PI)[0]
    np.testing.assert_allclose(y, again, atol=1e-9)
    assert 1.98 < y.max() <= 2
    assert -2 <= y.min() < -1.98
    assert wave([-0.6])[0, 0] == pytest.approx(0, abs=1e-9)
    assert wave([-0.6 + 0.1])[0, 0] > 0 > wave([-0.6 - 0.1])[0, 0]


def test_shapes_at_a_quarter_and_an_eighth_of_the_period():
    at = {shape: Waves.one(shape=shape)([PI / 2, PI / 4])[0].tolist() for shape in SHAPES}
    assert at["sine"] == pytest.approx([1, 0.5**0.5])
    assert at["square"] == pytest.approx([1, 1])
    assert at["triangle"] == pytest.approx([1, 0.5])
    assert at["sawtooth"] == pytest.approx([0.5, 0.25])


def test_outside_of_training_is_another_attribute_on_the_same_points():
    family = FAMILIES["finn"]
    waves, episode = _episodes(family, 50)
    square = replace(family, shape="square", amplitudes=(7.0, 7.0), frequencies=(1.5, 1.5))
    other, moved = _episodes(square, 50)
    np.testing.assert_array_equal(moved.support.x, episode.support.x)
    np.testing.assert_array_equal(other.phase, waves.phase)
    assert (other.frequency == 1.5).all()
    assert set(np.abs(moved.support.y).ravel()) == {7.0}


def test_frequencies_are_uniform_over_their_interval():
    family = replace(FAMILIES["finn"], frequencies=(0.5, 2.0))
    frequency = _episodes(family)[0].frequency
    assert 0.5 <= frequency.min() < 0.51
    assert 1.99 < frequency.max() <= 2.0
    assert len(family.sample_tasks(np.random.default_rng(0), 7)) == 7


def test_noise_is_normal_and_on_the_labels_of_the_support_set_only():
    family = FAMILIES["finn"]
    _, clean = _episodes(family)
    same, noisy = _episodes(replace(family, noise=0.3))
    assert clean.support.x.shape == noisy.support.x.shape
    off = (noisy.support.y - same(noisy.support.x)).ravel() / 0.3
    assert off.mean() == pytest.approx(0, abs=4 / np.sqrt(off.size))
    assert off.std() == pytest.approx(1, abs=4 / np.sqrt(2 * off.size))
    assert (np.abs(off) > 1.96).mean() == pytest.approx(0.05, abs=0.01)
    np.testing.assert_array_equal(noisy.query.y, same(noisy.query.x))
    rng = np.random.default_rng(0)
    few = [
        replace(family, noise=0.3).sample_episodes(rng, n, shots=4, queries=6)[1].support.y
        for n in (3, 5)
    ]
    np.testing.assert_array_equal(np.concatenate(few), noisy.support.y[:8])


@family_names
def test_tasks_can_be_drawn_apart_from_episodes(family):
    waves = family.sample_tasks(np.random.default_rng(1), DRAWS)
    assert len(waves) == DRAWS
    low, high = family.phases
    assert low <= waves.phase.min() < low + 0.01
    assert high - 0.01 < waves.phase.max() <= high


@supports
def test_episodes_depend_on_the_seed_and_not_on_how_many_are_drawn_at_a_time(family, sources):
    waves, together = _episodes(family, 12, sources=sources)
    rng = np.random.default_rng(0)
    draws = [family.sample_episodes(rng, n, shots=4, queries=6, sources=sources) for n in (1, 4, 7)]
    np.testing.assert_array_equal(waves.phase, np.concatenate([w.phase for w, _ in draws]))
    for pick in (lambda e: e.support.x, lambda e: e.query.x, lambda e: e.query.y):
        np.testing.assert_array_equal(pick(together), np.concatenate([pick(e) for _, e in draws]))


@supports
def test_another_seed_gives_other_episodes(family, sources):
    (_, one), (_, other) = (_episodes(family, 12, seed=seed, sources=sources) for seed in (0, 1))
    assert not np.isin(one.support.x, other.support.x).any()
    assert not np.isin(one.query.x, other.query.x).any()


@family_names
def test_a_source_input_stands_for_the_phase_of_its_task(family):
    if not family.bands:
        pytest.skip("no source domain")
    waves, episode = _episodes(family, 500, sources=5)
    assert episode.support.y is None
    assert episode.support.x.shape == (500, 5)
    meant = [[family.band_of(x).phase(x) for x in row] for row in episode.support.x]
    np.testing.assert_allclose(meant, np.repeat(waves.phase[:, None], 5, axis=1), atol=1e-12)


@pytest.mark.parametrize(
    ("phase", "low", "high"), [(0.0, PI / 4, PI / 2), (PI, -PI / 2, -PI / 4)], ids=["0", "pi"]
)
def test_two_phase_source_inputs_are_afresh_at_each_step_and_uniform_over_the_band(
    phase, low, high
):
    waves, episode = _episodes(FAMILIES["two-phase"], sources=5)
    inputs = episode.support.x[waves.phase == phase]
    assert low <= inputs.min() < low + 0.001
    assert high - 0.001 < inputs.max() <= high
    assert inputs.mean() == pytest.approx((low + high) / 2, abs=0.01)
    assert all(len(set(row)) == 5 for row in inputs)


def test_any_phase_source_inputs_run_against_the_phase_over_one_band():
    waves, episode = _episodes(FAMILIES["any-phase"], 200, sources=3)
    expected = PI / 2 - waves.phase
    np.testing.assert_allclose(episode.support.x, np.repeat(expected[:, None], 3, 1), atol=1e-12)


def test_the_two_phase_bands_have_a_gap_and_their_ends_belong_to_them():
    family = FAMILIES["two-phase"]
    assert family.band_of(PI / 4).phases == family.band_of(PI / 2).phases == (0.0, 0.0)
    assert family.band_of(-PI / 4).phases == family.band_of(-PI / 2).phases == (PI, PI)
    for outside in (0.0, PI / 4 - 1e-9, PI / 2 + 1e-9, -PI / 2 - 1e-9, 5.0, float("nan")):
        assert family.band_of(outside) is None


def test_a_band_is_linear_between_the_phases_of_its_ends():
    band = SourceBand(-1.0, 3.0, phases=(2.0, 0.0))
    assert [band.phase(x) for x in (-1.0, 0.0, 3.0)] == pytest.approx([2.0, 1.5, 0.0])


def test_a_family_without_source_domain_says_so():
    family = WaveFamily("plain", "", phases=(0, PI))
    with pytest.raises(ValueError, match=r"'plain' has no source domain"):
        _episodes(family, 3, sources=2)


def test_the_family_knows_its_phases():
    two, any_ = FAMILIES["two-phase"], FAMILIES["any-phase"]
    assert two.contains_phase(0.0)
    assert two.contains_phase(PI)
    assert not two.contains_phase(1.0)
    assert any_.contains_phase(1.0)
    assert not any_.contains_phase(-0.1)
    assert not any_.contains_phase(PI + 0.1)


def test_a_family_says_which_amplitudes_and_frequencies_it_contains():
    two, finn = FAMILIES["two-phase"], FAMILIES["finn"]
    assert two.contains_amplitude(1.0)
    assert not two.contains_amplitude(1.1)
    assert finn.contains_amplitude(4.9)
    assert not finn.contains_amplitude(5.1)
    assert finn.contains_frequency(1.0)
    assert not finn.contains_frequency(1.01)


def test_the_nearest_wave_is_the_one_through_the_points():
    x = np.array([-4.0, -1.0, 0.5, 2.0])
    two, any_ = FAMILIES["two-phase"], FAMILIES["any-phase"]
    flat, turned = Waves.one(), Waves.one(phase=PI)
    assert two.nearest(x, np.sin(x + PI) + 0.1, flat).phase == PI
    assert two.nearest(x, np.sin(x) + 0.1, turned).phase == 0.0
    found = any_.nearest(x, np.sin(x + 1.0), flat).phase[0]
    assert found == pytest.approx(1.0, abs=np.radians(0.5) + 1e-9)
    # A wave that is as near as any is kept: here the points lie on it exactly.
    assert any_.nearest(x, np.sin(x + 0.3333), Waves.one(phase=0.3333)).phase == 0.3333


def test_the_nearest_wave_has_its_amplitude_from_the_family_where_that_varies():
    x = np.array([-4.0, -1.0, 0.5, 2.0])
    like = Waves.one(1.0, 2.0, 0.0, "triangle")
    drawn = Waves.one(3.0, 2.0, -1.0, "triangle")(x)[0]
    found = FAMILIES["finn"].nearest(x, drawn, like)
    assert found.amplitude[0] == pytest.approx(3.0, abs=0.06)
    assert found.phase[0] == pytest.approx(-1.0, abs=np.radians(1))
    assert (found.frequency[0], found.shape) == (2.0, "triangle")
    assert FAMILIES["any-phase"].nearest(x, drawn, like).amplitude[0] == 1.0


def test_a_source_input_stands_for_each_phase_of_the_family_and_for_no_other():
    two, any_ = FAMILIES["two-phase"], FAMILIES["any-phase"]
    for family, phase in [(two, 0.0), (two, PI), (any_, 0.0), (any_, 1.3), (any_, PI)]:
        for turns in (-1, 0, 1):
            x = family.source_of(phase + 2 * PI * turns)
            assert family.band_of(x).phase(x) == pytest.approx(phase)
    assert two.source_of(1.0) is None
    assert any_.source_of(-0.1) is None
    assert FAMILIES["finn"].source_of(0.0) is None
    with pytest.raises(ValueError, match="stands for"):
        replace(any_, phases=(-2.0, -1.0)).sample_episodes(
            np.random.default_rng(0), 3, shots=1, queries=1, sources=2
        )


def test_a_phase_is_an_angle_so_whole_turns_do_not_count():
    two, any_, finn = FAMILIES["two-phase"], FAMILIES["any-phase"], FAMILIES["finn"]
    for family in (two, any_, finn):
        for degrees in (-540, -360, -180, 0, 180, 360):
            assert family.contains_phase(np.radians(degrees)), (family.name, degrees)
    for degrees in (-270, 90, 450):
        assert any_.contains_phase(np.radians(degrees))
        assert not finn.contains_phase(np.radians(degrees))
        assert not two.contains_phase(np.radians(degrees))
    for degrees in (-90, 270):
        assert finn.contains_phase(np.radians(degrees))
        assert not any_.contains_phase(np.radians(degrees))
    assert not two.contains_phase(0.01)
    assert not any_.contains_phase(-0.01)


def test_turning_an_angle_leaves_one_in_range_as_it_is_to_the_last_bit():
    angles = np.random.default_rng(0).uniform(0, PI, 1000)
    np.testing.assert_array_equal(turned(angles, 0.0), angles)
    np.testing.assert_allclose(turned(angles - 4 * PI, 0.0), angles, atol=1e-14)
    assert turned(-180.0, 0.0, 360.0) == 180.0


def test_a_wave_that_is_as_near_as_any_is_kept_also_a_turn_away():
    x = np.array([-4.0, -1.0, 0.5, 2.0])
    for family in (FAMILIES["two-phase"], FAMILIES["any-phase"]):
        found = family.nearest(x, np.sin(x + PI), Waves.one(phase=-PI))
        assert family.contains_phase(float(found.phase[0]))
