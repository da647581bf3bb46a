// Exact top-k of a block of queries: runs of panels are screened by their coarse codes (screen.ts), what passes becomes a
// candidate (candidates.ts) and the best of those are looked at by their fine codes. Items stand in descending order of norm: a query is
// finished when (32767² + E)·|y| falls below its threshold.

import { candidates, capacity, limit, norms, ONE, penalties, Query, QUERY_BYTES, queryAt, scratch, width } from "./block";
import { raise, settle, settleAll, take } from "./candidates";
import { encodeQuery, panelBytes } from "./encode";
import { LONGEST_RUN, scanBytes, scanFour, scanOne, SPARSEST } from "./screen";

/** Bytes of coarse codes that stay in the second level cache while every query of the block passes over them: a run. */
// @ts-ignore: decorator
@inline const RUN_BYTES: i32 = 131072;
/** Panels of the first run; each is twice as long as the one before, as thresholds rise fastest in the beginning. */
// @ts-ignore: decorator
@inline const FIRST_RUN: i32 = 16;
/** One of so many runs is in the second sample that thresholds are guessed from. */
// @ts-ignore: decorator
@inline const SPARSE: i32 = 8;

/**
 * Sets query q of the block: its vector (float32, k, not zero), the largest |g - 32767·y/|y|| of an item, the weight of
 * penalties in units of |x|/32767², and its ascending list of rows to leave out.
 */
export function addQuery(q: i32, vector: usize, k: i32, rounding: f64, weight: f32, excludedFrom: usize, excludedTo: usize): void {
  const query = queryAt(q);
  query.threshold = -Infinity;
  query.isProven = false;
  query.weight = weight;
  query.filled = 0;
  query.candidates = candidates + (<usize>(q * capacity) << 4);
  query.excludedFrom = excludedFrom;
  query.excludedTo = excludedTo;
  query.fine = changetype<usize>(query) + QUERY_BYTES;
  query.coarse = query.fine + 2 * <usize>width;
  const own = encodeQuery(query, vector, k, width);
  // |f·g - 32767²·x·y/(|x||y|)| is at most this; the rest covers float32 arithmetic with numbers of up to 2^30.
  query.error = <f32>(32767 * (own + rounding) + own * rounding + 2048);
}

/** Number of candidates of query q, or -1 where too many items tie. */
export function filledOf(q: i32): i32 {
  return queryAt(q).filled;
}

/**
 * Leaves every item of the panels [from, to) that can be among the `limit` best of each of `count` queries in its
 * candidates.
 *
 * Where norms do not rule, a query would meet its best items late and take many times what it needs to; so its threshold is
 * guessed from samples. Where a guess proves too high (1 query of 1000) the query is ranked again.
 */
export function rank(count: i32, from: i32, to: i32): void {
  const isGuessed = norms == 0 && penalties == 0 && to - from >= SPARSEST * SPARSEST;
  if (isGuessed) passBySamples(activate(count, false), from, to);
  pass(activate(count, isGuessed), from, to);
  for (let q = 0; q < count; q++) if (queryAt(q).filled > limit) settleAll(queryAt(q));
}

/** Lists the queries of the block, or those alone whose guess was too high, without it; returns how many they are. */
function activate(count: i32, isAgain: bool): i32 {
  let live = 0;
  for (let q = 0; q < count; q++) {
    const query = queryAt(q);
    if (isAgain) {
      if (query.filled >= limit) settleAll(query);
      if (query.isProven || query.filled < 0 || query.threshold == -Infinity) continue;
      query.threshold = -Infinity;
      query.filled = 0;
    }
    store<i32>(active() + (<usize>live << 2), q);
    live++;
  }
  return live;
}

/** One pass of the listed queries. */
function pass(live: i32, from: i32, to: i32): void {
  const longest = longestRun(width);
  for (let first = from, run = min(longest, FIRST_RUN); first < to && live > 0; first += run, run = min(longest, 2 * run)) {
    live = dropFinished(live, norms == 0 ? 1 : load<f32>(norms + (<usize>first << 5)));
    scan(live, first, min(to, first + run), 1, -1);
  }
}

/** Takes queries off the list that no item of a norm of `largest` can reach; returns how many are left. */
function dropFinished(live: i32, largest: f32): i32 {
  let kept = 0;
  for (let a = 0; a < live; a++) {
    const query = listed(a);
    if (query.filled >= max(query.due, 2 * limit)) settle(query);
    if ((ONE + query.error) * largest < query.threshold) continue;
    store<i32>(active() + (<usize>kept << 2), load<i32>(active() + (<usize>a << 2)));
    kept++;
  }
  return kept;
}

/**
 * One pass of the listed queries in an order that makes what has been seen a sample of all: every 32nd panel; then, without
 * those, every 8th run, what is missing of every 4th, of every other, and the rest. (Panels two or four apart would be a
 * better sample, but are read a quarter slower than panels in a row.)
 */
function passBySamples(live: i32, from: i32, to: i32): void {
  const longest = longestRun(width), panels = to - from, runs = (panels + longest - 1) / longest;
  for (let first = from, run = min(longest, FIRST_RUN); first < to; first += run * SPARSEST, run = min(longest, 2 * run)) {
    scan(live, first, min(to, first + run * SPARSEST), SPARSEST, -1);
    guess(live, 1 / <f64>SPARSEST);
  }
  const skipped = from % SPARSEST;
  let seen = 0;
  for (let every = SPARSE; every > 0; every >>= 1) {
    for (let run = every % SPARSE, step = min(SPARSE, 2 * every); run < runs; run += step, seen++) {
      const first = from + run * longest;
      scan(live, first, min(to, first + longest), 1, skipped);
    }
    guess(live, max(1 / <f64>SPARSEST, seen / <f64>runs));
  }
}

/**
 * Sets thresholds to the r-th best so far, r being what the given part of all panels should hold of the `limit` best, and
 * three standard deviations more.
 */
function guess(live: i32, part: f64): void {
  const expected = limit * part, r = <i32>ceil(expected + 3 * sqrt(expected) + 1);
  for (let a = 0; a < live; a++) {
    const query = listed(a);
    if (query.filled <= min(r, limit)) continue;
    if (r < limit) raise(query, r);
    else settle(query);
  }
}

/** Every `step`-th panel of [first, last), less those that `skipped` tells (see screen.ts), and each listed query. */
function scan(live: i32, first: i32, last: i32, step: i32, skipped: i32): void {
  let a = 0;
  for (; a + 4 <= live; a += 4) {
    const qa = listed(a), qb = listed(a + 1), qc = listed(a + 2), qd = listed(a + 3);
    take(noted(), scanFour(qa, qb, qc, qd, first, last, step, skipped, noted()), qa, qb, qc, qd);
  }
  for (; a < live; a++) {
    const query = listed(a);
    take(noted(), scanOne(query, first, last, step, skipped, noted()), query, query, query, query);
  }
}

@inline function listed(a: i32): Query {
  return queryAt(load<i32>(active() + (<usize>a << 2)));
}

/** Panels of a run. */
@inline function longestRun(width: i32): i32 {
  return max(1, min(LONGEST_RUN, RUN_BYTES / panelBytes(width)));
}

/** The queries under way, after what a scan needs of the scratch. */
@inline function active(): usize {
  return scratch + scanBytes(width);
}

/** Panels that a scan notes, after the queries under way. */
@inline function noted(): usize {
  return active() + 512;
}
