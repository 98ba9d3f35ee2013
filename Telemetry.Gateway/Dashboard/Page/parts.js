// Pieces that several pages use: badges, bars, notices, cards, choices.

import { classes, h, put, redraw } from './dom.js';
import { scale, STATES } from './colors.js';
import { api } from './api.js';
import { isDark } from './prefs.js';
import { href } from './router.js';
import { meaning } from './rules.js';
import { isKnown, UNKNOWN } from './format.js';

/** A state: mark, colour and word. */
export function stateBadge(state) {
  const { label, mark } = STATES[state] ?? STATES.unknown;
  return h('span', { class: `state state-${state}`, title: meaning(state) }, h('span', { class: 'mark', 'aria-hidden': 'true' }, mark), label);
}

/** The scale of values between two texts. */
export function scaleKey(low, high) {
  const gradient = h('span', { class: 'gradient', 'aria-hidden': 'true' });
  gradient.style.background = `linear-gradient(90deg, ${scale(isDark()).filter((_, i) => i % 15 === 0).join(', ')})`;
  return h('span', { class: 'key' }, low, gradient, high);
}

/** A severity: mark, colour and word. */
export function severityBadge(severity) {
  const mark = { critical: '▲', warning: '◆', info: '●' }[severity] ?? '●';
  return h('span', { class: `severity severity-${severity}` }, h('span', { class: 'mark', 'aria-hidden': 'true' }, mark), severity);
}

/** A share of a whole as a bar with its figure. */
export function bar(share, text, kind = '') {
  const inner = h('span', { class: 'fill' });
  if (isKnown(share))
    inner.style.width = `${Math.max(0, Math.min(100, 100 * share))}%`;
  return h('span', { class: classes('bar', kind, !isKnown(share) && 'none') }, h('span', { class: 'track', 'aria-hidden': 'true' }, inner), h('span', { class: 'figure' }, text ?? UNKNOWN));
}

/** A card: a figure with its name and a line below it; a link where there is more to see. */
export function card({ label, value, unit, note, kind, to, hint, name }) {
  return h(to ? 'a' : 'div', { class: classes('card', kind), href: to, title: hint, data: { card: name } },
    h('span', { class: 'label' }, label),
    h('span', { class: 'value' }, value, unit && h('span', { class: 'unit' }, unit)),
    h('span', { class: 'note' }, note ?? '\u00a0'));
}

/** A panel with a heading. */
export function panel(title, properties, tools, ...children) {
  return h('section', { ...properties, class: classes('panel', properties?.class), 'aria-label': title },
    h('header', { class: 'panel-head' }, h('h2', {}, title), tools),
    ...children);
}

/** A choice of one of a few, as buttons. @param {{value: string, label: string, title?: string}[]} options */
export function segments(label, options, value, choose) {
  return h('div', { class: 'segments', role: 'group', 'aria-label': label },
    options.map(option => h('button', {
      type: 'button', 'aria-pressed': String(option.value === value), title: option.title, onclick: () => choose(option.value),
    }, option.label)));
}

/** A choice out of a list. */
export function select(label, options, value, choose) {
  return h('label', { class: 'field' }, h('span', {}, label),
    h('select', { onchange: event => choose(event.target.value) },
      options.map(option => h('option', { value: option.value, selected: option.value === value }, option.label))));
}

/** Grey bars where something will be, in its size. */
export const skeleton = (kind, n = 1) => h('div', { class: `skeleton-group ${kind}`, 'aria-hidden': 'true' }, Array.from({ length: n }, () => h('div', { class: 'skeleton' })));

/** A message that stands where the content would. */
export function notice(title, text, ...more) {
  return h('div', { class: 'notice' }, h('h2', {}, title), text && h('p', {}, text), ...more);
}

/** An error, with what the gateway says of it and a way to try again. */
export function failure(error, retry) {
  return h('div', { class: 'notice bad', role: 'alert' },
    h('h2', {}, error.title || 'This did not work'),
    h('p', {}, error.message),
    retry && h('button', { type: 'button', class: 'button', onclick: retry }, 'Try again'));
}

/** A command to type, with a button that copies it. */
function command(text) {
  const button = h('button', { type: 'button', class: 'button small', onclick: copy }, 'Copy');
  async function copy() {
    await navigator.clipboard.writeText(text);
    put(button, 'Copied');
  }
  return h('p', { class: 'command' }, h('code', {}, text), navigator.clipboard && button);
}

/**
 * Why there is nothing to see, and what to do: asked of /health, /pipeline and /hosts.
 * @param {AbortSignal} signal
 */
export async function firstRun(signal) {
  const [health, pipeline, hosts] = await Promise.all([api.health(signal), api.pipeline(signal), api.hosts(signal)]);
  const start = 'dotnet run --project Telemetry.AppHost';
  const { queue, store } = pipeline;
  const steps = [
    step(true, 'The gateway answers.'),
    queue ? step(queue.reachable, queue.reachable ? `The queue is reachable and has ${queue.topics.length === 0 ? 'no topic yet: no streamer has sent anything' : 'records'}.` : `The queue is not reachable: ${queue.reason ?? 'no reason is known'}`)
      : step(null, 'No queue is configured (MESSAGEQUEUE_ADDR), so nothing is known of what is on its way.'),
    step(health.store === 'ready', health.store === 'ready' ? 'A collector has made the store.' : 'No collector has made the store yet.'),
    step(store.rows > 0, store.rows > 0 ? `The store has ${store.rows.toLocaleString('en')} records of ${hosts.total} hosts.` : 'No record is in the store.'),
  ];
  return h('div', { class: 'notice first-run' },
    h('h2', {}, health.store === 'ready' ? 'No telemetry yet' : 'Waiting for the first collector'),
    h('ul', { class: 'steps' }, steps),
    h('p', {}, 'Start the whole pipeline on sample data:'),
    command(start),
    h('p', {}, 'or only what is missing, with the same DATABASE_PATH as this gateway:'),
    command('dotnet run --project Telemetry.Collector -- --messagequeue-addr localhost:9090 --database-path data/run/telemetry.db'),
    h('p', {}, 'What the gateway sees of it is on the ', h('a', { href: href('pipeline') }, 'Pipeline page'), '.'));
}

/** Shows that in the place of a page; asked anew with every answer of the gateway, until something is there. */
export function showFirstRun(element, signal) {
  firstRun(signal).then(message => redraw(element, () => put(element, message)), error => error.name === 'AbortError' || put(element, failure(error, () => location.reload())));
}

function step(good, text) {
  const [mark, kind] = good === null ? ['–', 'off'] : good ? ['✓', 'good'] : ['✕', 'bad'];
  return h('li', { class: kind }, h('span', { class: 'mark', 'aria-hidden': 'true' }, mark), text);
}
