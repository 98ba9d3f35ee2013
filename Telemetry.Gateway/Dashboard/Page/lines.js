// What Explore draws: lines of a metric of a GPU (s=host/gpu/metric in the address), and of PromQL (q=expression).

import { api } from './api.js';
import { number } from './format.js';
import { axisOf, metricOf, show, title } from './metrics.js';
import { stepText, whole } from './range.js';
import { gpuHref } from './router.js';
import { pointsOf } from './series.js';

/** The most series and queries of a view, and the most lines of a query. */
const CHOSEN_MAX = 24;
const LINES_MAX = 24;

/**
 * @typedef {{text: string, param: 's'|'q', host?: string, gpu?: string, metric?: string}} Chosen what the address asks for
 * @typedef {{label: string, name: string, panel: string, to: string|null, show: (value: number) => string, ends: (highest: number) => object,
 *   column: string, code?: boolean, points: import('./series.js').Points}} Drawn a line: its panel's key, how its values are written, and its column's head in a table
 */

/** A series as the address writes it: host/gpu/metric, each percent-encoded. */
export const seriesText = (...parts) => parts.map(encodeURIComponent).join('/');

/** Reads an address. @param {URLSearchParams} params @returns {{chosen: Chosen[], wrong: string[]}} */
export function readChosen(params) {
  const all = [];
  const wrong = [];
  for (const text of params.getAll('s')) {
    const parts = decoded(text);
    if (parts.length === 3 && parts.every(part => part !== ''))
      all.push({ text, param: 's', host: parts[0], gpu: parts[1], metric: parts[2] });
    else
      wrong.push(`“${text}” is not a series: host/gpu/metric is.`);
  }
  all.push(...params.getAll('q').map(text => ({ text, param: 'q' })));
  if (all.length > CHOSEN_MAX)
    wrong.push(`Only the first ${CHOSEN_MAX} of ${all.length} series and queries are shown.`);
  return { chosen: all.slice(0, CHOSEN_MAX), wrong };
}

function decoded(text) {
  try {
    return text.split('/').map(decodeURIComponent);
  } catch {
    return []; // a percent sign that encodes nothing
  }
}

/** What was chosen, as people read it. @param {Chosen} one */
export const nameOf = one => (one.param === 's' ? `${one.host} / ${one.gpu} ${metricOf(one.metric).label}` : one.text);

/**
 * The lines of what was chosen, so much earlier.
 * @param {Chosen} one @param {{from: number, to: number}} range @param {number} step @param {number} shift all in milliseconds
 * @param {AbortSignal} signal @returns {Promise<{lines: Drawn[], note?: string}>}
 */
export async function linesOf(one, range, step, shift, signal) {
  const at = whole({ from: range.from - shift, to: range.to - shift }, step);
  if (one.param === 'q')
    return queryLines(one.text, await api.queryRange({ query: one.text, start: at.start_time, end: at.end_time, step: step / 1000 }, signal), step, shift);
  const { host, gpu, metric } = one;
  const answer = await api.series({ host_id: host, gpu_id: gpu, metric, ...at, step: stepText(step) }, signal);
  return {
    lines: [{
      label: `${host} / ${gpu}`, name: metricOf(metric).label, column: `${host} / ${gpu} ${title(metric)}`, panel: metricOf(metric).unit || metric, to: gpuHref(host, gpu),
      show: value => show(metric, value), ends: highest => axisOf(metric, highest), code: metricOf(metric).code, points: pointsOf(answer, shift, metricOf(metric).code),
    }],
  };
}

function queryLines(query, { data }, step, shift) {
  const lines = data.result.slice(0, LINES_MAX).map(({ metric, values }) => {
    const label = labelOf(metric);
    const known = values.map(([seconds, text]) => [1000 * seconds, Number(text)]).filter(([, value]) => Number.isFinite(value));
    const points = pointsOf({ step_seconds: step / 1000, data: known.map(([at, value]) => ({ timestamp: new Date(at).toISOString(), avg: value, min: value, max: value })) }, shift);
    return {
      label, name: query, column: `${query} ${label}`, panel: `query ${query}`, to: metric.host_id && metric.gpu_id ? gpuHref(metric.host_id, metric.gpu_id) : null,
      show: value => number(value), ends: () => ({ low: points.every(point => point.avg === null || point.avg >= 0) ? 0 : undefined, unit: '', format: value => number(value) }), points,
    };
  });
  return { lines, note: data.result.length > LINES_MAX ? `${query}: the first ${LINES_MAX} of ${data.result.length} series are shown; topk() or by () make fewer.` : undefined };
}

// Labels of an aggregation are few; of a GPU's own series its host and index say enough.
function labelOf({ __name__: name, host_id: host, gpu_id: gpu, ...others }) {
  if (host && gpu)
    return `${host} / ${gpu}`;
  const rest = Object.entries({ ...host && { host_id: host }, ...gpu && { gpu_id: gpu }, ...others });
  if (rest.length === 1)
    return rest[0][1];
  return rest.length > 0 ? rest.map(([label, value]) => `${label}=${value}`).join(', ') : name ?? 'all';
}
