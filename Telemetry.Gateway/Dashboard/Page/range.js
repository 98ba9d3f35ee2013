// The range of time of a view: one that ends now, or two times. It is in the address.

import { now } from './clock.js';
import { h, put } from './dom.js';
import { moment, zoneName } from './format.js';
import { segments } from './parts.js';
import { zone } from './prefs.js';
import { change } from './router.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The ranges that end now. */
const RANGES = { '15m': 15 * MINUTE, '1h': HOUR, '6h': 6 * HOUR, '24h': DAY, '7d': 7 * DAY, '30d': 30 * DAY };

/** Those that pages offer where they do not say. */
const USUAL = ['15m', '1h', '6h', '24h', '7d'];

const STEPS = [1, 2, 5, 10, 15, 30].map(n => n * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map(n => n * MINUTE), [1, 2, 3, 6, 12].map(n => n * HOUR), [DAY, 2 * DAY, 7 * DAY]);

/**
 * @typedef {{name: string|null, from: number, to: number, span: number, live: boolean, error?: string}} Range
 */

/** Reads a range. @param {URLSearchParams} params @returns {Range} */
export function readRange(params, usual = '1h') {
  const custom = params.get('from') !== null || params.get('to') !== null;
  if (custom) {
    const from = Date.parse(params.get('from'));
    const to = Date.parse(params.get('to'));
    if (Number.isNaN(from) || Number.isNaN(to) || from >= to)
      return { ...readRange(new URLSearchParams(), usual), error: `“${params.get('from')}” to “${params.get('to')}” is not a range of time; this is the last ${usual}.` };
    return { name: null, from, to, span: to - from, live: false };
  }
  const name = params.get('range') ?? usual;
  if (!Object.hasOwn(RANGES, name))
    return { ...readRange(new URLSearchParams(), usual), error: `“${name}” is not a range; this is the last ${usual}. Ranges are ${Object.keys(RANGES).join(', ')}.` };
  return { name, from: now() - RANGES[name], to: now(), span: RANGES[name], live: true };
}

/** A round step that makes at most so many points. */
export const stepOf = (span, points = 240) => STEPS.find(step => span / step <= points) ?? STEPS.at(-1);

/** A step as the API writes it. */
export function stepText(step) {
  for (const [size, letter] of [[DAY, 'd'], [HOUR, 'h'], [MINUTE, 'm']]) {
    if (step % size === 0)
      return `${step / size}${letter}`;
  }
  return `${step / SECOND}s`;
}

/** The range in whole steps, so that the store answers from its roll-ups and the next answer has the same steps. */
export function whole({ from, to }, step) {
  return { start_time: new Date(Math.floor(from / step) * step).toISOString(), end_time: new Date(Math.max(Math.ceil(to / step) * step, Math.floor(from / step) * step + step)).toISOString() };
}

/** Goes to a range between two times. */
export const zoom = (from, to) => change({ range: null, from: new Date(Math.floor(from / SECOND) * SECOND).toISOString(), to: new Date(Math.ceil(to / SECOND) * SECOND).toISOString() });

/** Buttons of the ranges, and fields for two times. @param {Range} range */
export function rangePicker(range, names = USUAL, usual = '1h') {
  const form = h('form', { hidden: range.name !== null, onsubmit: submit },
    field('from', 'From', range.from), field('to', 'To', range.to), h('button', { class: 'button' }, 'Show'));
  function submit(event) {
    event.preventDefault();
    const [from, to] = [...form.querySelectorAll('input')].map(input => readField(input.value));
    if (from < to)
      zoom(from, to);
    else
      put(error, 'The end is not after the start.');
  }
  const error = h('span', { class: 'severity-critical', role: 'alert' });
  const pick = value => {
    if (value === 'custom')
      form.hidden = false;
    else
      change({ range: value === usual ? null : value, from: null, to: null });
  };
  return h('div', { class: 'range' },
    segments('Range', [...names.map(name => ({ value: name, label: name })), { value: 'custom', label: range.name === null ? `${moment(range.from)} – ${moment(range.to)}` : 'Custom' }], range.name ?? 'custom', pick),
    form, error, range.error && h('span', { class: 'severity-warning' }, range.error));
}

function field(name, label, at) {
  const date = new Date(at);
  const shown = zone() === 'utc' ? date : new Date(at - date.getTimezoneOffset() * MINUTE);
  return h('label', { class: 'field' }, h('span', {}, `${label} (${zoneName()})`), h('input', { type: 'datetime-local', name, step: 1, value: shown.toISOString().slice(0, 19) }));
}

function readField(text) {
  return Date.parse(zone() === 'utc' ? `${text}Z` : text);
}
