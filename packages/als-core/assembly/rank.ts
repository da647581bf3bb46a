// Exact top-k of a block of queries: runs of panels are screened by their coarse codes (screen.ts), what passes is checked by
// its fine ones (candidates.ts). Items stand by falling norm: a query is finished when (32767² + E)·|y| falls below its
// threshold.

import { candidates, capacity, limit, norms, ONE, penalties, Query, QUERY_BYTES, queryAt, scratch, setLimit, width } from "./block";
import { check, compact } from "./candidates";
import { encodeQuery, panelBytes } from "./encode";
import { scanFour, scanOne } from "./screen";

/** Bytes of coarse codes that stay in the second level cache while every query of the block passes over them: a run. */
// @ts-ignore: decorator
@inline const RUN_BYTES: i32 = 131072;
/** Panels of the first run; each is twice as long as the one before, as thresholds rise fastest in the beginning. */
// @ts-ignore: decorator
@inline const FIRST_RUN: i32 = 16;
/** One of so many panels is in the sample that a threshold is guessed from. */
// @ts-ignore: decorator
@inline const SAMPLED: i32 = 32;

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
  query.candidates = candidates + (<usize>(q * capacity) << 3);
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
 * Where norms do not rule, a query meets its best items late and would look at three times as many as it needs to; so its
 * threshold is guessed from a sample first. Where the guess proves too high (1 query of 200) the query is ranked again.
 */
export function rank(count: i32, from: i32, to: i32): void {
  const isGuessed = norms == 0 && penalties == 0 && to - from >= SAMPLED * SAMPLED;
  if (isGuessed) guess(count, from, to);
  pass(activate(count, false), from, to, 1);
  if (isGuessed) pass(activate(count, true), from, to, 1);
  for (let q = 0; q < count; q++) if (queryAt(q).filled > limit) compact(queryAt(q));
}

/**
 * Sets thresholds to the r-th best of a sample, r being what the sample holds of the `limit` best on average, and three
 * standard deviations more.
 */
function guess(count: i32, from: i32, to: i32): void {
  const expected = <f64>limit / SAMPLED, all = limit;
  setLimit(min(limit, <i32>ceil(expected + 3 * sqrt(expected) + 1)));
  pass(activate(count, false), from, to, SAMPLED);
  for (let q = 0; q < count; q++) {
    const query = queryAt(q);
    if (query.filled >= limit) compact(query);
    else query.threshold = -Infinity;
    query.filled = 0;
    query.isProven = false;
  }
  setLimit(all);
}

/** Lists the queries of the block, or those alone whose guess was too high, without it; returns how many they are. */
function activate(count: i32, isAgain: bool): i32 {
  let live = 0;
  for (let q = 0; q < count; q++) {
    const query = queryAt(q);
    if (isAgain) {
      if (query.filled >= limit) compact(query);
      if (query.isProven || query.filled < 0 || query.threshold == -Infinity) continue;
      query.threshold = -Infinity;
      query.filled = 0;
    }
    store<i32>(active() + (<usize>live << 2), q);
    live++;
  }
  return live;
}

/** One pass of the listed queries over every `step`-th panel. */
function pass(live: i32, from: i32, to: i32, step: i32): void {
  const longest = step * max(1, RUN_BYTES / panelBytes(width));
  for (let first = from, run = min(longest, step * FIRST_RUN); first < to && live > 0; first += run, run = min(longest, 2 * run)) {
    const last = min(to, first + run);
    live = dropFinished(live, norms == 0 ? 1 : load<f32>(norms + (<usize>first << 5)));
    let a = 0;
    for (; a + 4 <= live; a += 4) {
      const qa = listed(a), qb = listed(a + 1), qc = listed(a + 2), qd = listed(a + 3);
      check(noted(), scanFour(qa, qb, qc, qd, first, last, step, noted()), qa, qb, qc, qd);
    }
    for (; a < live; a++) {
      const query = listed(a);
      check(noted(), scanOne(query, first, last, step, noted()), query, query, query, query);
    }
  }
}

/** Takes queries off the list that no item of a norm of `largest` can reach; returns how many are left. */
function dropFinished(live: i32, largest: f32): i32 {
  let kept = 0;
  for (let a = 0; a < live; a++) {
    const query = listed(a);
    if (query.filled >= 2 * limit) compact(query);
    if ((ONE + query.error) * largest < query.threshold) continue;
    store<i32>(active() + (<usize>kept << 2), load<i32>(active() + (<usize>a << 2)));
    kept++;
  }
  return kept;
}

@inline function listed(a: i32): Query {
  return queryAt(load<i32>(active() + (<usize>a << 2)));
}

/** The queries under way, after what scanFour needs of the scratch. */
@inline function active(): usize {
  return scratch + <usize>width * 16 + 128;
}

/** Panels that a scan notes, after the queries under way. */
@inline function noted(): usize {
  return active() + 512;
}
