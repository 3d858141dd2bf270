"""
Sixteen float32 numbers side by side, as a type that compiled loops can hold in a variable.

LLVM's own vectoriser does not see through loops over lanes that carry a maximum from crossing to crossing, so the
vectors are written out. Only operations that IEEE 754 rounds correctly are used (add, multiply, fused multiply-add,
divide, square root): the bits do not depend on the processor. One without 512-bit registers works in halves.
"""

import operator
from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils
from numba.core import types as numba_types
from numba.core.datamodel import models
from numba.core.errors import TypingError
from numba.extending import overload, register_model

# Numba annotates these too narrowly: callers of an intrinsic do not pass the typing context.
intrinsic: Any = extending.intrinsic
types: Any = numba_types

LANES = 16
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_DOUBLES = ir.VectorType(ir.DoubleType(), LANES)
_BITS = ir.VectorType(ir.IntType(1), LANES)
_WORDS = ir.VectorType(ir.IntType(16), LANES)
_INT32 = ir.IntType(32)


class _Lanes(numba_types.Type):
    """Numba's name for the vector."""


lanes = _Lanes("float32x16")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    """One LLVM vector value."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _FLOATS)


def _place(builder: Any, data: Any, index: Any, wide: Any) -> Any:
    """Pointer to a vector at a flat index."""
    return builder.bitcast(builder.gep(data, [index]), wide.as_pointer())


def _splat(builder: Any, value: Any, kind: Any) -> Any:
    """The same scalar in every lane."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_INT32, 0))
    zeros = ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES)
    return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)


def _intrinsic_call(builder: Any, name: str, kinds: list[Any], values: Any) -> Any:
    """One of LLVM's own functions on vectors."""
    declare: Any = cgutils.get_or_insert_function
    return builder.call(declare(builder.module, ir.FunctionType(_FLOATS, kinds), f"llvm.{name}.v16f32"), values)


def _word(builder: Any, bits: Any) -> Any:
    return builder.bitcast(bits, ir.IntType(16))


def _bits(builder: Any, word: Any) -> Any:
    narrow = builder.trunc(word, ir.IntType(16)) if word.type.width > 16 else word
    return builder.bitcast(narrow, _BITS)


@intrinsic
def base(typingctx, array):
    """
    The memory of a C-contiguous array, which whoever calls keeps alive.

    An array handed from function to function is counted each time with a locked instruction, hundreds of times per
    observer; a bare pointer is not.
    """

    if array.layout != "C":
        raise TypingError(f"only a C-contiguous array has neighbours, got layout {array.layout}")

    def codegen(context, builder, signature, args):
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen


@intrinsic
def load(typingctx, data, index):
    """Sixteen neighbours of float32 from a flat index on."""

    def codegen(context, builder, signature, args):
        return builder.load(_place(builder, args[0], args[1], _FLOATS), align=4)

    return lanes(data, types.intp), codegen


@intrinsic
def store(typingctx, data, index, value):
    """Write sixteen neighbours."""

    def codegen(context, builder, signature, args):
        builder.store(args[2], _place(builder, args[0], args[1], _FLOATS), align=4)
        return context.get_dummy_value()

    return types.void(data, types.intp, lanes), codegen


@intrinsic
def spread(typingctx, value):
    """One number in every lane, rounded to float32."""

    def codegen(context, builder, signature, args):
        return _splat(builder, args[0], _FLOATS)

    return lanes(types.float32), codegen


@intrinsic
def pick(typingctx, data, index):
    """One element at a flat index."""

    def codegen(context, builder, signature, args):
        return builder.load(builder.gep(args[0], [args[1]]))

    return data.dtype(data, types.intp), codegen


@intrinsic
def put(typingctx, data, index, value):
    """The counterpart of `pick`."""

    def codegen(context, builder, signature, args):
        builder.store(args[2], builder.gep(args[0], [args[1]]))
        return context.get_dummy_value()

    return types.void(data, types.intp, data.dtype), codegen


def _binary(emit: Any) -> Any:
    @intrinsic
    def made(typingctx, one, other):
        return lanes(lanes, lanes), lambda context, builder, signature, args: emit(builder, *args)

    return made


def _choose(predicate: str) -> Any:
    """`one` where the comparison holds, else `other`: a NaN in `one` gives `other`."""
    return _binary(lambda builder, a, b: builder.select(builder.fcmp_ordered(predicate, a, b), a, b))


larger, smaller = _choose(">"), _choose("<")
_added, _taken = _binary(lambda b, x, y: b.fadd(x, y)), _binary(lambda b, x, y: b.fsub(x, y))
_times, _divided = _binary(lambda b, x, y: b.fmul(x, y)), _binary(lambda b, x, y: b.fdiv(x, y))


def _operator(symbol: Any, made: Any) -> None:
    @overload(symbol)
    def _(one, other):
        if one is lanes and other is lanes:
            return lambda one, other: made(one, other)
        return None


_operator(operator.add, _added)
_operator(operator.iadd, _added)
_operator(operator.sub, _taken)
_operator(operator.mul, _times)
_operator(operator.truediv, _divided)


def _unary(name: str) -> Any:
    @intrinsic
    def made(typingctx, value):
        def codegen(context, builder, signature, args):
            return _intrinsic_call(builder, name, [_FLOATS], args)

        return lanes(lanes), codegen

    return made


root, absolute = _unary("sqrt"), _unary("fabs")


@intrinsic
def fused(typingctx, one, other, more):
    """one * other + more, rounded once."""

    def codegen(context, builder, signature, args):
        return _intrinsic_call(builder, "fma", [_FLOATS] * 3, args)

    return lanes(lanes, lanes, lanes), codegen


@intrinsic
def at_least(typingctx, one, other):
    """One bit per lane: one >= other; a NaN gives 0."""

    def codegen(context, builder, signature, args):
        return _word(builder, builder.fcmp_ordered(">=", *args))

    return types.uint16(lanes, lanes), codegen


@intrinsic
def expand(typingctx, data, index, word):
    """As many neighbours as `word` has bits, each in the lane of its bit; 0 elsewhere."""

    def codegen(context, builder, signature, args):
        place = builder.gep(args[0], [args[1]])
        given = [place, _bits(builder, args[2]), ir.Constant(_FLOATS, None)]
        return _intrinsic_call(builder, "masked.expandload", [place.type, _BITS, _FLOATS], given)

    return lanes(data, types.intp, types.uint16), codegen


@intrinsic
def add_where(typingctx, total, index, word, value):
    """Add the lanes whose bit is set to sixteen neighbours of a float64 array."""

    def codegen(context, builder, signature, args):
        chosen = builder.select(_bits(builder, args[2]), args[3], ir.Constant(_FLOATS, None))
        place = _place(builder, args[0], args[1], _DOUBLES)
        before = builder.load(place, align=8)
        builder.store(builder.fadd(before, builder.fpext(chosen, _DOUBLES)), place, align=8)
        return context.get_dummy_value()

    return types.void(total, types.intp, types.uint16, lanes), codegen


@intrinsic
def bits_of(typingctx, words, index, lane):
    """Bit `lane` of sixteen neighbouring uint16, gathered into one."""

    def codegen(context, builder, signature, args):
        row = builder.load(_place(builder, args[0], args[1], _WORDS), align=2)
        one = builder.shl(ir.Constant(ir.IntType(16), 1), builder.trunc(args[2], ir.IntType(16)))
        held = builder.and_(row, _splat(builder, one, _WORDS))
        return _word(builder, builder.icmp_unsigned("!=", held, ir.Constant(_WORDS, None)))

    return types.uint16(words, types.intp, types.intp), codegen


@intrinsic
def turn(typingctx, source, starts, shift, less, target, index):
    """
    A 16 x 16 block on its side: lane k of row j of `target` becomes source[starts[k] + shift + j] - less[k].

    Rows of `target` follow each other from the flat `index` on; each number is taken down by two steps of float32,
    `less` (2, 16): first one, then the other.
    """

    def codegen(context, builder, signature, args):
        rows = []
        for lane in range(LANES):
            begin = builder.load(builder.gep(args[1], [ir.Constant(ir.IntType(64), lane)]))
            place = builder.gep(args[0], [builder.add(begin, args[2])])
            rows.append(builder.load(builder.bitcast(place, _FLOATS.as_pointer()), align=4))
        step = LANES // 2
        while step:
            rows = _swap(builder, rows, step)
            step //= 2
        for lane in range(2):
            at = ir.Constant(ir.IntType(64), lane * LANES)
            part = builder.load(_place(builder, args[3], at, _FLOATS), align=4)
            rows = [builder.fsub(row, part) for row in rows]
        place = _place(builder, args[4], args[5], _FLOATS)
        for j, row in enumerate(rows):
            builder.store(row, builder.gep(place, [ir.Constant(_INT32, j)]), align=4)
        return context.get_dummy_value()

    return types.void(source, starts, types.intp, less, target, types.intp), codegen


def _swap(builder: Any, rows: list[Any], step: int) -> list[Any]:
    """One round of a transposition: rows `step` apart exchange the blocks of `step` lanes off the diagonal."""
    out = list(rows)
    upper = [k if not k & step else LANES + k - step for k in range(LANES)]
    lower = [k + step if not k & step else LANES + k for k in range(LANES)]
    for k in range(LANES):
        if not k & step:
            for to, order in ((k, upper), (k + step, lower)):
                picks = ir.Constant(ir.VectorType(_INT32, LANES), order)
                out[to] = builder.shuffle_vector(rows[k], rows[k + step], picks)
    return out
