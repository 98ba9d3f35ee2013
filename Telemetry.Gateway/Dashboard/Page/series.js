// What the gateway answers of a series, as points with gaps.

/**
 * A point is a step's start, average, smallest and largest value; avg null is a gap.
 * @typedef {{at: number, avg: number|null, min: number|null, max: number|null}} Point
 * @typedef {Point[] & {limit: number}} Points with the distance beyond which there is a gap
 */

const TOLD_FROM = 5;

/**
 * The distance in milliseconds beyond which there is a gap between two steps. Steps that follow each other are a step apart; where
 * records are rarer than steps, as far apart as they usually are. Where a step has one record, a record that comes a little late
 * falls into the next step, so that one empty step says nothing.
 */
export function gapLimit(series) {
  const step = 1000 * series.step_seconds;
  const times = series.data.map(one => Date.parse(one.timestamp));
  const distances = times.slice(1).map((at, i) => at - times[i]).sort((a, b) => a - b);
  const usual = distances.length < TOLD_FROM ? step : distances[Math.floor(distances.length / 4)];
  if (usual > step)
    return 1.5 * usual;
  const counts = series.data.map(one => one.count ?? Infinity).sort((a, b) => a - b);
  return (counts.length >= TOLD_FROM && counts[counts.length >> 1] <= 1 ? 2.5 : 1.5) * step;
}

/**
 * The steps of a series as points, with a gap between steps that are too far apart, and after the last where the range goes on.
 * @param {boolean} [code] whether its values are codes, of which there is no average: the last of a step is shown
 * @returns {Points}
 */
export function pointsOf(series, shift = 0, code = false) {
  const limit = gapLimit(series);
  const step = 1000 * series.step_seconds;
  const points = Object.assign([], { limit });
  const gap = at => points.push({ at: at + step, avg: null, min: null, max: null });
  for (const one of series.data) {
    const at = Date.parse(one.timestamp) + shift;
    const before = points.at(-1)?.at;
    if (before !== undefined && at - before > limit)
      gap(before);
    points.push(code ? { at, avg: one.last, min: one.last, max: one.last } : { at, avg: one.avg, min: one.min, max: one.max });
  }
  const last = points.at(-1)?.at;
  if (last !== undefined && series.end_time && Date.parse(series.end_time) + shift - last > limit + step)
    gap(last);
  return points;
}

/** How many gaps points have. */
export const gapsOf = points => points.filter(point => point.avg === null).length;
