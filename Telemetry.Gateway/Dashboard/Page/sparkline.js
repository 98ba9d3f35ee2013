// Small lines without axes: the last hour of a GPU in a table, or what was seen since the page was opened.

import { api, Pool } from './api.js';
import { now } from './clock.js';
import { s } from './dom.js';
import { gapLimit } from './series.js';

const WIDTH = 120;
const HEIGHT = 22;
const FRESH = 120_000;
const KEPT_MAX = 500;

/**
 * A line through points of time and value; where they are further apart than `gap`, it is broken.
 * @param {[number, number][]} points @param {{from: number, to: number, low: number, high: number, gap: number, label: string}} frame
 */
export function sparkline(points, { from, to, low, high, gap, label }) {
  const x = at => ((at - from) / (to - from || 1) * (WIDTH - 2) + 1).toFixed(1);
  const y = value => (HEIGHT - 2 - (value - low) / (high - low || 1) * (HEIGHT - 4)).toFixed(1);
  let line = '';
  let area = '';
  let start = null;
  points.forEach(([at, value], i) => {
    const broken = i === 0 || at - points[i - 1][0] > gap;
    if (broken && start !== null)
      area += `L${x(points[i - 1][0])} ${HEIGHT}L${start} ${HEIGHT}Z`;
    if (broken)
      start = x(at);
    // A point alone is drawn as a dot, by a line of no length.
    const alone = broken && (i === points.length - 1 || points[i + 1][0] - at > gap);
    line += `${broken ? 'M' : 'L'}${x(at)} ${y(value)}${alone ? 'h0.1' : ''}`;
    area += `${broken ? 'M' : 'L'}${x(at)} ${y(value)}`;
  });
  if (start !== null)
    area += `L${x(points.at(-1)[0])} ${HEIGHT}L${start} ${HEIGHT}Z`;
  return s('svg', { class: 'spark', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label, 'data-points': points.length },
    s('path', { class: 'spark-area', d: area }), s('path', { class: 'spark-line', d: line, 'vector-effect': 'non-scaling-stroke' }));
}

/** The last hour of utilization of GPUs, asked for when they are looked at, a few at a time, and kept for a while. */
export class HourSparklines {
  #pool = new Pool(3, true);
  #kept = new Map();

  /** Puts a GPU's line into an element, now or when it is known. */
  show(element, host, gpu, metric) {
    const key = `${host}\0${gpu}\0${metric}`;
    const entry = this.#kept.get(key) ?? { series: null, at: -Infinity, asking: false };
    // The last that was looked at is the last to be forgotten.
    this.#kept.delete(key);
    this.#kept.set(key, entry);
    if (this.#kept.size > KEPT_MAX)
      this.#kept.delete(this.#kept.keys().next().value);
    entry.element = element;
    if (entry.series)
      element.replaceChildren(draw(entry.series, metric));
    if (entry.asking || Date.now() - entry.at < FRESH)
      return;
    entry.asking = true;
    const start = new Date(Math.floor((now() - 3_600_000) / 60_000) * 60_000).toISOString();
    this.#pool.run(() => api.series({ host_id: host, gpu_id: gpu, metric, start_time: start, step: '1m' })).then(series => {
      entry.series = compact(series);
      entry.at = Date.now();
      entry.element.replaceChildren(draw(entry.series, metric));
    }).catch(error => {
      // The figures of the row are still there; the line is asked for again when the row is drawn again.
      if (error.name !== 'AbortError' && !entry.series)
        entry.element.replaceChildren('–');
    }).finally(() => {
      entry.asking = false;
    });
  }

  /** Whether a GPU's line is known. */
  has(host, gpu, metric) {
    return Boolean(this.#kept.get(`${host}\0${gpu}\0${metric}`)?.series);
  }

  /** Forgets what was not yet asked for: other rows are looked at now. */
  forget() {
    this.#pool.clear();
  }
}

// Of an answer only what is drawn.
const compact = series => ({
  points: series.data.filter(step => step.avg !== null).map(step => [Date.parse(step.timestamp), step.avg]),
  from: Date.parse(series.start_time), to: Date.parse(series.end_time), gap: gapLimit(series),
});

function draw({ points, from, to, gap }, metric) {
  if (points.length === 0)
    return '–';
  const share = metric === 'gr_engine_active';
  return sparkline(points, { from, to, low: 0, high: share ? 1 : 100, gap, label: `The last hour, now ${Math.round((share ? 100 : 1) * points.at(-1)[1])} %` });
}
