"""You against MAML: what its chart shows and says, and the score. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence

from metademo.models import Model
from metademo.moments.duel import DIGITS, FAMILY, ROUNDS, TOP, DuelView, Result
from metademo.tasks import Waves
from metademo.ui.components.kernel.curves import Curve, Scene, pi_ticks
from metademo.ui.scenes.facts import error_from, sentences, steps_of, told
from metademo.ui.scenes.scenes import look
from metademo.ui.scenes.sentences import ran_away, wave_name

IT = "MAML"
"""What the other player is called."""


def duel_scene(view: DuelView, model: Model, played: Sequence[Result]) -> Scene:
    """The round that is shown. The truth and the network are there once both have drawn.

    Args:
        played: see `results`.
    """
    now = view.now
    curves = []
    if view.answered:
        curves = [
            Curve(
                "truth",
                "the true wave",
                now.truth,
                *look("truth"),
                width=2.0,
                about=f"y = {in_words(now.wave)}",
            ),
            Curve(
                "maml",
                IT,
                now.network(model),
                *look("maml"),
                width=4.0,
                about=steps_of(model.learner, None),
            ),
        ]
    caption, detail = _answer(view, played) if view.answered else _question(view)
    return Scene(
        f"Round {view.round}: your drawing over {len(now.x)} points",
        curves,
        x_range=FAMILY.x_range,
        y_range=(-TOP, TOP),
        x_ticks=pi_ticks(*FAMILY.x_range),
        **sentences([caption], [detail]),
        points=now.points,
        points_label="the points that both get",
    )


def _question(view: DuelView) -> tuple[str, str]:
    heading = f"Round {view.round} of {ROUNDS}: {len(view.now.x)} points of a wave."
    if not view.drawing:
        return f"{heading} Draw it.", "Draw on the chart, or set the wave with the sliders."
    return (
        f"{heading} Is this it?",
        "Draw over whatever is not right; where nothing is drawn the thin line counts. Done? Then "
        f"{IT} draws.",
    )


def _answer(view: DuelView, played: Sequence[Result]) -> tuple[str, str]:
    last = played[-1]
    yours, theirs = (
        told(exact(error), error_from(error, "true wave", FAMILY.grid, who=who))
        for error, who in ((last.yours, "drawing"), (last.theirs, "network"))
    )
    caption = f"You are off by {yours} on average, {IT} by {theirs}: {_won(last)}."
    truth = f"The wave was {in_words(last.played.wave)}, {last.played.title}."
    return (f"{caption} {final(played)}" if view.over else caption), truth


def _won(result: Result) -> str:
    if result.margin == 0:
        return "a draw"
    who = "you win" if result.margin > 0 else f"{IT} wins"
    by, larger, smaller = (
        exact(number)
        for number in (
            abs(result.margin),
            max(result.yours, result.theirs),
            min(result.yours, result.theirs),
        )
    )
    return f"{who} by {told(by, f'{by} = {larger} − {smaller}')}"


def final(played: Sequence[Result]) -> str:
    """How the game ended."""
    yours, theirs, draws = tally(played)
    drawn = f", {draws} drawn" * bool(draws)
    if yours == theirs:
        return f"The game is a draw, {yours} to {theirs}{drawn}."
    who = "You have" if yours > theirs else f"{IT} has"
    return f"{who} won the game, {max(yours, theirs)} to {min(yours, theirs)}{drawn}."


def tally(played: Sequence[Result]) -> tuple[int, int, int]:
    """Rounds that the visitor has won, that the network has, and draws."""
    yours = sum(result.margin > 0 for result in played)
    theirs = sum(result.margin < 0 for result in played)
    return yours, theirs, len(played) - yours - theirs


def score(played: Sequence[Result]) -> str:
    """The score so far, in a line."""
    yours, theirs, draws = tally(played)
    line = f"You {yours}, {IT} {theirs}" + f", drawn {draws}" * bool(draws)
    if not played:
        return f"{line}: no round has been played yet."
    yours_mean, theirs_mean = (
        exact(sum(errors) / len(played))
        for errors in ([r.yours for r in played], [r.theirs for r in played])
    )
    return f"{line}. Mean error: you {yours_mean}, {IT} {theirs_mean}."


def score_formula(played: Sequence[Result]) -> str:
    """How the numbers of `score` were computed, or "" as long as there are none."""
    if not played:
        return ""
    means = [
        f"{who}: {exact(sum(errors) / len(errors))} = ({' + '.join(map(exact, errors))}) / "
        f"{len(errors)}"
        for who, errors in (
            ("You", [result.yours for result in played]),
            (IT, [result.theirs for result in played]),
        )
    ]
    return "A round goes to the smaller error. Mean error over the rounds. " + "; ".join(means)


def table(played: Sequence[Result]) -> str:
    """The rounds that were played, as Markdown; what won a round is bold."""
    lines = [f"| Round | Points | You | {IT} | The wave |", "|--:|--:|--:|--:|:--|"]
    for result in played:
        yours, theirs = exact(result.yours), exact(result.theirs)
        if result.margin > 0:
            yours = f"**{yours}**"
        if result.margin < 0:
            theirs = f"**{theirs}**"
        wave = in_words(result.played.wave)
        lines.append(f"| {result.number} | {len(result.played.x)} | {yours} | {theirs} | {wave} |")
    return "\n".join(lines)


def exact(error: float) -> str:
    """An error with the digits that decide a round."""
    return "too much to count" if ran_away(error) else f"{error:.{DIGITS}f}"


def in_words(wave: Waves) -> str:
    """One wave: sin(x + 40°), 0.5 sin(x), sin(1.4 x − 20°), a triangle wave like sin(x + 40°)."""
    a, f, p = (float(value[0]) for value in (wave.amplitude, wave.frequency, wave.phase))
    name = wave_name(p, a).replace("(x", f"({f:.2g} x" if f != 1 else "(x")
    article = f"a {wave.shape} wave in step with " if wave.shape != "sine" else ""
    return article + name
