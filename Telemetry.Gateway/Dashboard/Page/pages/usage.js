// Usage: when the fleet works, what is idle or held for nothing, and what that costs.

import { api } from '../api.js';
import { indexOf, scale, textOn } from '../colors.js';
import { h, later, put, redraw } from '../dom.js';
import { fleet } from '../fleet.js';
import { energy, isKnown, moment, number, percent, short, UNKNOWN, weekHour, zoneName } from '../format.js';
import { card, failure, firstRun, notice, panel, scaleKey, segments, skeleton } from '../parts.js';
import { every } from '../poll.js';
import { isDark } from '../prefs.js';
import { rangePicker, readRange } from '../range.js';
import { change, href } from '../router.js';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const HOUR = 3_600_000;
const ROWS_SHOWN = 30;

/** Ranges that the gateway knows by name. */
const NAMED = ['1h', '24h', '7d', '30d'];

/** What a cell of the week can show: of hours of usage, a share of 1. */
const MEASURES = {
  utilization: { label: 'Utilization', hint: 'Average utilization of all GPUs', of: hours => average(hours.map(hour => [hour.gpu_utilization, hour.gpu_hours])) },
  active: { label: 'Active share', hint: 'GPU-hours that were active, of those that are known', of: hours => share(hours, 'active_hours') },
  wasted: { label: 'Wasted share', hint: 'GPU-hours that were idle while memory was held, of those that are known', of: hours => share(hours, 'idle_held_hours') },
};

/** Opens the page. @param {HTMLElement} main @param {URLSearchParams} params */
export function open(main, params) {
  const picker = h('div', { class: 'bar-row' });
  const body = h('div', { class: 'page' }, skeleton('rows', 3), skeleton('tall'));
  const price = h('input', { type: 'number', min: 0, step: 'any', value: params.get('price') ?? '', placeholder: 'none', 'aria-label': 'Price of a GPU-hour' });
  price.addEventListener('input', later(() => change({ price: price.value }, true), 250));
  main.append(h('div', { class: 'page usage-page' }, h('h1', { class: 'hidden' }, 'Usage'), picker, body));
  const pickerSlot = h('div', {});
  picker.append(pickerSlot, h('label', { class: 'field price' }, h('span', {}, 'Price of a GPU-hour'), price));
  let answer = null;
  let pickerKey = '';
  const expanded = new Set();

  const priceOf = () => {
    const value = Number(params.get('price'));
    return params.get('price') !== null && Number.isFinite(value) && value >= 0 ? value : null;
  };

  function draw() {
    const range = readRange(params, '7d');
    const key = JSON.stringify([range.name, range.error, range.live ? 0 : range.from, range.live ? 0 : range.to]);
    if (key !== pickerKey)
      redraw(pickerSlot, () => put(pickerSlot, rangePicker(range, ['24h', '7d', '30d'], '7d')));
    pickerKey = key;
    if (answer === null)
      return;
    if (!(answer.total.gpu_hours > 0)) {
      put(body, notice('No data in this range', `Nothing was stored between ${moment(answer.start_time)} and ${moment(answer.end_time)}.`));
      return;
    }
    const measure = MEASURES[params.get('measure')] ? params.get('measure') : 'utilization';
    redraw(body, () => put(body, cards(answer, priceOf()),
      panel('Hours of the week', { class: 'week-panel' }, h('div', { class: 'panel-tools' }, segments('Measure', Object.entries(MEASURES).map(([value, { label, hint }]) => ({ value, label, title: hint })), measure, value => change({ measure: value === 'utilization' ? null : value }))), week(answer.hours, measure)),
      h('div', { class: 'two' }, breakdown('Hosts', answer.hosts, row => row.host_id, row => href('gpus', { host: row.host_id })), breakdown('Namespaces', answer.namespaces, row => row.namespace, row => (row.namespace === null ? null : href('gpus', { namespace: row.namespace }))))));
  }

  function breakdown(name, rows, nameOf, linkOf) {
    const cost = priceOf();
    const sorted = [...rows].sort((a, b) => b.idle_held_hours - a.idle_held_hours || b.idle_hours - a.idle_hours);
    const shown = expanded.has(name) ? sorted : sorted.slice(0, ROWS_SHOWN);
    const most = Math.max(...rows.map(row => row.gpu_hours));
    const line = row => h('tr', { data: { name: nameOf(row) ?? '' } },
      h('th', { scope: 'row' }, nameOf(row) === null ? h('span', { class: 'quiet' }, 'without namespace') : linkOf(row) ? h('a', { href: linkOf(row) }, nameOf(row)) : nameOf(row)),
      h('td', { class: 'c-stack' }, stack(row, most)),
      h('td', { class: 'number' }, short(row.gpu_hours)), h('td', { class: 'number' }, isKnown(row.gpu_utilization) ? `${number(row.gpu_utilization, 0)}\u00a0%` : UNKNOWN),
      h('td', { class: 'number' }, short(row.idle_hours)), h('td', { class: row.idle_held_hours > 0 ? 'number wasted' : 'number' }, short(row.idle_held_hours)),
      cost !== null && h('td', { class: 'number' }, money(row.gpu_hours * cost)), cost !== null && h('td', { class: 'number wasted' }, money(row.idle_held_hours * cost)));
    const head = (text, hint) => h('th', { scope: 'col', class: 'number', title: hint }, text);
    return panel(`By ${name === 'Hosts' ? 'host' : 'namespace'}`, { class: 'breakdown' }, h('div', { class: 'panel-tools' }, legend()),
      h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': name }, h('table', {},
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, name.slice(0, -1)), h('th', { scope: 'col' }, 'GPU-hours'), head('All'), head('Util.', 'Average utilization'), head('Idle', 'Idle GPU-hours'), head('Wasted ↓', 'Idle GPU-hours while memory was held'), cost !== null && head('Cost'), cost !== null && head('Wasted'))),
        h('tbody', {}, shown.map(line)))),
      rows.length > shown.length && h('p', { class: 'more' }, h('button', { type: 'button', class: 'button small', onclick: () => {
        expanded.add(name);
        draw();
      } }, `Show all ${rows.length}`)));
  }

  const polling = every(60, async signal => {
    const range = readRange(params, '7d');
    try {
      answer = await api.usage(NAMED.includes(range.name) ? { time_range: range.name } : { start_time: new Date(Math.floor(range.from / HOUR) * HOUR).toISOString(), end_time: new Date(Math.ceil(range.to / HOUR) * HOUR).toISOString() }, signal);
      body.classList.remove('stale');
      if (answer.total.gpu_hours > 0 || fleet.gpus?.total > 0)
        draw();
      else if ((await api.hosts(signal)).total === 0)
        put(body, await firstRun(signal));
      else
        draw();
    } catch (error) {
      if (error.name === 'AbortError')
        throw error;
      put(body, failure(error, () => polling.now()));
    }
  });
  addEventListener('themechange', draw);
  draw();

  let asked = rangeKey(params);
  return {
    update(next) {
      params = next;
      if (document.activeElement !== price)
        price.value = next.get('price') ?? '';
      draw();
      if (rangeKey(next) !== asked) {
        asked = rangeKey(next);
        body.classList.add('stale'); // until the answer comes, the figures are those of another range
        polling.now();
      }
    },
    end() {
      polling.end();
      removeEventListener('themechange', draw);
    },
  };
}

const rangeKey = params => ['range', 'from', 'to'].map(name => params.get(name)).join(' ');

const money = value => (isKnown(value) ? number(value, value >= 1000 ? 0 : 2) : UNKNOWN);

function average(pairs) {
  const known = pairs.filter(([value, weight]) => isKnown(value) && weight > 0);
  const weight = known.reduce((sum, [, one]) => sum + one, 0);
  return weight > 0 ? known.reduce((sum, [value, one]) => sum + value * one, 0) / weight / 100 : null;
}

function share(hours, name) {
  // Of hours of which nothing is known it is not known either.
  const all = hours.reduce((sum, hour) => sum + hour.gpu_hours - hour.unknown_hours, 0);
  return all > 0 ? hours.reduce((sum, hour) => sum + hour[name], 0) / all : null;
}

function cards({ total }, price) {
  const of = value => `${percent(value, total.gpu_hours)} of all`;
  const cost = hours => (price === null ? null : `costs ${money(hours * price)}`);
  return h('div', { class: 'cards usage-cards', 'aria-label': 'Totals' }, [
    { label: 'GPU-hours', name: 'gpu_hours', value: short(total.gpu_hours), note: cost(total.gpu_hours) ?? 'observed' },
    { label: 'Utilization', name: 'gpu_utilization', value: isKnown(total.gpu_utilization) ? number(total.gpu_utilization, 0) : UNKNOWN, unit: isKnown(total.gpu_utilization) ? '%' : null, note: 'on average' },
    { label: 'Active', name: 'active_hours', value: short(total.active_hours), unit: 'h', note: of(total.active_hours), kind: 'active' },
    { label: 'Wasted', name: 'idle_held_hours', value: short(total.idle_held_hours), unit: 'h', note: cost(total.idle_held_hours) ?? of(total.idle_held_hours), kind: total.idle_held_hours > 0 ? 'warn' : 'calm', hint: 'Idle while memory was held' },
    { label: 'Idle', name: 'idle_hours', value: short(total.idle_hours), unit: 'h', note: cost(total.idle_hours) ?? of(total.idle_hours), hint: 'Not busy, and no memory held' },
    { label: 'Unknown', name: 'unknown_hours', value: short(total.unknown_hours), unit: 'h', note: of(total.unknown_hours), hint: 'Observed, but not how busy' },
    { label: 'Energy', name: 'energy_kwh', value: energy(total.energy_kwh).split('\u00a0')[0], unit: energy(total.energy_kwh).split('\u00a0')[1], note: isKnown(total.energy_kwh) && total.energy_hours > 0 ? `${number(1000 * total.energy_kwh / total.energy_hours, 0)} W a GPU` : UNKNOWN },
  ].map(card));
}

// Weekdays by hours, in the zone that is shown. An hour without data is not an hour of 0.
function week(hours, name) {
  const cells = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => []));
  for (const hour of hours) {
    const { day, hour: at } = weekHour(hour.start_time);
    if (hour.gpu_hours > 0)
      cells[day][at].push(hour);
  }
  const { of, label, hint } = MEASURES[name];
  const colors = scale(isDark());
  const cell = (own, day, hour) => {
    const value = own.length > 0 ? of(own) : null;
    const text = value === null ? UNKNOWN : number(100 * value, 0);
    const element = h('td', { class: value === null ? 'none' : null, title: `${DAYS[day]} ${String(hour).padStart(2, '0')}:00, ${value === null ? 'no data' : `${label.toLowerCase()} ${number(100 * value, 1)} %`}`, data: { value: value === null ? '' : (100 * value).toFixed(1) } }, text);
    if (value !== null) {
      const index = indexOf(value, 0, 1);
      element.style.backgroundColor = colors[index];
      element.style.color = textOn(index);
    }
    return element;
  };
  return h('div', { class: 'panel-body' },
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Hours of the week' }, h('table', { class: 'week' }, h('caption', { class: 'hidden' }, `${hint}, in percent, by weekday and hour (${zoneName()})`),
      h('thead', {}, h('tr', {}, h('td', {}), Array.from({ length: 24 }, (_, hour) => h('th', { scope: 'col' }, String(hour).padStart(2, '0'))))),
      h('tbody', {}, cells.map((row, day) => h('tr', {}, h('th', { scope: 'row' }, DAYS[day]), row.map((own, hour) => cell(own, day, hour))))))),
    h('div', { class: 'legend' }, scaleKey('0 %', '100 %'), h('span', { class: 'key' }, h('span', { class: 'swatch swatch-unknown', 'aria-hidden': 'true' }), 'no data'), h('span', {}, `${hint}; hours of ${zoneName()}`)));
}

const PARTS = [['active_hours', 'active', 'Active'], ['idle_held_hours', 'idle_held', 'Wasted'], ['idle_hours', 'idle', 'Idle'], ['unknown_hours', 'unknown', 'Unknown']];

function stack(row, most) {
  const element = h('span', { class: 'stack', role: 'img', 'aria-label': PARTS.map(([name, , label]) => `${label} ${short(row[name])}`).join(', ') }, PARTS.filter(([name]) => row[name] > 0).map(([name, kind, label]) => {
    const part = h('span', { class: `swatch-${kind}`, title: `${label}: ${short(row[name])} h` });
    part.style.flexGrow = row[name];
    return part;
  }));
  element.style.width = `${100 * row.gpu_hours / most}%`;
  return element;
}

const legend = () => h('div', { class: 'legend' }, PARTS.map(([, kind, label]) => h('span', { class: 'key' }, h('span', { class: `swatch swatch-${kind}`, 'aria-hidden': 'true' }), label)));
