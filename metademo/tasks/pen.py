"""Signs as strokes of a pen, and strokes as images: compiled, for a training draws thousands.

A *class* of signs is one row of uniform numbers, and so is each *sample* of it: nothing else
decides what is drawn. A class has one to four strokes. Each is a path along a heading that turns: a
line, an arc or loop, a hook, or lines with corners; later ones often begin on an earlier one, or
cross it. A sample has the class's strokes, each somewhat changed, and is then bent, sheared,
stretched and turned as a whole.

Points are rows (x, y) with y downwards, in pixels of a canvas of `CANVAS` x `CANVAS` where the
middle of the first pixel is (0, 0). An image is half as fine. Importing this imports Numba, so
`strokes` and `glyphs` do so where they need it.
"""

import math

import numpy as np
from numba import njit

from metademo.kernel_cache import compiled

CANVAS, SIDE = 28, 14
"""Pixels along a side of the canvas, and of an image."""
STROKES, POINTS = 4, 14
"""Strokes of a sign at most, and points of each."""
PER_STROKE = 9
CLASS_NUMBERS = 1 + STROKES * PER_STROKE
SAMPLE_NUMBERS = 11 + STROKES * PER_STROKE
"""Uniform numbers that a class and a sample take."""
MIDDLE = (CANVAS - 1) / 2
THINNEST, THICKEST = 1.5, 3.5
LEAST, MOST = 17.5, 19.5
"""Pixels that lines are wide, and that the longer side of a sign's box is long."""

kernel = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)  # called by kernels only


@kernel
def ink(points, ends, thickness, canvas):
    """Draw strokes on an empty canvas: a pixel is as dark as its middle is near to a segment.

    It is 1 within half the thickness, and falls to 0 over the pixel's width about that. `ends` says
    where in `points` each stroke ends; a single point is a dot.
    """
    reach, start = thickness / 2 + 0.5, 0
    for end in ends:
        for i in range(start, max(start + 1, end - 1)):
            j = min(i + 1, end - 1)
            ax, ay = points[i]
            bx, by = points[j]
            dx, dy = bx - ax, by - ay
            square = dx * dx + dy * dy
            left, right = max(0.0, min(ax, bx) - reach), min(CANVAS - 1.0, max(ax, bx) + reach)
            top, bottom = max(0.0, min(ay, by) - reach), min(CANVAS - 1.0, max(ay, by) + reach)
            for y in range(math.ceil(top), math.floor(bottom) + 1):
                for x in range(math.ceil(left), math.floor(right) + 1):
                    along = (x - ax) * dx + (y - ay) * dy
                    t = min(1.0, max(0.0, along / square)) if square > 0 else 0.0
                    distance = math.hypot(x - ax - t * dx, y - ay - t * dy)
                    shade = min(1.0, max(0.0, reach - distance))
                    canvas[y, x] = max(canvas[y, x], shade)
        start = end


@kernel
def halve(canvas, image):
    """The means of 2 x 2 pixels of the canvas."""
    for y in range(SIDE):
        for x in range(SIDE):
            four = canvas[2 * y : 2 * y + 2, 2 * x : 2 * x + 2]
            image[y * SIDE + x] = (four[0, 0] + four[0, 1] + four[1, 0] + four[1, 1]) / 4


@kernel
def off(uniform, deviation):
    """A change of this standard deviation: uniform, and so at most 1.74 times as large."""
    return deviation * math.sqrt(12) * (uniform - 0.5)


@kernel
def fit(points, side, x, y):
    """Move points so that their box has its middle at (x, y), and its longer side is so long."""
    low_x, high_x = points[:, 0].min(), points[:, 0].max()
    low_y, high_y = points[:, 1].min(), points[:, 1].max()
    scale = side / max(high_x - low_x, high_y - low_y, 1e-9)
    points[:, 0] = (points[:, 0] - (low_x + high_x) / 2) * scale + x
    points[:, 1] = (points[:, 1] - (low_y + high_y) / 2) * scale + y


@kernel
def bend(points, sample):
    """What happens to a whole sign, which fills [-1, 1]: a bend, a shear, a stretch, a turn."""
    angle, shear = off(sample[0], 0.16), off(sample[1], 0.18)
    stretch = math.exp(off(sample[2], 0.16))
    cos, sin = math.cos(angle), math.sin(angle)
    for i in range(len(points)):
        x, y = points[i]
        bent_x = x + off(sample[3], 0.09) * math.sin(2.2 * y + 2 * math.pi * sample[4])
        bent_y = y + off(sample[5], 0.09) * math.sin(2.2 * x + 2 * math.pi * sample[6])
        x, y = (bent_x + shear * bent_y) * stretch, bent_y / stretch
        points[i, 0], points[i, 1] = cos * x - sin * y, sin * x + cos * y


@kernel
def turns(kind, amount, corner, second):
    """How a stroke goes: (turn, hook, corner, its place, corner, its place, stretch of its length).

    The heading changes by `turn` along the stroke, by `hook` more towards its ends, and by what the
    corners say where they are (shares of the stroke). `kind` says which form it is, `amount` how
    much it turns, and to which side.
    """
    side = 1.0 if amount > 0.5 else -1.0
    amount = 2 * abs(amount - 0.5)
    if kind < 0.28:  # a line, nearly
        return side * 0.5 * amount, 0.0, 0.0, 2.0, 0.0, 2.0, 1.0
    if kind < 0.6:  # an arc, or a loop
        return side * (1.2 + 5.3 * amount), 0.0, 0.0, 2.0, 0.0, 2.0, 1.2 + 0.1 * amount
    if kind < 0.76:  # a hook
        return 0.0, side * (2.5 + 4 * amount), 0.0, 2.0, 0.0, 2.0, 1.4
    first, place = side * (1.0 + 1.6 * amount), 0.25 + 0.5 * corner
    turn = 2 * (second - 0.5)
    if second <= 0.6:
        return turn, 0.0, first, place, 0.0, 2.0, 1.4
    return turn, 0.0, first, place, -first if second > 0.75 else first, place + 0.3, 1.4


@kernel
def trace_stroke(s, of_class, of_sample, points):
    """Write the points of stroke `s`, whose numbers are given, behind those of earlier ones."""
    turn, hook, first, place, next_one, next_place, stretch = turns(
        of_class[0], of_class[3], of_class[4], of_class[5]
    )
    joins, which, where = of_class[6], of_class[7], of_class[8]
    heading = 2 * math.pi * of_class[1] + off(of_sample[0], 0.14)
    length = (0.5 + 1.1 * of_class[2]) * stretch * math.exp(off(of_sample[1], 0.14))
    turn += off(of_sample[2], 0.22 + 0.1 * abs(turn))
    hook += off(of_sample[3], 0.3 + 0.1 * abs(hook))
    if first != 0:
        first += off(of_sample[4], 0.2)
    place += off(of_sample[5], 0.05)
    x = y = 0.0
    if s > 0 and joins < 0.6:  # begins on an earlier stroke, or has its middle there
        x, y = points[int(which * s) * POINTS + int(where * POINTS)]
    elif s > 0:
        x, y = 1.4 * (which - 0.5), 1.4 * (where - 0.5)
    x, y = x + off(of_sample[6], 0.07), y + off(of_sample[7], 0.07)
    own = points[s * POINTS : (s + 1) * POINTS]
    for i in range(POINTS):
        t = (i + 0.5) / POINTS
        own[i, 0], own[i, 1] = x, y
        angle = heading + turn * t + 2 * hook * (t - 0.5) ** 2
        angle += (first if t > place else 0.0) + (next_one if t > next_place else 0.0)
        x, y = x + length / POINTS * math.cos(angle), y + length / POINTS * math.sin(angle)
    if s > 0 and joins < 0.3:
        back_x = own[POINTS // 2, 0] - own[0, 0]
        back_y = own[POINTS // 2, 1] - own[0, 1]
        own[:, 0] -= back_x
        own[:, 1] -= back_y


@kernel
def trace(of_class, of_sample, points):
    """Write the points of a sample of a class, stroke after stroke; returns how many strokes."""
    count = of_class[0]
    strokes = 1 + (count > 0.3) + (count > 0.62) + (count > 0.85)
    for s in range(strokes):
        own, other = 1 + s * PER_STROKE, 11 + s * PER_STROKE
        form, change = of_class[own : own + PER_STROKE], of_sample[other : other + PER_STROKE]
        trace_stroke(s, form, change, points)
    used = points[: strokes * POINTS]
    fit(used, 2.0, 0.0, 0.0)
    bend(used, of_sample)
    side = LEAST + (MOST - LEAST) * of_sample[7]
    fit(used, side, MIDDLE + off(of_sample[8], 0.6), MIDDLE + off(of_sample[9], 0.6))
    return strokes


@kernel
def thickness_of(of_sample):
    return THINNEST + (THICKEST - THINNEST) * of_sample[10]


@compiled
def draw_strokes(points, ends, thickness, image):
    """Strokes as an image, (SIDE * SIDE,); see `ink`."""
    canvas = np.zeros((CANVAS, CANVAS))
    ink(points, ends, thickness, canvas)
    halve(canvas, image)


@compiled
def draw_signs(classes, samples, images):
    """Samples (classes, samples, numbers) of classes (classes, numbers) as images."""
    points = np.empty((STROKES * POINTS, 2))
    every = POINTS * np.arange(1, STROKES + 1)
    canvas = np.empty((CANVAS, CANVAS))
    for c in range(len(classes)):
        for i in range(samples.shape[1]):
            strokes = trace(classes[c], samples[c, i], points)
            canvas[:] = 0
            ink(points, every[:strokes], thickness_of(samples[c, i]), canvas)
            halve(canvas, images[c, i])


@compiled
def trace_sign(of_class, of_sample, points):
    """The points of a sample, and what is wide its line: (strokes, thickness)."""
    return trace(of_class, of_sample, points), thickness_of(of_sample)
