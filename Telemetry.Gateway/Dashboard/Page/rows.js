// The rows of the GPUs page: filtered, sorted and grouped.

import { isKnown } from './format.js';
import { STATE_ORDER } from './colors.js';

const LABELS = ['host_id', 'gpu_id', 'uuid', 'model', 'device', 'pod', 'namespace', 'container'];

/** What GPUs can be grouped by. */
export const GROUPS = { host: 'host_id', model: 'model', pod: 'pod', namespace: 'namespace' };

/** How busy a GPU is in percent, by its engine where that is measured; null where nothing is known or it is lost. */
export function busy(gpus, i) {
  if (gpus.state[i] === 'lost')
    return null;
  const engine = gpus.metrics.gr_engine_active?.[i];
  return isKnown(engine) ? 100 * engine : gpus.metrics.gpu_utilization?.[i] ?? null;
}

/** The metric that says how busy GPUs are. */
export const busyMetric = (gpus, i) => (isKnown(gpus.metrics.gr_engine_active?.[i]) ? 'gr_engine_active' : 'gpu_utilization');

/** A metric's newest value; null for a GPU that is lost, of which nothing is known now. */
export const now = (gpus, metric, i) => (gpus.state[i] === 'lost' ? null : gpus.metrics[metric]?.[i] ?? null);

/** The size of a GPU's memory, where it can be told. */
export function memorySize(gpus, i) {
  const total = gpus.metrics.memory_total_mb?.[i];
  if (isKnown(total))
    return total;
  const [used, free] = [gpus.metrics.memory_used_mb?.[i], gpus.metrics.memory_free_mb?.[i]];
  return isKnown(used) && isKnown(free) ? used + free : null;
}

/**
 * The GPUs with a state out of a list, with some labels as they are given, and with every word of a text in their labels.
 * @param {import('./fleet.js').Gpus} gpus @param {string} text @param {Set<string>} states empty for all @param {[string, string][]} exact
 */
export function filtered(gpus, text, states, exact = []) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  for (let i = 0; i < gpus.total; i++) {
    if (states.size > 0 && !states.has(gpus.state[i]))
      continue;
    if (exact.some(([label, value]) => gpus[label][i] !== value))
      continue;
    const has = word => LABELS.some(label => gpus[label][i]?.toLowerCase().includes(word)) || `${gpus.host_id[i]}/${gpus.gpu_id[i]}`.toLowerCase().includes(word.replaceAll(' ', ''));
    if (words.every(has))
      found.push(i);
  }
  return found;
}

const names = new Intl.Collator('en', { numeric: true });

/** Sorts GPUs by a column; what is not known is last, either way. */
export function ordered(gpus, found, sort, ageOf) {
  const down = sort.startsWith('-') ? -1 : 1;
  const name = sort.replace('-', '');
  const value = {
    gpu: i => i,
    state: i => STATE_ORDER.indexOf(gpus.state[i]),
    model: i => gpus.model[i],
    workload: i => (gpus.pod[i] === null ? null : `${gpus.namespace[i] ?? ''}/${gpus.pod[i]}`),
    busy: i => busy(gpus, i),
    age: ageOf,
  }[name] ?? (i => now(gpus, name, i));
  const keys = new Map(found.map(i => [i, value(i)]));
  return [...found].sort((a, b) => {
    const [left, right] = [keys.get(a) ?? null, keys.get(b) ?? null];
    if (left === null || right === null)
      return left === right ? a - b : left === null ? 1 : -1;
    const order = typeof left === 'string' ? names.compare(left, right) : left - right;
    return order * down || a - b;
  });
}

/** @typedef {{name: string|null, members: number[]}} Group */

/** Sorted GPUs by a label; groups by name, those without a label last. @returns {Group[]} */
export function grouped(gpus, found, label) {
  const groups = new Map();
  for (const i of found) {
    const name = gpus[label][i];
    groups.get(name)?.push(i) ?? groups.set(name, [i]);
  }
  return [...groups].map(([name, members]) => ({ name, members }))
    .sort((a, b) => (a.name === null ? 1 : b.name === null ? -1 : names.compare(a.name, b.name)));
}

/** A group's figures: null where no member has any. */
export function figures(gpus, members) {
  const known = f => members.map(f).filter(isKnown);
  const sum = values => (values.length > 0 ? values.reduce((a, b) => a + b, 0) : null);
  const utilization = known(i => busy(gpus, i));
  const temperatures = known(i => now(gpus, 'temperature_c', i));
  const states = new Map();
  for (const i of members)
    states.set(gpus.state[i], (states.get(gpus.state[i]) ?? 0) + 1);
  return {
    busy: utilization.length > 0 ? sum(utilization) / utilization.length : null,
    memory: sum(known(i => now(gpus, 'memory_used_mb', i))),
    temperature: temperatures.length > 0 ? Math.max(...temperatures) : null,
    power: sum(known(i => now(gpus, 'power_w', i))),
    states,
  };
}
