// What the gateway answers of a series, as points with gaps.

/**
 * A point is a step's start, average, smallest and largest value; avg null is a gap.
 * @typedef {{at: number, avg: number|null, min: number|null, max: number|null}} Point
 */

const TOLD_FROM = 5;

/**
 * The distance in milliseconds beyond which there is a gap between two steps: those that follow each other are a step apart,
 * or, where records are rarer than steps, as far apart as they usually are.
 */
export function gapLimit(series) {
  const step = 1000 * series.step_seconds;
  const times = series.data.map(one => Date.parse(one.timestamp));
  const distances = times.slice(1).map((at, i) => at - times[i]).sort((a, b) => a - b);
  const usual = distances.length < TOLD_FROM ? step : distances[Math.floor(distances.length / 4)];
  return 1.5 * Math.max(step, usual);
}

/** The steps of a series as points, with a gap between steps that are too far apart. @returns {Point[]} */
export function pointsOf(series, shift = 0) {
  const limit = gapLimit(series);
  const points = [];
  for (const { timestamp, avg, min, max } of series.data) {
    const at = Date.parse(timestamp) + shift;
    const before = points.at(-1)?.at;
    if (before !== undefined && at - before > limit)
      points.push({ at: before + 1000 * series.step_seconds, avg: null, min: null, max: null });
    points.push({ at, avg, min, max });
  }
  return points;
}

/** How many gaps points have. */
export const gapsOf = points => points.filter(point => point.avg === null).length;
