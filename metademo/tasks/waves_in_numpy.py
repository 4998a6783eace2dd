"""Waves, and the drawing of tasks, in plain NumPy, as text for scripts that are taken home."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metademo.tasks.waves import SourceBand, WaveFamily, Waves

_SHAPES = {
    "sine": "np.sin({0})",
    "square": "np.sign(np.sin({0}))",
    "triangle": "2 / np.pi * np.arcsin(np.sin({0}))",
    "sawtooth": "2 * ((({0}) / (2 * np.pi) + 0.5) % 1) - 1",
}


def number_in_numpy(value: float) -> str:
    """A number as a person would write it: multiples of π as such.

    >>> number_in_numpy(-2 * math.pi), number_in_numpy(math.pi / 4), number_in_numpy(0.3)
    ('-2 * np.pi', 'np.pi / 4', '0.3')
    """
    quarters = 4 * value / math.pi
    if not value or quarters != round(quarters):
        return repr(float(value))
    divisor = math.gcd(round(quarters), 4)
    top, bottom = round(quarters) // divisor, 4 // divisor
    text = {1: "np.pi", -1: "-np.pi"}.get(top, f"{top} * np.pi")
    return text if bottom == 1 else f"{text} / {bottom}"


def wave_in_numpy(wave: Waves) -> str:
    """The first of some waves, as an expression of x; "" for a shape without words."""
    shape = _SHAPES.get(wave.shape)
    if shape is None:
        return ""
    amplitude, frequency, phase = (
        float(values[0]) for values in (wave.amplitude, wave.frequency, wave.phase)
    )
    angle = "x" if frequency == 1 else f"{frequency!r} * x"
    if phase:
        angle += f" {'-' if phase < 0 else '+'} {number_in_numpy(abs(phase))}"
    form = shape.format(angle)
    if amplitude == 1:
        return form
    return f"{amplitude!r} * ({form})" if " - " in form else f"{amplitude!r} * {form}"


def tasks_in_numpy(family: WaveFamily, unlabelled: bool) -> str:
    """See `TaskFamily.in_numpy`; sine waves of one frequency are told."""
    if family.shape != "sine" or family.frequencies != (1.0, 1.0):
        return ""
    support = "x, y = inputs[:, :points], wave(inputs[:, :points])"
    if unlabelled:
        support = _source_inputs(family.bands)
        if not support:
            return ""
    draw = "(uniform[:, :1] >= 0.5)" if family.two_phase else "uniform[:, :1]"
    amplitude = ""
    if not family.unit_amplitude:
        amplitude = f"    amplitude = {_uniform(*family.amplitudes, 'uniform[:, 1:2]')}\n"
    form = "A sin(x + b)" if amplitude else "sin(x + b)"
    seen = "unlabelled source inputs" if unlabelled else "labelled points"
    numbers, inputs, noise = "2 + points + queries", "uniform[:, 2:]", ""
    if family.noise and not unlabelled:
        noise, inputs = _noise(family.noise, numbers), f"uniform[:, 2 : {numbers}]"
        numbers += " + 2 * points"
    return f'''\
def draw_tasks(rng, n, points, queries):
    """n waves {form}: {seen}, query points, and the waves."""
    uniform = rng.random((n, {numbers}))
    phase = {_uniform(*family.phases, draw)}
{amplitude}
    def wave(x):
        return {"amplitude * " * bool(amplitude)}np.sin(x + phase)

    inputs = {_uniform(*family.x_range, inputs)}
    {support}
{noise}\
    query_x = inputs[:, points:]
    drawn = ({"x_s" if unlabelled else "x"}, y, query_x, wave(query_x))
    return *(None if v is None else torch.tensor(v, dtype=torch.float32) for v in drawn), wave
'''


def _uniform(low: float, high: float, draw: str) -> str:
    """`low + (high - low) * draw`, with the numbers worked out."""
    if low == high:
        return f"np.full((n, 1), {number_in_numpy(low)})"
    scaled = f"{number_in_numpy(high - low)} * {draw}"
    return f"{number_in_numpy(low)} + {scaled}" if low else scaled


def _noise(noise: float, start: str) -> str:
    """The lines that add normal noise to the labels, from the uniform numbers behind `start`."""
    return f"""\
    radius, angle = np.split(uniform[:, {start} :], 2, axis=1)
    y = y + {noise!r} * np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
"""


def _source_inputs(bands: tuple[SourceBand, ...]) -> str:
    """The lines that draw the unlabelled inputs, which stand for the phase; "" if not told."""
    seen = "uniform[:, 2 : 2 + points]"
    if bands and all(band.means_one for band in bands):
        kinds = ", ".join(f"np.isclose(phase, {number_in_numpy(b.phases[0])})" for b in bands)
        inputs = [_uniform(band.low, band.high, "u") for band in bands]
        listed = ",\n            ".join(inputs)
        return f"""\
u = {seen}
    x_s = np.select(  # a band of the source domain stands for each phase
        [{kinds}],
        [
            {listed},
        ],
    )
    y = None"""
    if len(bands) != 1:
        return ""
    band = bands[0]
    first, last = band.phases
    place = f"(phase - {number_in_numpy(first)}) / ({number_in_numpy(last - first)})"
    return f"""\
place = {place}  # each source input stands for a phase
    x_s = np.repeat({_uniform(band.low, band.high, "place")}, points, axis=1)
    y = None"""
