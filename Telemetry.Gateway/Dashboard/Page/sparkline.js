// Small lines without axes: the last hour of a GPU in a table, or what was seen since the page was opened.

import { api, Pool } from './api.js';
import { s } from './dom.js';
import { gapLimit } from './series.js';

const WIDTH = 120;
const HEIGHT = 22;
const FRESH = 120_000;

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
  #pool = new Pool(3);
  #kept = new Map();

  /** Puts a GPU's line into an element, now or when it is known. */
  show(element, host, gpu, metric) {
    const key = `${host}\0${gpu}\0${metric}`;
    const kept = this.#kept.get(key);
    if (kept?.series)
      element.replaceChildren(draw(kept.series, metric));
    if (kept && (kept.asking || Date.now() - kept.at < FRESH)) {
      kept.element = element;
      return;
    }
    const entry = { series: kept?.series ?? null, at: Date.now(), asking: true, element };
    this.#kept.set(key, entry);
    const start = new Date(Math.floor((Date.now() - 3_600_000) / 60_000) * 60_000).toISOString();
    this.#pool.run(() => api.series({ host_id: host, gpu_id: gpu, metric, start_time: start, step: '1m' })).then(series => {
      entry.series = series;
      entry.element.replaceChildren(draw(series, metric));
    }).catch(error => {
      // Without a line the figures of the row are still there; it is asked for again when the row is drawn again.
      this.#kept.delete(key);
      if (error.name !== 'AbortError')
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

function draw(series, metric) {
  const points = series.data.filter(step => step.avg !== null).map(step => [Date.parse(step.timestamp), step.avg]);
  if (points.length === 0)
    return '–';
  return sparkline(points, {
    from: Date.parse(series.start_time), to: Date.parse(series.end_time), low: 0, high: metric === 'gr_engine_active' ? 1 : 100,
    gap: gapLimit(series), label: `The last hour, now ${Math.round(points.at(-1)[1])}`,
  });
}
