"""A run of the Train page as a script: the same recipe in plain PyTorch and NumPy.

It draws the same initial weights and the same tasks. Rounding is its own, so its weights are not
those of the page to the last bit, but as good.
"""

from __future__ import annotations

from metademo.algorithms import Conditioned
from metademo.algorithms.in_torch import InTorch
from metademo.algorithms.papers import in_text
from metademo.checkpoints import SUFFIX
from metademo.export.text import joined, reference
from metademo.scores import Conditions
from metademo.settings import TrainConfig
from metademo.tasks import WaveFamily
from metademo.tasks.waves_in_numpy import number_in_numpy
from metademo.training import EPISODE_STREAM, HELD_OUT_STREAM, INIT_STREAM

_ERRORS = {"l1": "(curve - truth).abs()", "mse": "(curve - truth).square()"}
_OPTIMIZERS = {"sgd": "torch.optim.SGD", "adam": "torch.optim.Adam"}


def training_script(config: TrainConfig) -> str:
    """The run as a Python script; "" if there are no words for its learner or its tasks."""
    learner, family = config.learner, config.task_family
    told = learner.training_in_torch()
    if told is None or not isinstance(family, WaveFamily):
        return ""
    tasks = family.in_numpy(unlabelled=learner.unlabelled)
    if not tasks:
        return ""
    blocks = [
        _head(config),
        "import numpy as np\nimport torch\nfrom safetensors.torch import save_file\n",
        _settings(config, told),
        tasks,
        *(passage.code for passage in told.passages),
        _learning_rate(config),
        _TRAIN.format(
            x=learner.inputs_in_torch,
            init=INIT_STREAM,
            episodes=EPISODE_STREAM,
            optimizer=_OPTIMIZERS[config.optimizer],
            largest='float("inf")' if config.clip is None else repr(config.clip),
            ran_away=_ran_away(config),
            count="    skipped = 0\n" if config.skips else "",
        ),
        _held_out(config, family, told),
        _main(config),
    ]
    return joined(blocks)


def without_script(config: TrainConfig) -> str:
    """Why there is none, in words."""
    nobody = f"nobody has put {config.learner.title} into plain PyTorch yet"
    return config.task_family.not_in_numpy or nobody


def _head(config: TrainConfig) -> str:
    learner = config.learner
    citation = reference(in_text(learner.papers))
    return f'''"""{learner.title}, {config.steps:,} outer steps.

Tasks are waves {config.task_family.title}.
{citation}
It needs: pip install torch numpy safetensors
"""
'''


def _by_points(config: TrainConfig) -> bool:
    """Whether each of the learner's steps is one more point that it sees."""
    return isinstance(config.learner, Conditioned)


def _settings(config: TrainConfig, told: InTorch) -> str:
    points = config.inner_steps if config.learner.unlabelled else config.shots
    seen = "unlabelled inputs" if config.learner.unlabelled else "labelled points"
    reads = "it is shown at most" if _by_points(config) else "the inner loop sees"
    each = "  # one more point is seen at each of them" if _by_points(config) else ""
    inner = "".join(f"{name} = {value!r}\n" for name, value in told.settings.items())
    return f"""\
SEED = {config.seed}
STEPS = {config.steps}  # of the outer loop
META_BATCH = {config.meta_batch}  # tasks in each of them
POINTS = {points}  # {seen} that {reads}
QUERIES = {config.queries}  # points at which it is judged
INNER_STEPS = {config.inner_steps}{each}
{inner}"""


def _learning_rate(config: TrainConfig) -> str:
    """As `TrainConfig.learning_rates`."""
    warmup = max(1, round(config.warmup * config.steps)) if config.warmup else 0
    lines = []
    if warmup:
        lines += [f"if step < {warmup}:", f"    return {config.outer_lr!r} * (step + 1) / {warmup}"]
    if config.schedule == "cosine":
        lines += [
            f"progress = (step - {warmup}) / {max(1, config.steps - warmup)}",
            f"return {config.outer_lr!r} * 0.5 * (1 + np.cos(np.pi * progress))",
        ]
    else:
        lines += [f"return {config.outer_lr!r}"]
    body = "".join(f"    {line}\n" for line in lines)
    words = '    """Of the outer loop, at each of its steps."""\n'
    return f"def learning_rate(step):\n{words}{body}"


def _ran_away(config: TrainConfig) -> str:
    if not config.skips:
        return 'raise SystemExit(f"It diverged at outer step {step + 1}.")'
    return f"""\
skipped += 1
            if skipped > {config.skips}:
                raise SystemExit(f"It diverged at outer step {{step + 1}}.")
            continue  # with other tasks"""


_TRAIN = '''\
def train(report=print):
    """theta after all outer steps, and the query loss of each of them."""
    theta = draw(np.random.default_rng([SEED, {init}]))
    episodes = np.random.default_rng([SEED, {episodes}])
    optimizer = {optimizer}(list(theta.values()), lr=0.0)
    step, losses = 0, []
{count}    while step < STEPS:
        {x}, y, query_x, query_y, _ = draw_tasks(episodes, META_BATCH, POINTS, QUERIES)
        gradients, loss = meta_gradient(theta, {x}, y, query_x, query_y, step / STEPS)
        for name, value in theta.items():
            value.grad = gradients[name]
        norm = torch.nn.utils.clip_grad_norm_(theta.values(), {largest})
        if not (torch.isfinite(loss) and torch.isfinite(norm)):
            {ran_away}
        optimizer.param_groups[0]["lr"] = learning_rate(step)
        optimizer.step()
        step += 1
        losses.append(loss.item())
        if step % max(1, STEPS // 20) == 0:
            report(f"outer step {{step}}: query loss {{np.mean(losses[-100:]):.4f}}")
    return theta, losses
'''


def _held_out(config: TrainConfig, family: WaveFamily, told: InTorch) -> str:
    """As `evaluation.evaluate`, by default."""
    low, high = map(number_in_numpy, family.x_range)
    tasks = Conditions().tasks
    x = config.learner.inputs_in_torch
    points = "max(1, INNER_STEPS)" if config.learner.unlabelled else "POINTS"
    return f'''\
def held_out_errors(theta):
    """The mean error on {tasks} tasks that training never sees, after 0, 1, .. {_steps(config)}."""
    rng = np.random.default_rng([0, {HELD_OUT_STREAM}])
    {x}, y, _, _, wave = draw_tasks(rng, {tasks}, {points}, 0)
    grid = np.linspace({low}, {high}, {len(family.grid)})
    inputs, truth = torch.tensor(grid, dtype=torch.float32), torch.tensor(wave(grid))
    curves{", _" * told.std} = run(theta, {x}, y, inputs, INNER_STEPS)
    return [{_ERRORS[family.metric]}.mean().item() for curve in curves]
'''


def _steps(config: TrainConfig) -> str:
    return "points" if _by_points(config) else "inner steps"


def _main(config: TrainConfig) -> str:
    return f'''\
if __name__ == "__main__":
    theta, _ = train()
    for k, error in enumerate(held_out_errors(theta)):
        print(f"held-out error after {{k}} {_steps(config)}: {{error:.4f}}")
    save_file(theta, "{config.algorithm}-{config.family}{SUFFIX}")
'''
