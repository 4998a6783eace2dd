"""ALPaCA, as text; see `in_torch`."""

from __future__ import annotations

from metademo.algorithms.in_torch import InTorch, Passage
from metademo.network import LINEAR_IN_TORCH, MLP


def predicting(body: MLP, floor: float) -> InTorch:
    """`predict`.

    Args:
        body: what makes the features.
        floor: the least variance of labels.
    """
    passages = (
        Passage(
            "## The features\n\nA network makes them; `theta` holds its weights by name, and the "
            "prior of the weights on the features.",
            f"{LINEAR_IN_TORCH}\n\n{body.in_torch('features', 'body')}\n\n{_FEATURES}",
        ),
        Passage(
            "## Predicting from the points that are seen\n\nBayes' rule, in closed form: the "
            "posterior of $\\varphi(x)^\\top w$, taken in the points instead of the weights.",
            _PREDICT.format(floor=floor),
        ),
    )
    return InTorch(passages, std=True)


def drawing(body: MLP, noise: float) -> str:
    """`draw`.

    Args:
        noise: variance of labels and of waves about the features, before training.
    """
    _, hidden, _, features = body.sizes
    draw = _DRAW.format(sizes=body.sizes, hidden=hidden, features=features, noise=noise)
    return f"{body.draw_in_torch('fan-in')}\n\n{draw}"


_FEATURES = """\
def features(theta, x):
    return torch.tanh(body(theta, (x / (2 * torch.pi)).unsqueeze(-1))).double()
"""
_PREDICT = '''\
def predict(theta, x, y, seen, query_x):
    """Mean and standard deviation at query_x; seen is 1 for each point that counts."""
    # In double precision: points side by side make the system all but singular.
    prior, factor = theta["prior.mean"].double(), theta["prior.factor"].double().tril()
    noise = theta["log_noise"].double().exp() + {floor}
    known, asked, counts = features(theta, x), features(theta, query_x), seen.double().unsqueeze(-1)
    surprise = counts * (y.double() - known @ prior).unsqueeze(-1)
    u, v = counts * (known @ factor), asked @ factor
    covariance = u @ u.mT + noise * torch.eye(x.shape[-1], dtype=torch.float64)  # of the labels
    root = torch.linalg.cholesky(covariance)
    gain = torch.linalg.solve_triangular(root, u @ v.mT, upper=False)
    whitened = torch.linalg.solve_triangular(root, surprise, upper=False)
    mean = asked @ prior + (gain.mT @ whitened).squeeze(-1)
    variance = (v.square().sum(-1) - gain.square().sum(-2)).clamp_min(0)
    misfit = theta["log_misfit"].exp() + {floor}  # of the features
    return mean.float(), (variance.float() + misfit).sqrt()
'''
_DRAW = """\
def draw(rng):
    theta = draw_network(rng, "features", {sizes})
    # Steep and spread out, so that the first layer covers all of the inputs.
    theta["features.0.weight"] *= 3
    theta["features.0.bias"] += torch.tensor(rng.uniform(-3, 3, {hidden}), dtype=torch.float32)
    noise = torch.tensor(np.log({noise}), dtype=torch.float32)
    prior = {{"prior.mean": torch.zeros({features}), "prior.factor": torch.eye({features})}}
    return theta | prior | {{"log_noise": noise, "log_misfit": noise.clone()}}
"""
