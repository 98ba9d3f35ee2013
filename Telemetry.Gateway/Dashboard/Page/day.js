// The fleet over the last day, hour by hour: what was active, held, idle and not known, one above the other.

import { api } from './api.js';
import { h, put } from './dom.js';
import { fleet } from './fleet.js';
import { energy, isKnown, moment, number, short, tick, UNKNOWN } from './format.js';
import { failure, panel } from './parts.js';
import { every } from './poll.js';
import { href } from './router.js';

const HOUR = 3_600_000;
const PARTS = [['unknown_hours', 'unknown', 'unknown'], ['idle_hours', 'idle', 'idle'], ['idle_held_hours', 'idle_held', 'idle, held'], ['active_hours', 'active', 'active']];

/** The panel, which keeps itself up to date until `end`. */
export function dayPanel() {
  const read = h('output', { class: 'quiet' });
  const body = h('div', { class: 'day' });
  const element = panel('GPU-hours of the last day', { class: 'day-panel' }, h('div', { class: 'panel-tools' }, read, h('a', { class: 'quiet-link', href: href('usage', { range: '24h' }) }, 'Usage')), h('div', { class: 'panel-body page' }, body,
    h('div', { class: 'legend' }, [...PARTS].reverse().map(([, kind, label]) => h('span', { class: 'key' }, h('span', { class: `swatch swatch-${kind}`, 'aria-hidden': 'true' }), label)))));
  const polling = every(120, async signal => {
    try {
      await fleet.known;
      draw(body, read, await api.usage({ time_range: '24h' }, signal));
    } catch (error) {
      if (error.name === 'AbortError')
        throw error;
      put(body, failure(error, () => polling.now()));
    }
  });
  return { element, end: () => polling.end() };
}

function draw(body, read, { start_time, end_time, total, hours }) {
  const known = new Map(hours.map(hour => [Date.parse(hour.start_time), hour]));
  const most = Math.max(0, ...hours.map(hour => hour.gpu_hours));
  const rest = `${short(total.gpu_hours)} GPU-hours, ${energy(total.energy_kwh)}`;
  read.textContent = rest;
  const columns = [];
  for (let at = Date.parse(start_time); at < Date.parse(end_time); at += HOUR)
    columns.push(column(at, known.get(at), most, text => {
      read.textContent = text ?? rest;
    }));
  put(body, columns);
}

function column(at, hour, most, say) {
  const has = hour?.gpu_hours > 0;
  const text = has
    ? `${moment(at)}: utilization ${isKnown(hour.gpu_utilization) ? `${number(hour.gpu_utilization, 0)} %` : UNKNOWN}, ${[...PARTS].reverse().filter(([name]) => hour[name] > 0).map(([name, , label]) => `${label} ${short(hour[name])}`).join(', ')}`
    : `${moment(at)}: no data`;
  const stack = h('div', { class: has ? 'day-stack' : 'day-stack none' }, has && PARTS.filter(([name]) => hour[name] > 0).map(([name, kind]) => {
    const part = h('span', { class: `swatch-${kind}` });
    part.style.flexGrow = hour[name];
    return part;
  }));
  stack.style.height = has ? `${100 * hour.gpu_hours / most}%` : '100%';
  const element = h('div', { class: 'day-hour', role: 'img', 'aria-label': text, onpointerenter: () => say(text), onpointerleave: () => say(null) }, h('div', { class: 'day-plot' }, stack), h('span', { class: 'day-label', 'aria-hidden': 'true' }, tick(at, HOUR).slice(0, 2)));
  return element;
}
