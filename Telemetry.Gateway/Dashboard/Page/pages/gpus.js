// GPUs: every GPU in a table, to be filtered, sorted and grouped.

import { h, later, put, redraw, setText } from '../dom.js';
import { STATE_ORDER, STATES } from '../colors.js';
import { fleet } from '../fleet.js';
import { count, duration, mebibytes, number, plural, UNKNOWN, watts } from '../format.js';
import { show } from '../metrics.js';
import { bar, failure, select, showFirstRun, skeleton, stateBadge } from '../parts.js';
import { change, gpuHref } from '../router.js';
import { busy, busyMetric, figures, filtered, grouped, GROUPS, memorySize, now, ordered } from '../rows.js';
import { HourSparklines } from '../sparkline.js';
import { VirtualTable } from '../table.js';

const COLUMNS = [
  { name: 'gpu', label: 'GPU', kind: 'c-gpu' },
  { name: 'state', label: 'State', kind: 'c-state' },
  { name: 'busy', label: 'Utilization', number: true, kind: 'c-bar', hint: 'By the engine where that is measured' },
  { name: 'hour', label: 'Last hour', sortable: false, kind: 'c-spark' },
  { name: 'memory_used_mb', label: 'Memory', number: true, kind: 'c-bar' },
  { name: 'temperature_c', label: 'Temp.', number: true },
  { name: 'power_w', label: 'Power', number: true },
  { name: 'workload', label: 'Workload', kind: 'c-text', hint: 'Namespace and pod' },
  { name: 'model', label: 'Model', kind: 'c-text' },
  { name: 'age', label: 'Age', number: true, hint: 'Since the newest record was observed' },
];

/** Labels that other pages' links ask for exactly. */
const EXACT = ['host', 'namespace'];

const RESORT = 5000;
const sparklines = new HourSparklines();

/** Opens the page. @param {HTMLElement} main @param {URLSearchParams} params */
export function open(main, params) {
  const abort = new AbortController();
  let order = [];
  let orderedAt = -Infinity;

  const text = h('input', { type: 'search', placeholder: 'Host, GPU, model, pod, namespace, UUID …', 'aria-label': 'Filter by text', 'aria-keyshortcuts': '/', title: 'The key / comes here from every page', value: params.get('q') ?? '', autocomplete: 'off', spellcheck: 'false' });
  const states = h('div', { class: 'chips', role: 'group', 'aria-label': 'Filter by state' });
  const tools = h('div', { class: 'panel-tools' });
  const total = h('output', { class: 'quiet', 'aria-live': 'polite' });
  let place = history.state?.top ?? 0;
  const table = new VirtualTable('GPUs', COLUMNS, sort => change({ sort: sort === 'gpu' ? null : sort }));
  const body = h('div', { class: 'gpus-body' }, skeleton('rows', 14));
  const page = h('div', { class: 'page gpus-page' },
    h('h1', { class: 'hidden' }, 'GPUs'),
    h('section', { class: 'panel', 'aria-label': 'GPUs' }, h('div', { class: 'panel-head' }, h('div', { class: 'grow search' }, text), states, tools, total), body));
  main.append(page);

  const typed = later(() => change({ q: text.value || null }, true), 120);
  text.addEventListener('input', typed);

  function draw(again = false) {
    const { gpus } = fleet;
    if (!gpus)
      return;
    if (gpus.total === 0) {
      showFirstRun(page, abort.signal);
      return;
    }
    if (body.firstChild !== table.element)
      put(body, table.element);
    const wanted = new Set(params.getAll('state'));
    const sort = params.get('sort') ?? 'gpu';
    // Rows that move under the pointer cannot be clicked: the order follows the figures only now and then.
    if (again || performance.now() - orderedAt > RESORT || order.some(i => i >= gpus.total)) {
      order = ordered(gpus, filtered(gpus, params.get('q') ?? '', wanted, EXACT.filter(name => params.has(name)).map(name => [GROUPS[name], params.get(name)])), sort, i => fleet.age(i));
      orderedAt = performance.now();
    }
    drawFilters(gpus, wanted);
    setText(total, order.length === gpus.total ? plural(gpus.total, 'GPU') : `${count(order.length)} of ${plural(gpus.total, 'GPU')}`);
    table.show(rowsOf(gpus), sort);
    if (place > 0)
      table.element.scrollTop = place;
    place = 0;
    table.element.classList.toggle('nothing', order.length === 0);
  }

  let filtersKey = '';
  function drawFilters(gpus, wanted) {
    const counts = new Map();
    for (const state of gpus.state)
      counts.set(state, (counts.get(state) ?? 0) + 1);
    const key = JSON.stringify([[...counts], [...wanted], params.get('group'), params.has('folded'), EXACT.map(name => params.get(name))]);
    if (key === filtersKey)
      return;
    filtersKey = key;
    redraw(states, () => put(states, EXACT.filter(name => params.has(name)).map(name => h('button', {
      type: 'button', class: 'chip', 'aria-pressed': 'true', title: 'Show the others too', data: { exact: name }, onclick: () => change({ [name]: null }),
    }, `${name} ${params.get(name)} ✕`)), STATE_ORDER.filter(state => counts.get(state) || wanted.has(state)).map(state => h('button', {
      type: 'button', class: 'chip', 'aria-pressed': String(wanted.has(state)), data: { state },
      onclick: () => change({ state: wanted.has(state) ? [...wanted].filter(one => one !== state) : [...wanted, state] }),
    }, h('span', { class: `mark mark-${state}`, 'aria-hidden': 'true' }, STATES[state].mark), ` ${STATES[state].label} `, h('b', {}, count(counts.get(state) ?? 0))))));
    const group = params.get('group') ?? '';
    redraw(tools, () => put(tools, select('Group by', [{ value: '', label: 'nothing' }, ...Object.keys(GROUPS).map(name => ({ value: name, label: name }))], group, value => change({ group: value || null, toggle: null, folded: null })),
      group && h('button', { type: 'button', class: 'button small', onclick: () => change({ folded: params.has('folded') ? null : true, toggle: null }) }, params.has('folded') ? 'Expand all' : 'Collapse all')));
  }

  function rowsOf(gpus) {
    const label = GROUPS[params.get('group')];
    if (!label)
      return order.map(i => gpuRow(gpus, i));
    const folded = params.has('folded');
    const toggled = new Set(params.getAll('toggle'));
    return grouped(gpus, order, label).flatMap(group => {
      const key = group.name === null ? '-' : `=${group.name}`; // an empty parameter would not be kept
      const closed = folded !== toggled.has(key);
      const toggle = () => change({ toggle: toggled.has(key) ? [...toggled].filter(one => one !== key) : [...toggled, key] }, true);
      return [groupRow(gpus, group, closed, toggle), ...closed ? [] : group.members.map(i => gpuRow(gpus, i))];
    });
  }

  // Lines are asked for once the scrolling rests.
  const lines = later(() => {
    sparklines.forget();
    for (const cell of table.body.querySelectorAll('td[data-host]'))
      sparklines.show(cell, cell.dataset.host, cell.dataset.gpu, cell.dataset.metric);
  }, 150);
  table.ondraw = () => {
    for (const cell of table.body.querySelectorAll('td[data-host]')) {
      if (sparklines.has(cell.dataset.host, cell.dataset.gpu, cell.dataset.metric))
        sparklines.show(cell, cell.dataset.host, cell.dataset.gpu, cell.dataset.metric);
    }
    lines();
  };

  // Back from a GPU one is where one was.
  const remember = () => history.replaceState({ ...history.state, top: table.element.scrollTop }, '');
  const scrolled = later(remember, 150);
  table.element.addEventListener('scroll', scrolled, { passive: true });
  table.element.addEventListener('click', remember);
  const changed = () => draw();
  const failed = () => fleet.gpus || put(body, failure(fleet.error, () => fleet.load()));
  fleet.addEventListener('change', changed);
  fleet.addEventListener('failure', failed);
  if (fleet.error)
    failed();
  draw(true);

  return {
    update(next) {
      params = next;
      if (document.activeElement !== text)
        text.value = next.get('q') ?? '';
      draw(true);
    },
    end() {
      abort.abort();
      typed.cancel();
      lines.cancel();
      scrolled.cancel();
      sparklines.forget();
      table.end();
      fleet.removeEventListener('change', changed);
      fleet.removeEventListener('failure', failed);
    },
  };
}

function gpuRow(gpus, i) {
  const [host, gpu] = [gpus.host_id[i], gpus.gpu_id[i]];
  return {
    key: `${host}\0${gpu}`,
    kind: gpus.state[i] === 'lost' ? 'is-lost' : null,
    make() {
      const utilization = busy(gpus, i);
      const used = now(gpus, 'memory_used_mb', i);
      const size = memorySize(gpus, i);
      return [
        h('th', { scope: 'row', class: 'c-gpu', title: `${host} / ${gpu}` }, h('a', { href: gpuHref(host, gpu) }, h('span', { class: 'c-host' }, host), h('span', {}, h('span', { class: 'slash' }, '\u00a0/ '), gpu))),
        h('td', { class: 'c-state' }, stateBadge(gpus.state[i])),
        h('td', { class: 'c-bar' }, bar(utilization === null ? null : utilization / 100, utilization === null ? UNKNOWN : `${number(utilization, 0)}\u00a0%`)),
        h('td', { class: 'c-spark', data: { host, gpu, metric: busyMetric(gpus, i) } }),
        h('td', { class: 'c-bar' }, bar(used !== null && size ? used / size : null, used === null ? UNKNOWN : mebibytes(used), 'memory')),
        h('td', { class: 'number' }, show('temperature_c', now(gpus, 'temperature_c', i))),
        h('td', { class: 'number' }, show('power_w', now(gpus, 'power_w', i))),
        h('td', { class: 'c-text', title: gpus.pod[i] }, gpus.pod[i] === null ? h('span', { class: 'quiet' }, UNKNOWN) : [gpus.namespace[i] && h('span', { class: 'quiet' }, `${gpus.namespace[i]} / `), gpus.pod[i]]),
        h('td', { class: 'c-text', title: gpus.model[i] }, gpus.model[i]?.replace(/^NVIDIA /, '') ?? h('span', { class: 'quiet' }, UNKNOWN)),
        h('td', { class: 'number age' }, duration(fleet.age(i))),
      ];
    },
  };
}

function groupRow(gpus, { name, members }, closed, toggle) {
  const key = `group ${name ?? ''}`;
  return {
    key,
    kind: 'group',
    make() {
      const sum = figures(gpus, members);
      const states = h('span', { class: 'state-bar', role: 'img', 'aria-label': [...sum.states].map(([state, n]) => `${n} ${STATES[state]?.label ?? state}`).join(', ') },
        STATE_ORDER.filter(state => sum.states.get(state)).map(state => {
          const part = h('span', { class: `swatch-${state}`, title: `${STATES[state].label}: ${sum.states.get(state)}` });
          part.style.flexGrow = sum.states.get(state);
          return part;
        }));
      return [
        h('th', { scope: 'rowgroup', class: 'c-gpu' }, h('button', { type: 'button', class: 'fold', 'aria-expanded': String(!closed), onclick: toggle },
          h('span', { class: 'caret', 'aria-hidden': 'true' }, closed ? '▸' : '▾'), name ?? h('span', { class: 'quiet' }, 'not known'), h('span', { class: 'quiet' }, ` ${plural(members.length, 'GPU')}`))),
        h('td', { class: 'c-state' }, states),
        h('td', { class: 'c-bar' }, bar(sum.busy === null ? null : sum.busy / 100, sum.busy === null ? UNKNOWN : `${number(sum.busy, 0)}\u00a0%`)),
        h('td', { class: 'c-spark quiet' }, 'average'),
        h('td', { class: 'number' }, mebibytes(sum.memory)),
        h('td', { class: 'number', title: 'The hottest' }, show('temperature_c', sum.temperature)),
        h('td', { class: 'number' }, watts(sum.power)),
        h('td', {}), h('td', {}), h('td', {}),
      ];
    },
  };
}
