"""The compiled engine: meta-gradients of a 1-H-H-1 ReLU network without a graph of graphs.

The inner loop descends, ``theta_{k+1} = theta_k - a_k * grad L_inner(theta_k)``, k = 0..S-1, and the
outer loss is ``sum_k w_k L_query(theta_k)``. Going back through the steps is a chain of Hessian-vector
products (Finn et al. 2017, eq. 1, by reverse accumulation):

    lambda_S = w_S grad L_query(theta_S)
    lambda_k = lambda_{k+1} - alpha H lambda_{k+1} + w_k grad L_query(theta_k),   H = H(theta_k)

and ``lambda_0`` is the meta-gradient. ``H v`` of a small network is one more forward and one more backward
pass, of tangents (Pearlmutter 1994, the R-operator). Everything is made of two products on small blocks:

    product      out = init + scale @ matrix        a layer, forwards or backwards, of values or tangents
    accumulate   out += scale.T @ right             the gradient of a layer, a sum over points
    descend      out = base - a * scale.T @ right   the same, taken as a step

Blocks are 2-D, rows padded with zeros to a multiple of 16 numbers, so that a row is whole vector registers.
Each hidden matrix is held twice, once for each direction of `product`. The file has six parts: the products,
the layout, the network, the two inner losses, one task, the outer loop. All compiled code is in this one
file because Numba's cache on disk looks at the file's date only.
"""

import functools
import operator
from collections import namedtuple

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, make_attribute_wrapper, models, register_model

# Sums may be reordered and fused; NaN and infinity must stay what they are (no nnan, no ninf), because a
# run that diverges is noticed by them.
FAST = {"reassoc", "contract", "nsz"}
inlined = njit(forceinline=False, fastmath=FAST, error_model="numpy")
uncached_because = ""


def compiled(function):
    """Compile at the first call, without the GIL, and keep the code on disk where that is possible."""
    global uncached_because
    options = {"nogil": True, "fastmath": FAST, "error_model": "numpy"}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError as reason:
        uncached_because = str(reason)
        return njit(**options)(function)


LANES = 16

# ---------------------------------------------------------------------------------- 1. the products
#
# Written in LLVM's own language, because loops over arrays don't become this: LLVM can't know that arrays
# don't overlap, so it would keep the sums in memory instead of in registers (measured: 9 to 16 GFLOP/s as
# plain loops, 130 to 180 so, of 170 that a large matrix product reaches on the same core).

_WIDE = binding.get_host_cpu_features().get("avx512f", False)
_COLUMNS = (32, 16) if _WIDE else (16,)  # how many lanes at once, so that the sums fit in the registers
_POINTS = (4, 1)  # how many points at once: a matrix row is loaded once for all of them
_INT = ir.IntType(64)


class _Emitter:
    """Short words for the few instructions that the products need."""

    def __init__(self, builder: ir.IRBuilder, element: ir.Type) -> None:
        self.builder, self.element = builder, element
        self.align = 4 if isinstance(element, ir.FloatType) else 8

    def zero(self, lanes):
        return ir.Constant(ir.VectorType(self.element, lanes), [self.element(0.0)] * lanes)

    def spans(self, total, sizes):
        """Loops that cover range(total) greedily in spans of ``sizes``: yields (first index, size)."""
        start = _INT(0)
        for size in sizes:
            stop = self.builder.sub(total, self.builder.srem(total, _INT(size)))
            with cgutils.for_range_slice(self.builder, start, stop, _INT(size), _INT) as (i, _):
                yield i, size
            start = stop

    def at(self, base, row, stride, column):
        return self.builder.gep(base, [self.builder.add(self.builder.mul(row, stride), column)])

    def load(self, pointer, lanes):
        kind = ir.VectorType(self.element, lanes).as_pointer()
        return self.builder.load(self.builder.bitcast(pointer, kind), align=self.align)

    def store(self, value, pointer):
        pointer = self.builder.bitcast(pointer, value.type.as_pointer())
        self.builder.store(value, pointer, align=self.align)

    def splat(self, pointer, lanes):
        undefined = ir.Constant(ir.VectorType(self.element, lanes), ir.Undefined)
        number = self.builder.load(pointer, align=self.align)
        vector = self.builder.insert_element(undefined, number, ir.IntType(32)(0))
        return self.shuffle(vector, undefined, [0] * lanes)

    def shuffle(self, x, y, order):
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order)
        return self.builder.shuffle_vector(x, y, mask)

    def multiply_add(self, x, y, z):
        product = self.builder.fmul(x, y, flags=("contract",))
        return self.builder.fadd(product, z, flags=("contract",))


def _emit_product(activation):
    """out[p] = activation(init[p] + sum_i scale[p, i] * matrix[i])."""

    def emit(e, out, init, scale, matrix, gate, init_stride, scale_stride, points, rows, width):
        for j, lanes in e.spans(width, _COLUMNS):
            for p, count in e.spans(points, _POINTS):
                each = [e.builder.add(p, _INT(q)) for q in range(count)]
                sums = tile(e, init, scale, matrix, init_stride, scale_stride, rows, width, j, lanes, each)
                for q, total in zip(each, sums):
                    e.store(activate(e, total, gate, q, width, j, lanes), e.at(out, q, width, j))

    def tile(e, init, scale, matrix, init_stride, scale_stride, rows, width, j, lanes, each):
        # An addition waits for the one before it, so each sum is split in several that don't.
        chains = max(2, 128 // (lanes * len(each)))
        vector = ir.VectorType(e.element, lanes)
        sums = [[cgutils.alloca_once(e.builder, vector) for _ in each] for _ in range(chains)]
        for chain, row in enumerate(sums):
            for q, total in zip(each, row):
                first = e.zero(lanes) if chain else e.load(e.at(init, q, init_stride, j), lanes)
                e.builder.store(first, total)
        for i, unrolled in e.spans(rows, (chains, 1)):
            for chain in range(unrolled):
                row = e.builder.add(i, _INT(chain))
                weights = e.load(e.at(matrix, row, width, j), lanes)
                for q, total in zip(each, sums[chain]):
                    factor = e.splat(e.at(scale, q, scale_stride, row), lanes)
                    e.builder.store(e.multiply_add(factor, weights, e.builder.load(total)), total)
        totals = [e.builder.load(total) for total in sums[0]]
        for row in sums[1:]:
            totals = [e.builder.fadd(x, e.builder.load(y)) for x, y in zip(totals, row)]
        return totals

    def activate(e, value, gate, q, width, j, lanes):
        zero = e.zero(lanes)
        if activation == "relu":  # "<=" lets a NaN through, as torch does
            return e.builder.select(e.builder.fcmp_ordered("<=", value, zero), zero, value)
        if activation == "gate":  # the derivative of the ReLU: 0 at 0
            opened = e.load(e.at(gate, q, width, j), lanes)
            return e.builder.select(e.builder.fcmp_ordered(">", opened, zero), value, zero)
        return value

    return emit


def _emit_outer(descending):
    """out[i] = base[i] + sum_p scale[p, i] * right[p], or base[i] - a[i] * sum_p ..."""

    def emit(e, out, base, a, scale, right, scale_stride, points, rows, width):
        b = e.builder
        for j, lanes in e.spans(width, _COLUMNS):
            for p, count in e.spans(points, _POINTS):
                start = b.select(b.icmp_signed("==", p, _INT(0)), base, out)
                each = [b.add(p, _INT(q)) for q in range(count)]
                rights = [e.load(e.at(right, q, width, j), lanes) for q in each]
                for i, _ in e.spans(rows, (1,)):
                    before = e.load(e.at(start, i, width, j), lanes)
                    total = e.zero(lanes) if descending else before
                    for q, vector in zip(each, rights):
                        total = e.multiply_add(e.splat(e.at(scale, q, scale_stride, i), lanes), vector, total)
                    if descending:
                        size = e.load(e.at(a, i, width, j), lanes)
                        total = e.multiply_add(b.fneg(size), total, before)
                    e.store(total, e.at(out, i, width, j))

    return emit


def _emit_direction(e, out, a, vector, length):
    """out = -a * vector."""
    for i, lanes in e.spans(length, (2 * LANES, LANES)):
        size, value = e.load(e.builder.gep(a, [i]), lanes), e.load(e.builder.gep(vector, [i]), lanes)
        e.store(e.builder.fmul(e.builder.fneg(size), value), e.builder.gep(out, [i]))


def _emit_transpose(e, out, matrix, out_width, width):
    """One square of LANES x LANES numbers: four rounds of dealing two rows into one another."""
    lines = [e.load(e.at(matrix, _INT(i), width, _INT(0)), LANES) for i in range(LANES)]
    half = LANES // 2
    low = [i // 2 + LANES * (i % 2) for i in range(LANES)]
    for _ in range(LANES.bit_length() - 1):
        pairs = zip(lines[:half], lines[half:])
        lines = [e.shuffle(x, y, [i + s for i in low]) for x, y in pairs for s in (0, half)]
    for i, line in enumerate(lines):
        e.store(line, e.at(out, _INT(i), out_width, _INT(0)))


# name: how many pointers, how many integers, and what emits the body
_TILES = {
    "product_linear": (5, 5, _emit_product("linear")),
    "product_relu": (5, 5, _emit_product("relu")),
    "product_gate": (5, 5, _emit_product("gate")),
    "accumulate": (5, 4, _emit_outer(descending=False)),
    "descend": (5, 4, _emit_outer(descending=True)),
    "direction": (3, 1, _emit_direction),
    "transpose": (2, 2, _emit_transpose),
}


def _declare(module, name, element):
    """The C function ``name`` for one kind of number, as ``module`` sees it."""
    pointers, integers, _ = _TILES[name]
    symbol = f"metademo_{name}_{element}"
    if symbol in module.globals:
        return module.globals[symbol]
    arguments = [element.as_pointer()] * pointers + [_INT] * integers
    return ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), symbol)


@functools.cache
def prepare(dtype):
    """Compile the products for float32 or float64; the kernels find them by their names."""
    element = ir.FloatType() if dtype == "float32" else ir.DoubleType()
    module = ir.Module("metademo")
    for name, (_, _, emit) in _TILES.items():
        function = _declare(module, name, element)
        inside = ir.IRBuilder(function.append_basic_block("entry"))
        emit(_Emitter(inside, element), *function.args)
        inside.ret_void()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=3, jit=True
    )
    parsed = binding.parse_assembly(str(module))
    passes = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=2))
    passes.getModulePassManager().run(parsed, passes)
    engine = binding.create_mcjit_compiler(parsed, machine)
    engine.finalize_object()
    for name in _TILES:
        symbol = f"metademo_{name}_{element}"
        binding.add_symbol(symbol, engine.get_function_address(symbol))
    return engine


def _call(context, builder, name, pointers, integers, dtype):
    function = _declare(builder.module, name, context.get_data_type(dtype))
    builder.call(function, [*pointers, *integers])
    return context.get_dummy_value()


class Block(types.Type):
    """A (rows, width) matrix that borrows its memory: three words where an array has nine and a counter."""

    def __init__(self, dtype: types.Type) -> None:
        super().__init__(name=f"Block({dtype})")
        self.dtype = dtype


@register_model(Block)
class _BlockModel(models.StructModel):
    def __init__(self, manager, kind):
        members = [("data", types.CPointer(kind.dtype)), ("rows", types.intp), ("width", types.intp)]
        super().__init__(manager, kind, members)


make_attribute_wrapper(Block, "rows", "rows")
make_attribute_wrapper(Block, "width", "width")


def _block(context, builder, kind, data, rows, width):
    block = cgutils.create_struct_proxy(kind)(context, builder)
    block.data, block.rows, block.width = data, rows, width
    return block._getvalue()


def _parts(context, builder, kind, value):
    block = cgutils.create_struct_proxy(kind)(context, builder, value=value)
    return block.data, block.rows, block.width


def _place(context, builder, signature, arguments):
    data, _, width = _parts(context, builder, signature.args[0], arguments[0])
    index = cgutils.unpack_tuple(builder, arguments[1], 2)
    i, j = (context.cast(builder, v, k, types.intp) for v, k in zip(index, signature.args[1]))
    return builder.gep(data, [builder.add(builder.mul(i, width), j)])


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, arguments, keywords):
        if isinstance(arguments[0], Block):
            return signature(arguments[0].dtype, *arguments)


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, arguments, keywords):
        if isinstance(arguments[0], Block):
            return signature(types.void, *arguments[:2], arguments[0].dtype)


@lower_builtin(operator.getitem, Block, types.BaseTuple)
def _get(context, builder, signature, arguments):
    return builder.load(_place(context, builder, signature, arguments))


@lower_builtin(operator.setitem, Block, types.BaseTuple, types.Any)
def _set(context, builder, signature, arguments):
    builder.store(arguments[2], _place(context, builder, signature, arguments))


def _blocks(context, builder, signature, arguments):
    """(data pointer, rows, width) of each argument, a block."""
    return [_parts(context, builder, k, v) for k, v in zip(signature.args, arguments)]


def _product(activation):
    def codegen(context, builder, signature, arguments):
        blocks = list(_blocks(context, builder, signature, arguments))
        (out, points, width), (init, init_rows, _), (scale, _, scale_width), (matrix, rows, _) = blocks[:4]
        same = builder.icmp_signed("==", init_rows, _INT(1))
        pointers = [out, init, scale, matrix, blocks[-1][0]]
        integers = [builder.select(same, _INT(0), width), scale_width, points, rows, width]
        return _call(context, builder, f"product_{activation}", pointers, integers, signature.args[0].dtype)

    return codegen


@intrinsic
def product(typing, out, init, scale, matrix):
    """out (n, w) = init (n or 1, w) + scale (n, >= rows) @ matrix (rows, w)."""
    return types.void(out, init, scale, matrix), _product("linear")


@intrinsic
def product_relu(typing, out, init, scale, matrix):
    """The same through a ReLU: a layer, forwards."""
    return types.void(out, init, scale, matrix), _product("relu")


@intrinsic
def product_gated(typing, out, init, scale, matrix, gate):
    """The same where gate (n, w) > 0, and 0 elsewhere: a layer, backwards, or of tangents."""
    return types.void(out, init, scale, matrix, gate), _product("gate")


@intrinsic
def accumulate(typing, out, scale, right):
    """out (rows, w) += scale (n, >= rows).T @ right (n, w)."""

    def codegen(context, builder, signature, arguments):
        (out, rows, width), (scale, _, stride), (right, points, _) = _blocks(
            context, builder, signature, arguments
        )
        pointers, integers = [out, out, out, scale, right], [stride, points, rows, width]
        return _call(context, builder, "accumulate", pointers, integers, signature.args[0].dtype)

    return types.void(out, scale, right), codegen


@intrinsic
def descend(typing, out, base, a, scale, right):
    """out (rows, w) = base - a * (scale (n, >= rows).T @ right (n, w))."""

    def codegen(context, builder, signature, arguments):
        (out, rows, width), (base, _, _), (a, _, _), (scale, _, stride), (right, points, _) = _blocks(
            context, builder, signature, arguments
        )
        pointers, integers = [out, base, a, scale, right], [stride, points, rows, width]
        return _call(context, builder, "descend", pointers, integers, signature.args[0].dtype)

    return types.void(out, base, a, scale, right), codegen


@intrinsic
def direction(typing, out, a, vector):
    """out (1, n) = -a * vector, n a multiple of LANES."""

    def codegen(context, builder, signature, arguments):
        (out, _, length), (a, _, _), (vector, _, _) = _blocks(context, builder, signature, arguments)
        pointers = [out, a, vector]
        return _call(context, builder, "direction", pointers, [length], signature.args[0].dtype)

    return types.void(out, a, vector), codegen


@intrinsic
def transpose_square(typing, out, matrix, row, column):
    """out[column + j, row + i] = matrix[row + i, column + j], i and j < LANES."""

    def codegen(context, builder, signature, arguments):
        (out, _, out_width), (matrix, _, width) = _blocks(
            context, builder, signature, arguments[:2]
        )
        row, column = arguments[2:]
        out = builder.gep(out, [builder.add(builder.mul(column, out_width), row)])
        matrix = builder.gep(matrix, [builder.add(builder.mul(row, width), column)])
        integers = [out_width, width]
        return _call(context, builder, "transpose", [out, matrix], integers, signature.args[0].dtype)

    return types.void(out, matrix, types.intp, types.intp), codegen


def _mapped(kind, function):
    """The named tuple type ``kind`` with function(member) for each of its members."""
    if not isinstance(kind, types.BaseTuple):
        return function(kind)
    members = [_mapped(member, function) for member in kind]
    return types.BaseTuple.from_types(members, kind.instance_class)


def _map(context, builder, kind, value, result, function):
    """The same for values."""
    if not isinstance(kind, types.BaseTuple):
        return function(kind, value)
    parts = [
        _map(context, builder, member, builder.extract_value(value, index), after, function)
        for index, (member, after) in enumerate(zip(kind, result))
    ]
    return context.make_tuple(builder, result, parts)


@intrinsic
def blocks(typing, arrays):
    """A 2-D array as a block, or a named tuple of arrays as one of blocks."""

    def codegen(context, builder, signature, arguments):
        def convert(kind, value):
            array = cgutils.create_struct_proxy(kind)(context, builder, value=value)
            rows, width = cgutils.unpack_tuple(builder, array.shape, 2)
            return _block(context, builder, Block(kind.dtype), array.data, rows, width)

        return _map(context, builder, signature.args[0], arguments[0], signature.return_type, convert)

    return _mapped(arrays, lambda array: Block(array.dtype))(arrays), codegen


@intrinsic
def block(typing, source, start, rows, width):
    """The (rows, width) block that begins ``start`` numbers into another one."""

    def codegen(context, builder, signature, arguments):
        source, start, rows, width = arguments
        data = builder.gep(_parts(context, builder, signature.args[0], source)[0], [start])
        return _block(context, builder, signature.return_type, data, rows, width)

    return source(source, types.intp, types.intp, types.intp), codegen


@intrinsic
def rows_of(typing, source, first, count):
    """The rows [first, first + count) of a block, or of each block of a named tuple."""

    def codegen(context, builder, signature, arguments):
        source, first, count = arguments

        def window(kind, value):
            data, _, width = _parts(context, builder, kind, value)
            data = builder.gep(data, [builder.mul(first, width)])
            return _block(context, builder, kind, data, count, width)

        kind = signature.args[0]
        return _map(context, builder, kind, source, kind, window)

    return source(source, types.intp, types.intp), codegen


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
    """``value`` in the precision of a block: a plain 0.5 would make float64 of all it touches."""

    def codegen(context, builder, signature, arguments):
        return context.cast(builder, arguments[1], signature.args[1], signature.return_type)

    return like.dtype(like, value), codegen


# ---------------------------------------------------------------------------------- 2. the layout

L1, MSE = 0, 1
REPTILE, FIRST_ORDER, SECOND_ORDER = 0, 1, 2
GRADIENT_ONLY, SGD, ADAM = 0, 1, 2

# What a run is made of; all whole numbers. ``critic`` is the width of DAML's adaptation loss network or 0; ``size`` the
# packed length of theta;
# ``rows`` the number of distinct rows of step sizes; ``learned`` is 1 when they are trained.
Plan = namedtuple(
    "Plan",
    "hidden critic size steps support query loss query_loss order rows learned optimizer groups group_size",
)

# A network's tensors as blocks; W = hidden, padded. The ``_back`` ones are the transposed copies.
Network = namedtuple(
    "Network", "affine first bias1 second bias2 third bias3 second_back first_back"
)

# What runs through a network for n points: the hidden layers (n, W), and dL/dz of them, with e = dL/dy (n, 1).
# The same tuples hold the tangents of these.
Activations = namedtuple("Activations", "h1 h2")
Deltas = namedtuple("Deltas", "d1 d2 e")

# One thread's memory. theta_1..theta_S; lambda and v; the regressor's inputs [x, 1], h and d for each inner step
# (values and tangents: see `paired`), the same for the query; in DAML the loss network's input u = [h2, h1, y],
# its activations and deltas, and the tangents, one row for each inner step.
Workspace = namedtuple(
    "Workspace",
    "theta lam v gradient inputs h d output q_inputs q_h q_d q_output zeros ones losses "
    "u u_bar a delta ru ra",
)

# What the threads share. start is the expanded meta-vector (theta, then psi), a (rows, n) the step sizes,
# partial (groups, ...) the sums of gradients, gradient and the optimizer's pairs of rows the packed vectors.
Shared = namedtuple("Shared", "start psi a partial gradient meta moment1 moment2 task_loss")

# Episodes of a chunk, flat: inner_x and inner_y (N * T, K) or (N * T, S) and unused, query_x, query_y (N * T, Q).
Episodes = namedtuple("Episodes", "inner_x inner_y query_x query_y")


def _padded(b, n):
    return b.and_(b.add(n, _INT(LANES - 1)), _INT(-LANES))


@intrinsic
def network(typing, vector, start, inputs, hidden):
    """The blocks of a packed vector's network: the trained numbers first, the transposed copies last."""

    def codegen(context, builder, signature, arguments):
        vector, start, inputs, hidden = arguments
        first = place = builder.gep(_parts(context, builder, signature.args[0], vector)[0], [start])
        one, width, views = _INT(1), _padded(builder, hidden), []
        shapes = [(inputs, width), (one, width), (hidden, width), (one, width), (one, width)]
        shapes += [(one, _INT(LANES)), (hidden, width), (hidden, _padded(builder, inputs))]
        for rows, width in shapes:
            views.append(_block(context, builder, vector_type, place, rows, width))
            place = builder.gep(place, [builder.mul(rows, width)])
        affine = _block(context, builder, vector_type, first, builder.add(inputs, one), shapes[0][1])
        return context.make_tuple(builder, signature.return_type, [affine, *views])

    vector_type = vector
    result = types.NamedUniTuple(vector, len(Network._fields), Network)
    return result(vector, types.intp, types.intp, types.intp), codegen


@inlined
def padded(n):
    return (n + LANES - 1) // LANES * LANES


@inlined
def regressor(vector, row, plan):
    return network(vector, row * vector.width, 1, plan.hidden)


@inlined
def loss_network(vector, start, plan):
    """Its input is u = [h2, h1, y], each hidden layer padded."""
    return network(vector, start, 2 * padded(plan.hidden) + 1, plan.critic)


@inlined
def transpose(out, matrix, columns):
    """out (columns, >= rows) = matrix[:, :columns].T"""
    rows = matrix.rows
    whole_rows, whole_columns = rows - rows % LANES, columns - columns % LANES
    for i in range(0, whole_rows, LANES):
        for j in range(0, whole_columns, LANES):
            transpose_square(out, matrix, i, j)
    for i in range(rows):
        for j in range(whole_columns if i < whole_rows else 0, columns):
            out[j, i] = matrix[i, j]


# ---------------------------------------------------------------------------------- 3. the network


@inlined
def add_output(net, h2, output):
    """output (n, 1) += h2 (n, W) @ W3.T"""
    for p in range(h2.rows):
        total = output[p, 0]
        for j in range(h2.width):
            total += h2[p, j] * net.third[0, j]
        output[p, 0] = total


@inlined
def forward(net, x, h, output):
    """y = W3 relu(W2 relu(W1 x + b1) + b2) + b3"""
    product_relu(h.h1, net.bias1, x, net.first)
    product_relu(h.h2, net.bias2, h.h1, net.second)
    for p in range(output.rows):
        output[p, 0] = net.bias3[0, 0]
    add_output(net, h.h2, output)


@inlined
def backward(net, h, d, h1_bar, h2_bar):
    """d2 = (e W3 + h2_bar) [h2 > 0], d1 = (W2' d2 + h1_bar) [h1 > 0]; the bars are what the loss itself asks
    of the hidden layers: nothing, but in DAML."""
    product_gated(d.d2, h2_bar, d.e, net.third, h.h2)
    product_gated(d.d1, h1_bar, d.d2, net.second_back, h.h1)


@inlined
def tangent_forward(net, v, x, h, rh, output):
    """Pearlmutter 1994: R z = V h + W (R h), R h = R z [h > 0]; output = R y."""
    product_gated(rh.h1, v.bias1, x, v.first, h.h1)
    product(rh.h2, v.bias2, h.h1, v.second)
    product_gated(rh.h2, rh.h2, rh.h1, net.second, h.h2)
    for p in range(output.rows):
        output[p, 0] = v.bias3[0, 0]
    add_output(v, h.h2, output)
    add_output(net, rh.h2, output)


@inlined
def tangent_backward(net, v, h, d, rd, zeros):
    """R d2 = (e V3 + (R e) W3) [h2 > 0], R d1 = (V2' d2 + W2' (R d2)) [h1 > 0]"""
    product(rd.d2, zeros, d.e, v.third)
    product_gated(rd.d2, rd.d2, rd.e, net.third, h.h2)
    product(rd.d1, zeros, d.d2, v.second_back)
    product_gated(rd.d1, rd.d1, rd.d2, net.second_back, h.h1)


@inlined
def add_gradient(g, x, ones, h, d, own):
    """g += the gradient, layer by layer. ``own`` is d, or for H v, when h and d are `both`, the tangents."""
    accumulate(g.affine, x, own.d1)
    accumulate(g.second, h.h1, d.d2)
    accumulate(g.bias2, ones, own.d2)
    accumulate(g.third, d.e, h.h2)
    accumulate(g.second_back, d.d2, h.h1)
    for p in range(own.e.rows):
        g.bias3[0, 0] += own.e[p, 0]


@inlined
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


# ---------------------------------------------------------------------------------- 4. the losses


@inlined
def labelled_loss(output, y, loss, weight, e):
    """mean |output - y| or mean (output - y)^2; e = weight * its derivative. Shapes (n, 1)."""
    zero, scale = number(output, 0), number(output, 1) / number(output, output.rows)
    total = zero
    for p in range(output.rows):
        r = output[p, 0] - y[p, 0]
        if loss == L1:
            total += abs(r)
            e[p, 0] = weight * scale if r > zero else (-weight * scale if r < zero else zero)
        else:
            total += r * r
            e[p, 0] = weight * scale * (r + r)
    return total * scale


@inlined
def learned_loss(psi, h, output, ws, plan, k):
    """DAML (Yu et al. 2018): |g_psi([h2, h1, y])|; leaves in ws.u_bar what it asks of h2, h1 and y."""
    w, out = padded(plan.hidden), rows_of(ws.output, 0, 1)
    u, a, delta = rows_of(ws.u, k, 1), rows_of(ws.a, k, 1), rows_of(ws.delta, k, 1)
    for j in range(w):
        u[0, j], u[0, w + j] = h.h2[0, j], h.h1[0, j]
    u[0, 2 * w] = output[0, 0]
    forward(psi, u, a, out)
    zero, one = number(out, 0), number(out, 1)
    delta.e[0, 0] = one if out[0, 0] > zero else (-one if out[0, 0] < zero else zero)
    zeros = block(ws.zeros, 0, 1, a.h1.width)
    backward(psi, a, delta, zeros, zeros)
    product(ws.u_bar, block(ws.zeros, 0, 1, ws.u_bar.width), delta.d1, psi.first_back)
    return abs(out[0, 0])


@inlined
def learned_loss_tangent(psi, rh, output, ws, plan, k):
    """R a = A (R u) layer by layer. |.| and the ReLU have no curvature, so L_adapt is linear in u and in each
    of psi's matrices where it is smooth: nothing comes back to theta, and d(grad L . v)/dpsi = delta (R a)."""
    w, a = padded(plan.hidden), rows_of(ws.a, k, 1)
    ru, ra, zeros = rows_of(ws.ru, k, 1), rows_of(ws.ra, k, 1), block(ws.zeros, 0, 1, a.h1.width)
    for j in range(w):
        ru[0, j], ru[0, w + j] = rh.h2[0, j], rh.h1[0, j]
    ru[0, 2 * w] = output[0, 0]
    product_gated(ra.h1, zeros, ru, psi.first, a.h1)
    product_gated(ra.h2, zeros, ra.h1, psi.second, a.h2)


# ---------------------------------------------------------------------------------- 5. one task


@inlined
def load_task(ws, episodes, plan, task):
    """Fill the inputs [x, 1]; returns the support's and the query's targets (K, 1) and (Q, 1)."""
    for p in range(episodes.inner_x.width):
        ws.inputs[p, 0] = episodes.inner_x[task, p]
    if plan.critic > 0 and episodes.inner_x.width == plan.steps:  # for the loss after the last step
        ws.inputs[plan.steps, 0] = ws.inputs[plan.steps - 1, 0]
    for p in range(plan.query):
        ws.q_inputs[p, 0] = episodes.query_x[task, p]
    inner_y = block(episodes.inner_y, task * plan.support, plan.support, 1)
    return inner_y, block(episodes.query_y, task * plan.query, plan.query, 1)


@inlined
def theta_at(ws, start, k, plan):
    """theta_0 is shared by all tasks; the others are the thread's own."""
    return regressor(start if k == 0 else rows_of(ws.theta, k - 1, 1), 0, plan)


@inlined
def inner_points(ws, plan, k):
    """The inputs of step k, all support points or the one source input, and where its rows begin."""
    n = ws.output.rows
    return rows_of(ws.inputs, k if plan.critic > 0 else 0, n), 2 * n * k, 2 * n * k + n, n


@inlined
def adapt_task(ws, start, psi, a, plan, inner_y, losses):
    """Finn et al. 2017, eq. 1: theta_{k+1} = theta_k - a_k * grad L_inner(theta_k), a_k element by element
    (one number for MAML, one per parameter for Meta-SGD, Li et al. 2017, 0 below the head for ANIL). With
    ``losses`` = steps + 1 the loss after the last step is taken too."""
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
            ws.losses[0, k] = labelled_loss(output, inner_y, plan.loss, number(output, 1), d.e)
        if k < plan.steps:
            backward(net, h, d, h1_bar, h2_bar)
            step_down(regressor(ws.theta, k, plan), net, regressor(a, k % plan.rows, plan), x, ones, h, d)


@inlined
def add_query(ws, start, k, plan, query_y, weight):
    """lambda += w_k grad L_query(theta_k); returns w_k L_query(theta_k) (Antoniou et al. 2019 sum over k)."""
    net, h, d = theta_at(ws, start, k, plan), ws.q_h, ws.q_d
    forward(net, ws.q_inputs, h, ws.q_output)
    loss = labelled_loss(ws.q_output, query_y, plan.query_loss, weight, d.e)
    if plan.order > REPTILE:
        zeros = block(ws.zeros, 0, 1, h.h1.width)
        backward(net, h, d, zeros, zeros)
        lam = regressor(ws.lam, 0, plan)
        add_gradient(lam, ws.q_inputs, block(ws.ones, 0, plan.query, 1), h, d, d)
    return weight * loss


@inlined
def add_curvature(ws, start, psi, a, plan, k):
    """lambda += H v, v = -a_k * lambda: one step back of the recursion at the top of this file.

    A gradient is sum_p d h, so its tangent is sum_p (R d) h + d (R h): the outer products of 2n points. Hence
    the order of the rows: [h, R h] beside [R d, d]."""
    x, low, high, n = inner_points(ws, plan, k)
    h, rh, d, rd = rows_of(ws.h, low, n), rows_of(ws.h, high, n), rows_of(ws.d, high, n), rows_of(ws.d, low, n)
    net, v, lam = theta_at(ws, start, k, plan), regressor(ws.v, 0, plan), regressor(ws.lam, 0, plan)
    output, zero = ws.output, number(ws.output, 0)
    direction(ws.v, rows_of(a, k % plan.rows, 1), ws.lam)
    tangent_forward(net, v, x, h, rh, output)
    curved = plan.loss == MSE and plan.critic == 0  # |.| has no second derivative
    for p in range(n):
        rd.e[p, 0] = (output[p, 0] + output[p, 0]) / number(output, n) if curved else zero
    if plan.critic > 0:
        learned_loss_tangent(psi, rh, output, ws, plan, k)
    tangent_backward(net, v, h, d, rd, block(ws.zeros, 0, 1, h.h1.width))
    both_h, both_d = rows_of(ws.h, low, 2 * n), rows_of(ws.d, low, 2 * n)
    add_gradient(lam, x, block(ws.ones, 0, n, 1), both_h, both_d, rd)


@inlined
def add_step_size_gradient(ws, out, plan, k):
    """d/da_k = -g_k * lambda_{k+1} (Li et al. 2017); out (1, n) collects it, one number per parameter."""
    x, low, high, n = inner_points(ws, plan, k)
    h, d = rows_of(ws.h, low, n), rows_of(ws.d, high, n)
    clear(ws.gradient)
    add_gradient(regressor(ws.gradient, 0, plan), x, block(ws.ones, 0, n, 1), h, d, d)
    for i in range(out.width):
        out[0, i] -= ws.gradient[0, i] * ws.lam[0, i]


@inlined
def add_loss_network_gradient(ws, out, plan):
    """psi-bar += sum_k delta_k (R a_k): the mixed derivative of all steps at once, with v = -a * lambda."""
    g = loss_network(out, 0, plan)
    delta, ru, ra = rows_of(ws.delta, 0, plan.steps), rows_of(ws.ru, 0, plan.steps), rows_of(ws.ra, 0, plan.steps)
    accumulate(g.first, ru, delta.d1)
    accumulate(g.second, ra.h1, delta.d2)
    accumulate(g.third, delta.e, ra.h2)


@inlined
def task_gradient(ws, shared, episodes, plan, weights, task, out):
    """Add one task's meta-gradient to out (1, theta + psi + rows * theta); returns its query loss."""
    start, a, psi = shared.start, shared.a, loss_network(shared.psi, 0, plan)
    inner_y, query_y = load_task(ws, episodes, plan, task)
    adapt_task(ws, start, psi, a, plan, inner_y, plan.steps)
    size, loss = plan.size, number(ws.lam, 0)
    clear(ws.lam)
    for k in range(plan.steps, -1, -1):
        if k < plan.steps and plan.learned > 0:
            first = out.width - (plan.rows - k % plan.rows) * size
            add_step_size_gradient(ws, block(out, first, 1, size), plan, k)
        if k < plan.steps and plan.order == SECOND_ORDER:
            add_curvature(ws, start, psi, a, plan, k)
        if weights[0, k] != 0:
            loss += add_query(ws, start, k, plan, query_y, weights[0, k])
    if plan.critic > 0:
        add_loss_network_gradient(ws, block(out, size, 1, out.width - size), plan)
    for i in range(size):  # Nichol et al. 2018 for Reptile: theta_0 - theta_S
        reptile = plan.order == REPTILE
        out[0, i] += start[0, i] - ws.theta[plan.steps - 1, i] if reptile else ws.lam[0, i]
    return loss


# ---------------------------------------------------------------------------------- 6. the outer loop
#
# A chunk of outer steps is a row of tickets, one for each group of tasks. The leader publishes the tickets
# of a step, takes tickets as long as there are any, waits for those that helpers took, adds up the groups'
# gradients in a fixed order and steps. Helpers only take tickets: if none comes, the leader does all of it,
# and the numbers are the same.

NEXT, PUBLISHED, FINISHED = 0, 8, 16  # places in ``control`` (24,), each on its own cache line
NO_TICKET, CLOSED = -1, -2
YIELD = types.ExternalFunction("metademo_yield", types.int32())


def _atomic(name, codegen, *kinds, result=types.int64):
    def typer(typing, control, *arguments):
        def generate(context, builder, signature, values):
            array = cgutils.create_struct_proxy(signature.args[0])(context, builder, value=values[0])
            pointer = builder.gep(array.data, [values[1]])
            return codegen(builder, pointer, *values[2:])

        return result(control, types.intp, *kinds), generate

    return typer


@intrinsic
def atomic_load(typing, control, place):
    return _atomic("load", lambda b, p: b.load_atomic(p, "acquire", 8))(typing, control)


@intrinsic
def atomic_add(typing, control, place, value):
    """Returns what was there before."""
    add = lambda b, p, v: b.atomic_rmw("add", p, v, "acq_rel")
    return _atomic("add", add, types.int64)(typing, control)


@intrinsic
def atomic_replace(typing, control, place, old, new):
    """Put new where old is; returns whether it was."""

    def replace(b, p, old, new):
        return b.extract_value(b.cmpxchg(p, old, new, "acq_rel", "acquire"), 1)

    return _atomic("replace", replace, types.int64, types.int64, result=types.boolean)(typing, control)


@inlined
def claim(control):
    while True:
        published, ticket = atomic_load(control, PUBLISHED), atomic_load(control, NEXT)
        if published < 0:
            return CLOSED
        if ticket >= published:
            return NO_TICKET
        if atomic_replace(control, NEXT, ticket, ticket + 1):
            return ticket


@inlined
def expand_network(net, inputs, hidden):
    transpose(net.second_back, net.second, hidden)
    if inputs > 1:
        transpose(net.first_back, net.first, hidden)


@inlined
def expand_step_sizes(shared, plan, meta, slots):
    """a[r, i] = meta[slots[r, i]], or 0 where that place is -1."""
    for r in range(plan.rows):
        for i in range(slots.width):
            shared.a[r, i] = meta[0, slots[r, i]] if slots[r, i] >= 0 else number(meta, 0)
        expand_network(regressor(shared.a, r, plan), 1, plan.hidden)


@inlined
def expand(shared, plan, meta, slots, step_sizes):
    """What the tasks read, from the packed meta-vector (1, theta + psi + step sizes)."""
    size = slots.width
    for i in range(size):
        shared.start[0, i] = meta[0, i]
    expand_network(regressor(shared.start, 0, plan), 1, plan.hidden)
    if plan.critic > 0:
        for i in range(shared.partial.width - size - plan.learned * plan.rows * size):
            shared.psi[0, i] = meta[0, size + i]
        expand_network(loss_network(shared.psi, 0, plan), 2, plan.critic)
    if step_sizes:
        expand_step_sizes(shared, plan, meta, slots)


@inlined
def mean_gradient(shared, plan, slots):
    """The groups' gradients, added in order; step sizes get the sum over what they stand for."""
    partial, gradient, size = shared.partial, shared.gradient, slots.width
    for g in range(1, plan.groups):
        for i in range(partial.width):
            partial[0, i] += partial[g, i]
    trained = partial.width - plan.learned * plan.rows * size
    scale = number(gradient, 1) / number(gradient, shared.task_loss.width)
    clear(gradient)
    for i in range(trained):
        gradient[0, i] = partial[0, i]
    if plan.learned > 0:
        for r in range(plan.rows):
            for i in range(size):
                if slots[r, i] >= 0:
                    gradient[0, slots[r, i]] += partial[0, trained + r * size + i]
    for i in range(gradient.width):
        gradient[0, i] *= scale


@inlined
def norm(vector):
    total = 0.0
    for i in range(vector.width):
        total += np.float64(vector[0, i]) * np.float64(vector[0, i])
    return np.sqrt(total)


@inlined
def outer_update(shared, plan, old, rate, hyper, gradient_norm, t):
    """One step of torch.optim.SGD or Adam from row ``old`` to the other one, after clip_grad_norm_."""
    beta1, beta2, epsilon, max_norm = hyper
    g, new = shared.gradient, 1 - old
    clip = number(g, min(1.0, max_norm / (gradient_norm + 1e-6)) if max_norm > 0 else 1.0)
    if plan.optimizer == SGD:
        for i in range(g.width):
            shared.meta[new, i] = shared.meta[old, i] - number(g, rate) * (clip * g[0, i])
        return
    b1, b2, keep2, eps = number(g, 1 - beta1), number(g, 1 - beta2), number(g, beta2), number(g, epsilon)
    size, root = number(g, rate / (1 - beta1**t)), number(g, np.sqrt(1 - beta2**t))
    for i in range(g.width):
        slope = clip * g[0, i]
        m = shared.moment1[old, i] + b1 * (slope - shared.moment1[old, i])
        v = keep2 * shared.moment2[old, i] + b2 * slope * slope
        shared.moment1[new, i] = m
        shared.moment2[new, i] = v
        shared.meta[new, i] = shared.meta[old, i] - size * m / (np.sqrt(v) / root + eps)


@inlined
def outer_step(shared, plan, slots, state, rate, hyper, losses, n):
    """Returns whether loss and gradient were finite; state is [row in use, steps taken, other row is good]."""
    total = number(shared.task_loss, 0)
    for task in range(shared.task_loss.width):
        total += shared.task_loss[0, task]
    losses[n] = total / number(shared.task_loss, shared.task_loss.width)
    mean_gradient(shared, plan, slots)
    gradient_norm = norm(shared.gradient)
    if not (np.isfinite(losses[n]) and np.isfinite(gradient_norm)):
        if state[2] > 0:  # back to the parameters that last gave a finite loss
            state[0], state[1], state[2] = 1 - state[0], state[1] - 1, 0
        return False
    if plan.optimizer > GRADIENT_ONLY:
        outer_update(shared, plan, state[0], rate, hyper, gradient_norm, state[1] + 1)
        state[0], state[1], state[2] = 1 - state[0], state[1] + 1, 1
    return True


@inlined
def run_group(ws, shared, episodes, plan, weights, ticket):
    """Sum the gradients of one group of tasks into its own row."""
    tasks = shared.task_loss.width
    n, group = ticket // plan.groups, ticket % plan.groups
    out = rows_of(shared.partial, group, 1)
    clear(out)
    for task in range(group * plan.group_size, min(tasks, (group + 1) * plan.group_size)):
        loss = task_gradient(ws, shared, episodes, plan, rows_of(weights, n, 1), n * tasks + task, out)
        shared.task_loss[0, task] = loss


@compiled
def train(ws, shared, episodes, plan, weights, rates, hyper, slots, state, losses, control, leader):
    """Run a chunk of outer steps, or as much as a helper finds to do; returns the number of steps taken.

    weights (N, S + 1), rates (N,), hyper (beta1, beta2, epsilon, max_norm or 0), slots (rows, n), state (3,),
    losses (N,) out, control (24,). Ends early after a step whose loss or gradient is not finite."""
    ws, shared, episodes = blocks(ws), blocks(shared), blocks(episodes)
    weights, slots = blocks(weights), blocks(slots)
    n, waited, steps = 0, 0, rates.shape[0]
    if leader:
        expand(shared, plan, rows_of(shared.meta, state[0], 1), slots, True)
        atomic_add(control, PUBLISHED, plan.groups)
    while True:
        ticket = claim(control)
        if ticket >= 0:
            run_group(ws, shared, episodes, plan, weights, ticket)
            atomic_add(control, FINISHED, 1)
            waited = 0
        elif ticket == CLOSED:
            return n
        elif leader and atomic_load(control, FINISHED) == atomic_load(control, PUBLISHED):
            good = outer_step(shared, plan, slots, state, rates[n], hyper, losses, n)
            n += good
            if good and n < steps:
                expand(shared, plan, rows_of(shared.meta, state[0], 1), slots, plan.learned > 0)
                atomic_add(control, PUBLISHED, plan.groups)
            else:
                atomic_add(control, PUBLISHED, -1 - atomic_load(control, PUBLISHED))
        else:
            waited += 1
            if waited > 2000:
                YIELD()


@compiled
def adapt(ws, shared, episodes, plan, slots, order, thetas, losses):
    """Trajectories of many tasks: thetas (S + 1, T, P) and inner losses (S + 1, T), both out."""
    ws, shared, episodes, slots = blocks(ws), blocks(shared), blocks(episodes), blocks(slots)
    expand(shared, plan, rows_of(shared.meta, 0, 1), slots, True)
    psi = loss_network(shared.psi, 0, plan)
    for task in range(thetas.shape[1]):
        inner_y, _ = load_task(ws, episodes, plan, task)
        adapt_task(ws, shared.start, psi, shared.a, plan, inner_y, plan.steps + 1)
        for k in range(plan.steps + 1):
            losses[k, task] = ws.losses[0, k]
            for i in range(order.shape[0]):
                place = order[i]
                thetas[k, task, i] = shared.start[0, place] if k == 0 else ws.theta[k - 1, place]


@compiled
def predict(ws, plan, order, thetas, x, out):
    """out (N, M) = the networks thetas (N, P) at x (1, M), plan.support points at a time."""
    ws, thetas, x, out = blocks(ws), blocks(thetas), blocks(x), blocks(out)
    net = regressor(ws.lam, 0, plan)
    for row in range(thetas.rows):
        for i in range(thetas.width):
            ws.lam[0, order[i]] = thetas[row, i]
        for start in range(0, x.width, plan.support):
            n = min(plan.support, x.width - start)
            inputs, output = rows_of(ws.inputs, 0, n), rows_of(ws.output, 0, n)
            for p in range(n):
                inputs[p, 0] = x[0, start + p]
            forward(net, inputs, rows_of(ws.h, 0, n), output)
            for p in range(n):
                out[row, start + p] = output[p, 0]
