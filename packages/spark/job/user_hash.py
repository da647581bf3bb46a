"""The loader's hash of a user, in SQL: the same users are sampled on one machine and on a cluster.

Spark refuses overflow (ANSI mode), so 32-bit products are made of 16-bit halves, in 64-bit numbers.
"""

from pyspark.sql import functions as F

WORD = 0xFFFFFFFF


def once(column, use):
    """Binds a column to a name. Written out, each step would double the expression: 2^20 nodes for two rounds of mixing."""
    return F.transform(F.array(column), use)[0]


def multiplied(column, factor):
    """The low 32 bits of a product."""
    return once(
        column,
        lambda x: (
            x.bitwiseAND(F.lit(0xFFFF)) * F.lit(factor)
            + F.shiftleft((F.shiftright(x, 16) * F.lit(factor)).bitwiseAND(F.lit(0xFFFF)), 16)
        ).bitwiseAND(F.lit(WORD)),
    )


def folded(column, bits):
    return once(column, lambda x: x.bitwiseXOR(F.shiftright(x, bits)))


def mixed(column):
    """The 32-bit finaliser of MurmurHash3."""
    return folded(multiplied(folded(multiplied(folded(column, 16), 0x85EBCA6B), 13), 0xC2B2AE35), 16)


def user_hash(user, seed):
    """32 bits of an integer from 0 to 2^53: mix(mix(low ^ seed) ^ high · 0x9E3779B1 ^ seed >> 7)."""
    low = user.bitwiseAND(F.lit(WORD))
    high = F.shiftright(user, 32)
    inner = mixed(low.bitwiseXOR(F.lit(seed)))
    return mixed(inner.bitwiseXOR(multiplied(high, 0x9E3779B1)).bitwiseXOR(F.lit(seed >> 7)))


def string_hash(user, seed):
    """32 bits of a string. Not the loader's: a sample of another set of users, of the same size."""
    return F.xxhash64(user, F.lit(seed)).bitwiseAND(F.lit(WORD))


def pair_hash(user, item, seed):
    """32 bits of a pair of ids, of either kind: decides what is held out, the same in every run."""
    return F.xxhash64(user, item, F.lit(seed)).bitwiseAND(F.lit(WORD))
