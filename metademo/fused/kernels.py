"""The compiled engine: meta-gradients of a 1-H-H-1 ReLU network without a graph of graphs.

The inner loop descends, `theta_{k+1} = theta_k - a_k * grad L_inner(theta_k)` for k = 0..S-1, and
the outer loss is `sum_k w_k L_query(theta_k)`. Back through the steps it is a chain of
Hessian-vector products (Finn et al. 2017, eq. 1, by reverse accumulation):

    lambda_S = w_S grad L_query(theta_S)
    lambda_k = lambda_{k+1} - alpha H lambda_{k+1} + w_k grad L_query(theta_k),  H at theta_k

and lambda_0 is the meta-gradient. H v of a small network is one more pass forwards and one more
backwards, of tangents (Pearlmutter 1994, the R-operator; R z is how z changes when theta moves
along v). All of it is made of two products, of which `products` says how they are so fast:

    product      out = init + scale @ matrix          a layer, forwards or backwards
    accumulate   out += scale.T @ right               the gradient of a layer, a sum over points
    descend      out = base - a * (scale.T @ right)   the same, taken as a step

Matrices are blocks: borrowed memory, rows padded with zeros to a multiple of 16 numbers. Padding
stays zero by itself. Each hidden matrix is held twice, once for each direction of `product`.

The parts: 1 the layout, 2 the network, 3 the inner losses, 4 one task, 5 the outer loop, 6 what the
compiler has to know about blocks.
"""

import functools
import operator
from collections import namedtuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import (
    intrinsic,
    lower_builtin,
    make_attribute_wrapper,
    models,
    register_model,
)

from metademo import kernel_cache

from .layout import LANES
from .products import declare

# Sums may be reordered and fused. NaN and infinity stay what they are (neither nnan nor ninf): they
# are how a run that diverges is noticed.
FAST = {"reassoc", "contract", "nsz"}
OPTIONS = {"fastmath": FAST, "error_model": "numpy"}
kernel = njit(**OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # called by kernels only
compiled = functools.partial(kernel_cache.compiled, **OPTIONS)  # an entry


# ------------------------------------------------------------------------------- 1. the layout

L1, MSE = 0, 1
REPTILE, FIRST_ORDER, SECOND_ORDER = 0, 1, 2
GRADIENT_ONLY, SGD, ADAM = 0, 1, 2

# What a run is made of, in whole numbers: the widths of the regressor and of DAML's adaptation loss
# network (critic, 0 without), 1 if that loss is squared; the packed length of theta, inner steps,
# points, L1 or MSE of both sets, order; how many rows of step sizes there are (1, or one per step),
# 1 if they are trained; the optimizer.
Plan = namedtuple(
    "Plan",
    "hidden critic squared size steps support query loss query_loss order rows learned optimizer",
)

# A network in a packed vector. W is its hidden width, padded; affine is first and bias1 together.
#     first (inputs, W)   bias1 (1, W)   second (H, W)   bias2 (1, W)   third (1, W)   bias3 (1, 16)
# are trained, each hidden matrix (in, out); second_back and first_back are their transposes.
Network = namedtuple(
    "Network", "affine first bias1 second bias2 third bias3 second_back first_back"
)

# What runs through a network for n points: the hidden layers (n, W); dL/dz of them, and e = dL/dy
# (n, 1). The same tuples hold their tangents.
Activations = namedtuple("Activations", "h1 h2")
Deltas = namedtuple("Deltas", "d1 d2 e")

# What a task needs, one after the other: theta_1..theta_S; lambda; v; a gradient; the inputs
# [x, 1]; h and d of each inner step, values and tangents; the same for the query. Then DAML's: the
# loss network's input and output u = [h2, h1, y, g], what it asks of u, its activations, deltas and
# tangents, a row per inner step.
Workspace = namedtuple(
    "Workspace",
    "theta lam v gradient inputs h d output q_inputs q_h q_d q_output zeros ones losses "
    "u u_bar a delta ru ra",
)

# What all tasks share: theta_0 and psi with their transposes; step sizes a (rows, n); the shares of
# the query labels (1, S + 1); the sum of their gradients [theta, psi, rows of step sizes]; their
# losses (1, T); gradient, meta and moments as packed meta-vectors [theta, psi, step sizes], in two
# rows where a step leads from one to the other.
Shared = namedtuple("Shared", "start psi a shares total gradient meta moment1 moment2 losses")

# A chunk: inner_x, inner_y (N * T, K), or source inputs (N * T, S) twice; query_x, query_y
# (N * T, Q).
Episodes = namedtuple("Episodes", "inner_x inner_y query_x query_y")


@kernel
def padded(n):
    return (n + LANES - 1) // LANES * LANES


@kernel
def regressor(vector, row, plan):
    return network(vector, row * vector.width, 1, plan.hidden)


@kernel
def loss_network(vector, start, plan):
    """Its inputs are [h2, h1, y], each hidden layer padded."""
    return network(vector, start, 2 * padded(plan.hidden) + 1, plan.critic)


@kernel
def transpose(out, matrix, columns):
    """out (columns, >= rows) = matrix[:, :columns].T"""
    rows = matrix.rows
    whole_rows, whole_columns = rows - rows % LANES, columns - columns % LANES
    for i in range(0, whole_rows, LANES):
        for j in range(0, whole_columns, LANES):
            source = block(matrix, i * matrix.width + j, LANES, matrix.width)
            transpose_square(block(out, j * out.width + i, LANES, out.width), source)
    for i in range(rows):
        for j in range(whole_columns if i < whole_rows else 0, columns):
            out[j, i] = matrix[i, j]


# ------------------------------------------------------------------------------ 2. the network


@kernel
def add_output(net, h2, output):
    """output (n, 1) += h2 (n, W) @ W3'"""
    for p in range(h2.rows):
        total = output[p, 0]
        for j in range(h2.width):
            total += h2[p, j] * net.third[0, j]
        output[p, 0] = total


@kernel
def forward(net, x, h, output):
    """y = W3 relu(W2 relu(W1 x + b1) + b2) + b3"""
    product_relu(h.h1, net.bias1, x, net.first)
    product_relu(h.h2, net.bias2, h.h1, net.second)
    for p in range(output.rows):
        output[p, 0] = net.bias3[0, 0]
    add_output(net, h.h2, output)


@kernel
def backward(net, h, d, h1_bar, h2_bar):
    """d2 = (W3' e + h2_bar) [h2 > 0], d1 = (W2' d2 + h1_bar) [h1 > 0]. The bars are what the loss
    asks of the hidden layers itself: nothing, but in DAML."""
    product_gated(d.d2, h2_bar, d.e, net.third, h.h2)
    product_gated(d.d1, h1_bar, d.d2, net.second_back, h.h1)


@kernel
def add_gradient(g, x, ones, h, d, own):
    """g += d h', layer by layer. `own` is d; but see `add_curvature`."""
    accumulate(g.affine, x, own.d1)
    accumulate(g.second, h.h1, d.d2)
    accumulate(g.bias2, ones, own.d2)
    accumulate(g.third, d.e, h.h2)
    accumulate(g.second_back, d.d2, h.h1)
    for p in range(own.e.rows):
        g.bias3[0, 0] += own.e[p, 0]


@kernel
def step_down(new, old, a, x, ones, h, d):
    """new = old - a * gradient"""
    descend(new.affine, old.affine, a.affine, x, d.d1)
    descend(new.second, old.second, a.second, h.h1, d.d2)
    descend(new.bias2, old.bias2, a.bias2, ones, d.d2)
    descend(new.third, old.third, a.third, d.e, h.h2)
    descend(new.second_back, old.second_back, a.second_back, d.d2, h.h1)
    total = number(d.e, 0)
    for p in range(d.e.rows):
        total += d.e[p, 0]
    new.bias3[0, 0] = old.bias3[0, 0] - a.bias3[0, 0] * total


@kernel
def tangent_forward(net, v, x, h, rh):
    """Pearlmutter 1994: R z = V h + W (R h), R h = (R z) [h > 0]"""
    product_gated(rh.h1, v.bias1, x, v.first, h.h1)
    product(rh.h2, v.bias2, h.h1, v.second)
    product_gated(rh.h2, rh.h2, rh.h1, net.second, h.h2)


@kernel
def tangent_output(net, v, h, rh, output):
    """R y = V3 h2 + v3 + W3 (R h2)"""
    for p in range(output.rows):
        output[p, 0] = v.bias3[0, 0]
    add_output(v, h.h2, output)
    add_output(net, rh.h2, output)


@kernel
def tangent_backward(net, v, h, d, rd, h1_bar, h2_bar):
    """R d2 = (V3' e + W3' (R e) + h2_bar) [h2 > 0], R d1 = (V2' d2 + W2' (R d2) + h1_bar) [h1 > 0]
    where the bars are the tangents of those in `backward`."""
    product(rd.d2, h2_bar, d.e, v.third)
    product_gated(rd.d2, rd.d2, rd.e, net.third, h.h2)
    product(rd.d1, h1_bar, d.d2, v.second_back)
    product_gated(rd.d1, rd.d1, rd.d2, net.second_back, h.h1)


# -------------------------------------------------------------------------- 3. the inner losses


@kernel
def labelled_loss(output, y, share, loss, weight, e):
    """mean |r| or mean r^2, r = output - share * y; e = weight * its derivative. Shapes (n, 1)."""
    zero, scale = number(output, 0), number(output, 1) / number(output, output.rows)
    total = zero
    for p in range(output.rows):
        r = output[p, 0] - share * y[p, 0]
        if loss == L1:
            total += abs(r)
            e[p, 0] = weight * scale if r > zero else (-weight * scale if r < zero else zero)
        else:
            total += r * r
            e[p, 0] = weight * scale * (r + r)
    return total * scale


@kernel
def loss_layer(out, init, scale, matrix, squared):
    """A layer of the loss network: leaky with a squared loss, so that no unit closes for good."""
    if squared:
        product_leaky(out, init, scale, matrix)
    else:
        product_relu(out, init, scale, matrix)


@kernel
def loss_layer_gated(out, init, scale, matrix, gate, squared):
    """The same backwards, or of tangents."""
    if squared:
        product_leaky_gated(out, init, scale, matrix, gate)
    else:
        product_gated(out, init, scale, matrix, gate)


@kernel
def learned_loss(psi, h, output, ws, plan, k):
    """DAML (Yu et al. 2018): |g| or g^2 / 2 of g = g_psi([h2, h1, y]). Leaves in ws.u_bar what it
    asks of each, and in ws.delta the gradients of |g|, or of g itself."""
    w, out = padded(plan.hidden), rows_of(ws.output, 0, 1)
    u, a, delta = rows_of(ws.u, k, 1), rows_of(ws.a, k, 1), rows_of(ws.delta, k, 1)
    for j in range(w):
        u[0, j], u[0, w + j] = h.h2[0, j], h.h1[0, j]
    u[0, 2 * w] = output[0, 0]
    loss_layer(a.h1, psi.bias1, u, psi.first, plan.squared)
    loss_layer(a.h2, psi.bias2, a.h1, psi.second, plan.squared)
    out[0, 0] = psi.bias3[0, 0]
    add_output(psi, a.h2, out)
    g, zero, one = out[0, 0], number(out, 0), number(out, 1)
    delta.e[0, 0] = one if plan.squared or g > zero else (-one if g < zero else zero)
    zeros = block(ws.zeros, 0, 1, a.h1.width)
    loss_layer_gated(delta.d2, zeros, delta.e, psi.third, a.h2, plan.squared)
    loss_layer_gated(delta.d1, zeros, delta.d2, psi.second_back, a.h1, plan.squared)
    product(ws.u_bar, block(ws.zeros, 0, 1, ws.u_bar.width), delta.d1, psi.first_back)
    if not plan.squared:
        return abs(g)
    for j in range(ws.u_bar.width):
        ws.u_bar[0, j] *= g
    u[0, 2 * w + 1] = g
    return number(out, 0.5) * g * g


@kernel
def learned_loss_tangent(psi, rh, output, ws, plan, k):
    """R a = A (R u), layer by layer. g is linear in u and in each of psi's matrices where it is
    smooth. So |g| does not curve: no tangent comes back to theta through it, and the mixed
    derivative d(grad L . v)/dpsi is delta (R a)', summed up after the last step.

    g^2 / 2 curves with g. R of what it asks of u is (R g) du, where du is what g asks: left in
    ws.u_bar. And the mixed derivative, of g (R g), is delta (g (R a) + (R g) a)' for a matrix and
    delta (R g) for its bias."""
    w, ru, ra = padded(plan.hidden), rows_of(ws.ru, k, 1), rows_of(ws.ra, k, 1)
    u, a, delta = rows_of(ws.u, k, 1), rows_of(ws.a, k, 1), rows_of(ws.delta, k, 1)
    zeros, out = block(ws.zeros, 0, 1, a.h1.width), rows_of(ws.output, 0, 1)
    for j in range(w):
        ru[0, j], ru[0, w + j] = rh.h2[0, j], rh.h1[0, j]
    ru[0, 2 * w] = output[0, 0]
    loss_layer_gated(ra.h1, zeros, ru, psi.first, a.h1, plan.squared)
    loss_layer_gated(ra.h2, zeros, ra.h1, psi.second, a.h2, plan.squared)
    if plan.squared:
        out[0, 0] = number(out, 0)
        add_output(psi, ra.h2, out)
        g, rg = u[0, 2 * w + 1], out[0, 0]
        ru[0, 2 * w + 1] = rg
        for j in range(2 * w + 1):
            ru[0, j] = g * ru[0, j] + rg * u[0, j]
        for j in range(ra.h1.width):
            ra.h1[0, j] = g * ra.h1[0, j] + rg * a.h1[0, j]
            ra.h2[0, j] = g * ra.h2[0, j] + rg * a.h2[0, j]
        product(ws.u_bar, block(ws.zeros, 0, 1, ws.u_bar.width), delta.d1, psi.first_back)
        for j in range(ws.u_bar.width):
            ws.u_bar[0, j] *= rg


# --------------------------------------------------------------------------------- 4. one task


@kernel
def load_task(ws, episodes, plan, task):
    """Fill the inputs [x, 1]; returns the targets of the support (K, 1) and the query (Q, 1)."""
    for p in range(episodes.inner_x.width):
        ws.inputs[p, 0] = episodes.inner_x[task, p]
    if plan.critic > 0 and plan.steps > 0 and episodes.inner_x.width == plan.steps:
        ws.inputs[plan.steps, 0] = ws.inputs[plan.steps - 1, 0]  # for the loss at theta_S
    for p in range(plan.query):
        ws.q_inputs[p, 0] = episodes.query_x[task, p]
    inner_y = block(episodes.inner_y, task * plan.support, plan.support, 1)
    return inner_y, block(episodes.query_y, task * plan.query, plan.query, 1)


@kernel
def theta_at(ws, start, k, plan):
    """theta_0 is common to all tasks, the others are the task's own."""
    return regressor(start if k == 0 else rows_of(ws.theta, k - 1, 1), 0, plan)


@kernel
def inner_points(ws, plan, k):
    """The inputs of step k, all support points or its one source input; then the rows, `low` and
    `high`, at which its two halves of ws.h and ws.d begin, and how many rows they have."""
    n = ws.output.rows
    return rows_of(ws.inputs, k if plan.critic > 0 else 0, n), 2 * n * k, 2 * n * k + n, n


@kernel
def adapt_task(ws, start, psi, a, plan, inner_y, losses):
    """Finn et al. 2017, eq. 1: theta_{k+1} = theta_k - a_k * grad L_inner(theta_k). a_k holds a
    number for each parameter: all the same for MAML, 0 below the head for ANIL, learned for
    Meta-SGD (Li et al. 2017) and MAML++. With `losses` = S + 1 the loss at theta_S is taken too."""
    w, output, ones = padded(plan.hidden), ws.output, block(ws.ones, 0, ws.output.rows, 1)
    h1_bar, h2_bar = block(ws.zeros, 0, 1, w), block(ws.zeros, 0, 1, w)
    if plan.critic > 0:
        h1_bar, h2_bar = block(ws.u_bar, w, 1, w), block(ws.u_bar, 0, 1, w)
    for k in range(losses):
        x, low, high, n = inner_points(ws, plan, k)
        h, d, net = rows_of(ws.h, low, n), rows_of(ws.d, high, n), theta_at(ws, start, k, plan)
        forward(net, x, h, output)
        if plan.critic > 0:
            ws.losses[0, k] = learned_loss(psi, h, output, ws, plan, k)
            d.e[0, 0] = ws.u_bar[0, 2 * w]
        else:
            one = number(output, 1)
            ws.losses[0, k] = labelled_loss(output, inner_y, one, plan.loss, one, d.e)
        if k < plan.steps:
            backward(net, h, d, h1_bar, h2_bar)
            new, sizes = regressor(ws.theta, k, plan), regressor(a, k % plan.rows, plan)
            step_down(new, net, sizes, x, ones, h, d)


@kernel
def add_query(ws, lam, start, k, plan, query_y, weight, share):
    """lambda += w_k grad L_query(theta_k); returns w_k L_query(theta_k), the error to a share of
    the labels. Only the last weight is not 0 for MAML; Antoniou et al. 2019 (MAML++) spread it over
    the steps."""
    net, h, d = theta_at(ws, start, k, plan), ws.q_h, ws.q_d
    forward(net, ws.q_inputs, h, ws.q_output)
    loss = labelled_loss(ws.q_output, query_y, share, plan.query_loss, weight, d.e)
    if plan.order > REPTILE:
        zeros, ones = block(ws.zeros, 0, 1, h.h1.width), block(ws.ones, 0, plan.query, 1)
        backward(net, h, d, zeros, zeros)
        add_gradient(regressor(lam, 0, plan), ws.q_inputs, ones, h, d, d)
    return weight * loss


@kernel
def add_curvature(ws, lam, start, psi, a, plan, k):
    """lambda += H v with v = -a_k * lambda: one step back in the recursion at the top.

    A gradient is sum_p d h', its tangent sum_p (R d) h' + d (R h)': the gradient of 2n points. So
    that these lie in one piece, the rows hold [h, R h] and [R d, d]."""
    x, low, high, n = inner_points(ws, plan, k)
    h, rh, both_h = rows_of(ws.h, low, n), rows_of(ws.h, high, n), rows_of(ws.h, low, 2 * n)
    rd, d, both_d = rows_of(ws.d, low, n), rows_of(ws.d, high, n), rows_of(ws.d, low, 2 * n)
    net, v, output = theta_at(ws, start, k, plan), regressor(ws.v, 0, plan), ws.output
    direction(ws.v, rows_of(a, k % plan.rows, 1), lam)
    tangent_forward(net, v, x, h, rh)
    w = padded(plan.hidden)
    h1_bar, h2_bar = block(ws.zeros, 0, 1, w), block(ws.zeros, 0, 1, w)
    clear(rd.e)  # |.| has no second derivative
    if plan.critic > 0:
        tangent_output(net, v, h, rh, output)
        learned_loss_tangent(psi, rh, output, ws, plan, k)
        if plan.squared:
            h1_bar, h2_bar = block(ws.u_bar, w, 1, w), block(ws.u_bar, 0, 1, w)
            rd.e[0, 0] = ws.u_bar[0, 2 * w]
    elif plan.loss == MSE:
        tangent_output(net, v, h, rh, output)
        for p in range(n):
            rd.e[p, 0] = (output[p, 0] + output[p, 0]) / number(output, n)
    tangent_backward(net, v, h, d, rd, h1_bar, h2_bar)
    ones = block(ws.ones, 0, n, 1)
    add_gradient(regressor(lam, 0, plan), x, ones, both_h, both_d, rd)


@kernel
def add_step_size_gradient(ws, lam, out, plan, k):
    """d/da_k = -g_k * lambda_{k+1} (Li et al. 2017), added to out (1, n) for each parameter."""
    x, low, high, n = inner_points(ws, plan, k)
    h, d = rows_of(ws.h, low, n), rows_of(ws.d, high, n)
    clear(ws.gradient)
    add_gradient(regressor(ws.gradient, 0, plan), x, block(ws.ones, 0, n, 1), h, d, d)
    for i in range(out.width):
        out[0, i] -= ws.gradient[0, i] * lam[0, i]


@kernel
def add_loss_network_gradient(ws, out, plan):
    """The gradient for psi, see `learned_loss_tangent`, all steps at once; v has the minus sign."""
    g, n = loss_network(out, 0, plan), plan.steps
    delta, ru, ra = rows_of(ws.delta, 0, n), rows_of(ws.ru, 0, n), rows_of(ws.ra, 0, n)
    accumulate(g.first, ru, delta.d1)
    accumulate(g.second, ra.h1, delta.d2)
    accumulate(g.third, delta.e, ra.h2)
    if plan.squared:
        rg = block(ru, 2 * padded(plan.hidden) + 1, n, ru.width)
        accumulate(g.bias1, rg, delta.d1)
        accumulate(g.bias2, rg, delta.d2)
        for k in range(n):
            g.bias3[0, 0] += rg[k, 0]


@kernel
def task_gradient(ws, shared, episodes, plan, weights, task, out):
    """Add one task's meta-gradient to the sum; returns its query loss."""
    start, a, psi, lam = shared.start, shared.a, loss_network(shared.psi, 0, plan), ws.lam
    inner_y, query_y = load_task(ws, episodes, plan, task)
    adapt_task(ws, start, psi, a, plan, inner_y, plan.steps)
    clear(lam)
    loss = number(lam, 0)
    for k in range(plan.steps, -1, -1):
        if k < plan.steps and plan.learned > 0:
            first = out.width - (plan.rows - k % plan.rows) * plan.size
            add_step_size_gradient(ws, lam, block(out, first, 1, plan.size), plan, k)
        if k < plan.steps and plan.order == SECOND_ORDER:
            add_curvature(ws, lam, start, psi, a, plan, k)
        if weights[0, k] != 0:
            weight, share = weights[0, k], shared.shares[0, k]
            loss += add_query(ws, lam, start, k, plan, query_y, weight, share)
    if plan.critic > 0 and plan.order == SECOND_ORDER:
        add_loss_network_gradient(ws, block(out, plan.size, 1, out.width - plan.size), plan)
    if plan.order == REPTILE and plan.steps > 0:
        set_reptile_gradient(ws, shared, plan)
    for i in range(plan.size):
        out[0, i] += lam[0, i]
    return loss


@kernel
def set_reptile_gradient(ws, shared, plan):
    """Nichol et al. 2018: theta_0 - theta_S, a task's share of the mean."""
    share = number(ws.lam, 1) / number(ws.lam, shared.losses.width)
    for i in range(plan.size):
        ws.lam[0, i] = share * (shared.start[0, i] - ws.theta[plan.steps - 1, i])


# --------------------------------------------------------------------------- 5. the outer loop


@kernel
def expand_step_sizes(shared, plan, meta, slots):
    """a[r, i] = meta[slots[r, i]], or 0 where that place is -1."""
    for r in range(plan.rows):
        for i in range(plan.size):
            shared.a[r, i] = meta[0, slots[r, i]] if slots[r, i] >= 0 else number(meta, 0)
        net = regressor(shared.a, r, plan)
        transpose(net.second_back, net.second, plan.hidden)


@kernel
def expand(shared, plan, meta, slots, step_sizes):
    """What the tasks read, from the packed meta-vector (1, theta + psi + step sizes)."""
    psi_size = shared.total.width - (1 + plan.learned * plan.rows) * plan.size
    for i in range(plan.size):
        shared.start[0, i] = meta[0, i]
    net = regressor(shared.start, 0, plan)
    transpose(net.second_back, net.second, plan.hidden)
    if plan.critic > 0:
        for i in range(psi_size):
            shared.psi[0, i] = meta[0, plan.size + i]
        psi = loss_network(shared.psi, 0, plan)
        transpose(psi.second_back, psi.second, plan.critic)
        transpose(psi.first_back, psi.first, plan.critic)
    if step_sizes:
        expand_step_sizes(shared, plan, meta, slots)


@kernel
def gather_gradient(shared, plan, slots):
    """The gradient as a packed meta-vector: a step size gets the sum of all it stands for."""
    total, out = shared.total, shared.gradient
    trained = total.width - plan.learned * plan.rows * plan.size
    clear(out)
    for i in range(trained):
        out[0, i] = total[0, i]
    if plan.learned > 0:
        for r in range(plan.rows):
            for i in range(plan.size):
                if slots[r, i] >= 0:
                    out[0, slots[r, i]] += total[0, trained + r * plan.size + i]


@kernel
def norm(vector):
    total = number(vector, 0)
    for i in range(vector.width):
        total += vector[0, i] * vector[0, i]
    return np.sqrt(total)


@kernel
def all_finite(vector):
    """Infinity or NaN times nought is NaN."""
    total, zero = number(vector, 0), number(vector, 0)
    for i in range(vector.width):
        total += vector[0, i] * zero
    return total == zero


@kernel
def sgd(shared, old, rate, clip):
    """torch.optim.SGD, from row `old` to the other one."""
    for i in range(shared.meta.width):
        shared.meta[1 - old, i] = shared.meta[old, i] - rate * (clip * shared.gradient[0, i])


@kernel
def adam(shared, old, rate, clip, hyper, t):
    """torch.optim.Adam, from row `old` to the other one."""
    beta1, beta2, epsilon, _ = hyper
    g, new = shared.gradient, 1 - old
    one_less1, one_less2 = number(g, 1 - beta1), number(g, 1 - beta2)
    keep2, eps = number(g, beta2), number(g, epsilon)
    size, root = number(g, rate / (1 - beta1**t)), number(g, np.sqrt(1 - beta2**t))
    # The moments of a parameter that gets no gradient fade. Near the smallest numbers there are,
    # the processor would leave its fast path for each of them.
    zero, least = number(g, 0), number(g, 1e-36)
    for i in range(g.width):
        slope = clip * g[0, i]
        m = shared.moment1[old, i] + one_less1 * (slope - shared.moment1[old, i])
        v = keep2 * shared.moment2[old, i] + one_less2 * slope * slope
        shared.moment1[new, i] = m if abs(m) > least else zero
        shared.moment2[new, i] = v if v > least else zero
        shared.meta[new, i] = shared.meta[old, i] - size * m / (np.sqrt(v) / root + eps)


@kernel
def outer_step(shared, plan, slots, state, rate, hyper, losses, n):
    """Sum, clip as torch.nn.utils.clip_grad_norm_, step; state is [row in use, steps taken].

    Returns whether loss, gradient and new meta-vector are finite; if not, no step is taken."""
    total, g, most = number(shared.losses, 0), shared.gradient, hyper[3]
    for task in range(shared.losses.width):
        total += shared.losses[0, task]
    losses[n] = total
    gather_gradient(shared, plan, slots)
    length = norm(g)
    if not (np.isfinite(total) and np.isfinite(length)):
        return False
    if plan.optimizer == GRADIENT_ONLY:
        return True
    clip = number(g, min(1.0, most / (length + 1e-6)) if most > 0 else 1.0)
    if plan.optimizer == SGD:
        sgd(shared, state[0], number(g, rate), clip)
    else:
        adam(shared, state[0], rate, clip, hyper, state[1] + 1)
    if not all_finite(rows_of(shared.meta, 1 - state[0], 1)):
        return False
    state[0], state[1] = 1 - state[0], state[1] + 1
    return True


@kernel
def sum_over_tasks(ws, shared, episodes, plan, weights, step):
    """The sum of their gradients, and the loss of each."""
    tasks = shared.losses.width
    clear(shared.total)
    for task in range(tasks):
        loss = task_gradient(ws, shared, episodes, plan, weights, step * tasks + task, shared.total)
        shared.losses[0, task] = loss


@compiled
def train(ws, shared, episodes, plan, weights, rates, hyper, slots, state, losses):
    """Run a chunk of outer steps.

    weights (N, S + 1) of the query losses, divided by T; rates (N,); hyper (beta1, beta2, epsilon,
    most norm or 0); slots (rows, n); state (2,). Writes losses (N,) and returns the number of steps
    taken: less than N if one was not finite."""
    ws, shared, episodes = blocks(ws), blocks(shared), blocks(episodes)
    weights, slots = blocks(weights), blocks(slots)
    for n in range(len(rates)):
        expand(shared, plan, rows_of(shared.meta, state[0], 1), slots, n == 0 or plan.learned > 0)
        sum_over_tasks(ws, shared, episodes, plan, rows_of(weights, n, 1), n)
        if not outer_step(shared, plan, slots, state, rates[n], hyper, losses, n):
            return n
    return len(rates)


@compiled
def adapt(ws, shared, episodes, plan, slots, order, thetas, losses):
    """Writes the trajectories thetas (S + 1, T, P) and the inner losses (S + 1, T) of T tasks."""
    ws, shared, episodes = blocks(ws), blocks(shared), blocks(episodes)
    expand(shared, plan, rows_of(shared.meta, 0, 1), blocks(slots), True)
    start, psi = shared.start, loss_network(shared.psi, 0, plan)
    for task in range(thetas.shape[1]):
        inner_y, _ = load_task(ws, episodes, plan, task)
        adapt_task(ws, start, psi, shared.a, plan, inner_y, plan.steps + 1)
        for k in range(plan.steps + 1):
            losses[k, task] = ws.losses[0, k]
            for i in range(order.shape[0]):
                at = order[i]
                thetas[k, task, i] = start[0, at] if k == 0 else ws.theta[k - 1, at]


@compiled
def predict(ws, plan, order, thetas, x, out):
    """out (N, M) = the networks thetas (N, P) at x (1, M), plan.support points at a time."""
    ws, thetas, x, out = blocks(ws), blocks(thetas), blocks(x), blocks(out)
    net = regressor(ws.v, 0, plan)
    for row in range(thetas.rows):
        for i in range(thetas.width):
            ws.v[0, order[i]] = thetas[row, i]
        for start in range(0, x.width, plan.support):
            n = min(plan.support, x.width - start)
            inputs, output = rows_of(ws.inputs, 0, n), rows_of(ws.output, 0, n)
            for p in range(n):
                inputs[p, 0] = x[0, start + p]
            forward(net, inputs, rows_of(ws.h, 0, n), output)
            for p in range(n):
                out[row, start + p] = output[p, 0]


# ------------------------------------------------------------- 6. blocks, as the compiler sees them

_INT = ir.IntType(64)


class Block(types.Type):
    """A (rows, width) matrix that borrows its memory: three words, where an array has nine and a
    count of references."""

    def __init__(self, dtype: types.Type) -> None:
        super().__init__(name=f"Block({dtype})")
        self.dtype = dtype


@register_model(Block)
class _BlockModel(models.StructModel):
    def __init__(self, manager, kind):
        data = types.CPointer(kind.dtype)
        super().__init__(
            manager, kind, [("data", data), ("rows", types.intp), ("width", types.intp)]
        )


make_attribute_wrapper(Block, "rows", "rows")
make_attribute_wrapper(Block, "width", "width")


def _make(context, builder, kind, data, rows, width):
    block = cgutils.create_struct_proxy(kind)(context, builder)
    block.data, block.rows, block.width = data, rows, width
    return block._getvalue()


def _parts(context, builder, kind, value):
    block = cgutils.create_struct_proxy(kind)(context, builder, value=value)
    return block.data, block.rows, block.width


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, arguments, keywords):
        if isinstance(arguments[0], Block):
            return signature(arguments[0].dtype, *arguments)
        return None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, arguments, keywords):
        if isinstance(arguments[0], Block):
            return signature(types.void, *arguments[:2], arguments[0].dtype)
        return None


def _place(context, builder, signature, arguments):
    data, _, width = _parts(context, builder, signature.args[0], arguments[0])
    index = zip(cgutils.unpack_tuple(builder, arguments[1], 2), signature.args[1], strict=True)
    i, j = (context.cast(builder, value, kind, types.intp) for value, kind in index)
    return builder.gep(data, [builder.add(builder.mul(i, width), j)])


@lower_builtin(operator.getitem, Block, types.BaseTuple)
def _get(context, builder, signature, arguments):
    return builder.load(_place(context, builder, signature, arguments))


@lower_builtin(operator.setitem, Block, types.BaseTuple, types.Any)
def _set(context, builder, signature, arguments):
    builder.store(arguments[2], _place(context, builder, signature, arguments))


def _map_type(kind, function):
    """function(kind), or the named tuple type of function(member) for each of its members."""
    if not isinstance(kind, types.BaseTuple):
        return function(kind)
    members = [_map_type(member, function) for member in kind]
    return types.BaseTuple.from_types(members, kind.instance_class)


def _map_value(context, builder, kind, value, result, function):
    """The same for a value of that kind, with the type that comes out."""
    if not isinstance(kind, types.BaseTuple):
        return function(kind, value)
    parts = [
        _map_value(context, builder, member, builder.extract_value(value, i), after, function)
        for i, (member, after) in enumerate(zip(kind, result, strict=True))
    ]
    return context.make_tuple(builder, result, parts)


@intrinsic
def blocks(typing, arrays):
    """A contiguous 2-D array as a block; a named tuple of arrays as one of blocks."""

    def codegen(context, builder, signature, arguments):
        def convert(kind, value):
            array = cgutils.create_struct_proxy(kind)(context, builder, value=value)
            rows, width = cgutils.unpack_tuple(builder, array.shape, 2)
            return _make(context, builder, Block(kind.dtype), array.data, rows, width)

        kind, result = signature.args[0], signature.return_type
        return _map_value(context, builder, kind, arguments[0], result, convert)

    return _map_type(arrays, lambda array: Block(array.dtype))(arrays), codegen


@intrinsic
def block(typing, source, start, rows, width):
    """The (rows, width) block that begins `start` numbers into another one."""

    def codegen(context, builder, signature, arguments):
        source, start, rows, width = arguments
        data = builder.gep(_parts(context, builder, signature.args[0], source)[0], [start])
        return _make(context, builder, signature.return_type, data, rows, width)

    return source(source, types.intp, types.intp, types.intp), codegen


@intrinsic
def rows_of(typing, source, first, count):
    """The rows [first, first + count) of a block, or of each block of a named tuple."""

    def codegen(context, builder, signature, arguments):
        source, first, count = arguments

        def window(kind, value):
            data, _, width = _parts(context, builder, kind, value)
            data = builder.gep(data, [builder.mul(first, width)])
            return _make(context, builder, kind, data, count, width)

        kind = signature.args[0]
        return _map_value(context, builder, kind, source, kind, window)

    return source(source, types.intp, types.intp), codegen


@intrinsic
def network(typing, vector, start, inputs, hidden):
    """The Network that begins `start` numbers into a packed vector."""

    def padded(builder, n):
        return builder.and_(builder.add(n, _INT(LANES - 1)), _INT(-LANES))

    def codegen(context, builder, signature, arguments):
        kind, one, views = signature.args[0], _INT(1), []
        vector, start, inputs, hidden = arguments
        width, back = padded(builder, hidden), padded(builder, inputs)
        first = place = builder.gep(_parts(context, builder, kind, vector)[0], [start])
        shapes = [(inputs, width), (one, width), (hidden, width), (one, width), (one, width)]
        for rows, columns in [*shapes, (one, _INT(LANES)), (hidden, width), (hidden, back)]:
            views.append(_make(context, builder, kind, place, rows, columns))
            place = builder.gep(place, [builder.mul(rows, columns)])
        affine = _make(context, builder, kind, first, builder.add(inputs, one), width)
        return context.make_tuple(builder, signature.return_type, [affine, *views])

    result = types.NamedUniTuple(vector, len(Network._fields), Network)
    return result(vector, types.intp, types.intp, types.intp), codegen


@intrinsic
def clear(typing, out):
    """Fill a block with zeros."""

    def codegen(context, builder, signature, arguments):
        data, rows, width = _parts(context, builder, signature.args[0], arguments[0])
        size = context.get_abi_sizeof(context.get_data_type(signature.args[0].dtype))
        cgutils.memset(builder, data, builder.mul(builder.mul(rows, width), _INT(size)), 0)
        return context.get_dummy_value()

    return types.void(out), codegen


@intrinsic
def number(typing, like, value):
    """`value` in the precision of a block: a plain 0.5 would make float64 of all it touches."""

    def codegen(context, builder, signature, arguments):
        return context.cast(builder, arguments[1], signature.args[1], signature.return_type)

    return like.dtype(like, value), codegen


def _calls(name):
    """Code that calls one of the `products`."""

    def codegen(context, builder, signature, arguments):
        element = context.get_data_type(signature.args[0].dtype)
        given = zip(signature.args, arguments, strict=True)
        parts = [part for pair in given for part in _parts(context, builder, *pair)]
        builder.call(declare(builder.module, name, element), parts)
        return context.get_dummy_value()

    return codegen


@intrinsic
def product(typing, out, init, scale, matrix):
    """out (n, w) = init (n or 1, w) + scale (n, >= rows) @ matrix (rows, w)"""
    return types.void(out, init, scale, matrix), _calls("product")


@intrinsic
def product_relu(typing, out, init, scale, matrix):
    """The same through a ReLU: a layer, forwards."""
    return types.void(out, init, scale, matrix), _calls("product_relu")


@intrinsic
def product_gated(typing, out, init, scale, matrix, gate):
    """The same where gate (n, w) > 0, and 0 elsewhere: a layer backwards, or of tangents."""
    return types.void(out, init, scale, matrix, gate), _calls("product_gated")


@intrinsic
def product_leaky(typing, out, init, scale, matrix):
    """The product through a leaky ReLU."""
    return types.void(out, init, scale, matrix), _calls("product_leaky")


@intrinsic
def product_leaky_gated(typing, out, init, scale, matrix, gate):
    """The product where gate (n, w) > 0, and a tenth of it elsewhere."""
    return types.void(out, init, scale, matrix, gate), _calls("product_leaky_gated")


@intrinsic
def accumulate(typing, out, scale, right):
    """out (rows, w) += scale (n, >= rows).T @ right (n, w)"""
    return types.void(out, scale, right), _calls("accumulate")


@intrinsic
def descend(typing, out, base, a, scale, right):
    """out (rows, w) = base - a * (scale (n, >= rows).T @ right (n, w))"""
    return types.void(out, base, a, scale, right), _calls("descend")


@intrinsic
def direction(typing, out, a, vector):
    """out (1, n) = -a * vector, n a multiple of LANES"""
    return types.void(out, a, vector), _calls("direction")


@intrinsic
def transpose_square(typing, out, matrix):
    """out[j, i] = matrix[i, j] for i, j < LANES"""
    return types.void(out, matrix), _calls("transpose_square")
