"""The products that all of the engine's arithmetic is made of, compiled for this processor.

They are written in LLVM's language, because plain loops over arrays don't become this: LLVM can't
know that arrays don't overlap, so it would keep sums in memory instead of in registers. On the core
where it was tried, a 4 x 32 by 32 x 32 product ran at 9 to 16 GFLOP/s as plain loops and at 130 to
150 so, where a large matrix product reaches 170.

Each function takes matrices, as pointer, rows and width; widths are multiples of `LANES`. It takes
half a second to compile them at the start. `kernels` calls them by their symbols.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from llvmlite import binding, ir
from numba.core import cgutils

from .layout import LANES


def _features() -> binding.FeatureMap:
    try:
        return binding.get_host_cpu_features()
    except RuntimeError:  # a processor that LLVM does not know
        return binding.FeatureMap()


# How much is done at once: so many columns that the sums fit in the registers, and several points,
# for which a row of the matrix is loaded once.
COLUMNS = (32, 16) if _features().get("avx512f", False) else (16,)
PRODUCT_POINTS = (4, 1)
OUTER_POINTS = (4, 2, 1)
LEAK = 0.1
"""The slope of a leaky ReLU below zero."""

_INT = ir.IntType(64)


class _Matrix:
    """A matrix in memory, for the code that is being written."""

    def __init__(self, builder: ir.IRBuilder, element: ir.Type, *parts: ir.Value):
        self.builder, self.element = builder, element
        self.data, self.rows, self.width = parts
        self.stride = self.width
        self.align = 4 if isinstance(element, ir.FloatType) else 8

    def at(self, row: ir.Value, column: ir.Value) -> ir.Value:
        place = self.builder.add(self.builder.mul(row, self.stride), column)
        return self.builder.gep(self.data, [place])

    def load(self, row: ir.Value, column: ir.Value, lanes: int) -> ir.Value:
        kind = ir.VectorType(self.element, lanes).as_pointer()
        pointer = self.builder.bitcast(self.at(row, column), kind)
        return self.builder.load(pointer, align=self.align)

    def store(self, value: ir.Value, row: ir.Value, column: ir.Value) -> None:
        pointer = self.builder.bitcast(self.at(row, column), value.type.as_pointer())
        self.builder.store(value, pointer, align=self.align)

    def splat(self, row: ir.Value, column: ir.Value, lanes: int) -> ir.Value:
        """One number in all lanes."""
        nothing = ir.Constant(ir.VectorType(self.element, lanes), ir.Undefined)
        number = self.builder.load(self.at(row, column), align=self.align)
        first = self.builder.insert_element(nothing, number, ir.IntType(32)(0))
        return _shuffle(self.builder, first, nothing, [0] * lanes)

    def zero(self, lanes: int) -> ir.Value:
        return ir.Constant(ir.VectorType(self.element, lanes), [self.element(0.0)] * lanes)


def _shuffle(b: ir.IRBuilder, x: ir.Value, y: ir.Value, order: list[int]) -> ir.Value:
    return b.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order))


def _multiply_add(b: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
    return b.fadd(b.fmul(x, y, flags=("contract",)), z, flags=("contract",))


def _spans(
    b: ir.IRBuilder, total: ir.Value, sizes: tuple[int, ...]
) -> Iterator[tuple[ir.Value, int]]:
    """Loops over range(total) in spans, the largest of `sizes` first: (where it begins, size)."""
    start = _INT(0)
    for size in sizes:
        stop = b.sub(total, b.srem(total, _INT(size)))
        with cgutils.for_range_slice(b, start, stop, _INT(size), _INT) as (i, _):
            yield i, size
        start = stop


def _product(activation: str) -> Callable[..., None]:
    """out[p] = activation(init[p] + sum_i scale[p, i] * matrix[i])"""

    def emit(b, out, init, scale, matrix, gate=None):
        init.stride = b.select(b.icmp_signed("==", init.rows, _INT(1)), _INT(0), init.width)
        for j, lanes in _spans(b, out.width, COLUMNS):
            for p, count in _spans(b, out.rows, PRODUCT_POINTS):
                points = [b.add(p, _INT(q)) for q in range(count)]
                sums = tile(b, init, scale, matrix, points, j, lanes)
                for q, value in zip(points, sums, strict=True):
                    out.store(activate(b, value, gate, q, j, lanes), q, j)

    def tile(b, init, scale, matrix, points, j, lanes):
        # An addition waits for the one before it, so each sum is split into several that don't.
        chains = max(2, 128 // (lanes * len(points)))
        vector, sums = ir.VectorType(matrix.element, lanes), []
        for chain in range(chains):
            sums.append([cgutils.alloca_once(b, vector) for _ in points])
            for q, total in zip(points, sums[-1], strict=True):
                b.store(init.zero(lanes) if chain else init.load(q, j, lanes), total)
        for i, unrolled in _spans(b, matrix.rows, (chains, 1)):
            for chain in range(unrolled):
                row = b.add(i, _INT(chain))
                weights = matrix.load(row, j, lanes)
                for q, total in zip(points, sums[chain], strict=True):
                    factor = scale.splat(q, row, lanes)
                    b.store(_multiply_add(b, factor, weights, b.load(total)), total)
        totals = [[b.load(total) for total in chain] for chain in sums]
        return [functools.reduce(b.fadd, parts) for parts in zip(*totals, strict=True)]

    def activate(b, value, gate, q, j, lanes):
        if activation == "relu":
            zero = ir.Constant(value.type, [value.type.element(0.0)] * lanes)
            # "<=" lets a NaN through, as torch does.
            return b.select(b.fcmp_ordered("<=", value, zero), zero, value)
        if activation == "gated":  # the derivative of the ReLU, 0 at 0
            opened = b.fcmp_ordered(">", gate.load(q, j, lanes), gate.zero(lanes))
            return b.select(opened, value, gate.zero(lanes))
        if activation == "leaky":
            return leak(b, value, value)
        if activation == "leaky-gated":
            return leak(b, value, gate.load(q, j, lanes))
        return value

    def leak(b, value, at):
        element, lanes = value.type.element, value.type.count
        zero, slope = (ir.Constant(value.type, [element(x)] * lanes) for x in (0.0, LEAK))
        closed = b.fcmp_ordered("<=", at, zero)
        return b.select(closed, b.fmul(value, slope), value)

    return emit


def _outer(b, out, scale, right, base=None, a=None):
    """out[i] += sum_p scale[p, i] * right[p], or out[i] = base[i] - a[i] * sum_p ..."""
    for j, lanes in _spans(b, out.width, COLUMNS):
        for p, count in _spans(b, right.rows, OUTER_POINTS):
            points = [b.add(p, _INT(q)) for q in range(count)]
            rights = [right.load(q, j, lanes) for q in points]
            start = _Matrix(b, out.element, out.data, out.rows, out.width)
            if base:  # only the first points begin there, the others go on
                start.data = b.select(b.icmp_signed("==", p, _INT(0)), base.data, out.data)
            for i, _ in _spans(b, out.rows, (1,)):
                before = start.load(i, j, lanes)
                total = out.zero(lanes) if base else before
                for q, vector in zip(points, rights, strict=True):
                    total = _multiply_add(b, scale.splat(q, i, lanes), vector, total)
                if base:
                    total = _multiply_add(b, b.fneg(a.load(i, j, lanes)), total, before)
                out.store(total, i, j)


def _descend(b, out, base, a, scale, right):
    _outer(b, out, scale, right, base, a)


def _direction(b, out, a, vector):
    """out = -a * vector, one row each"""
    for j, lanes in _spans(b, out.width, (2 * LANES, LANES)):
        size, value = a.load(_INT(0), j, lanes), vector.load(_INT(0), j, lanes)
        out.store(b.fmul(b.fneg(size), value), _INT(0), j)


def _transpose_square(b, out, matrix):
    """The first LANES x LANES numbers: four rounds of dealing two rows into one another."""
    lines = [matrix.load(_INT(i), _INT(0), LANES) for i in range(LANES)]
    half, order = LANES // 2, [i // 2 + LANES * (i % 2) for i in range(LANES)]
    for _ in range(LANES.bit_length() - 1):
        pairs = zip(lines[:half], lines[half:], strict=True)
        lines = [_shuffle(b, x, y, [i + s for i in order]) for x, y in pairs for s in (0, half)]
    for i, line in enumerate(lines):
        out.store(line, _INT(i), _INT(0))


# name: how many matrices it takes, and what writes its body
PRODUCTS: dict[str, tuple[int, Callable[..., None]]] = {
    "product": (4, _product("linear")),
    "product_relu": (4, _product("relu")),
    "product_gated": (5, _product("gated")),
    "product_leaky": (4, _product("leaky")),
    "product_leaky_gated": (5, _product("leaky-gated")),
    "accumulate": (3, _outer),
    "descend": (5, _descend),
    "direction": (3, _direction),
    "transpose_square": (2, _transpose_square),
}


def declare(module: ir.Module, name: str, element: ir.Type) -> ir.Function:
    """The function `name` for one kind of number, as code in `module` sees it."""
    symbol = f"metademo_{name}_{element}"
    if symbol in module.globals:
        return module.globals[symbol]
    arguments = [element.as_pointer(), _INT, _INT] * PRODUCTS[name][0]
    return ir.Function(module, ir.FunctionType(ir.VoidType(), arguments), symbol)


@functools.cache
def prepare(dtype: str) -> object:
    """Compile the products for float32 or float64 and make their symbols known."""
    element = ir.FloatType() if dtype == "float32" else ir.DoubleType()
    module = ir.Module("metademo")
    for name, (count, emit) in PRODUCTS.items():
        function = declare(module, name, element)
        b = ir.IRBuilder(function.append_basic_block("entry"))
        emit(b, *(_Matrix(b, element, *function.args[3 * i : 3 * i + 3]) for i in range(count)))
        b.ret_void()
    engine = _compile(str(module))
    for name in PRODUCTS:
        symbol = f"metademo_{name}_{element}"
        binding.add_symbol(symbol, engine.get_function_address(symbol))
    return engine  # the code lives as long as it does


def _compile(code: str) -> binding.ExecutionEngine:
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=_features().flatten(), opt=3, jit=True
    )
    module = binding.parse_assembly(code)
    options = binding.create_pipeline_tuning_options(speed_level=2)
    options.loop_unrolling = False  # these loops are short: what comes before them costs more
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    engine = binding.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine
