// Explore: several series and queries together, beside the time before, as lines or as a table.

import { Pool } from '../api.js';
import { reading, TimeChart } from '../chart.js';
import { lineColor } from '../colors.js';
import { csv, download } from '../csv.js';
import { h, put, redraw, setText } from '../dom.js';
import { fleet } from '../fleet.js';
import { count, number, plural, time, UNKNOWN } from '../format.js';
import { linesOf, nameOf, readChosen, seriesText } from '../lines.js';
import { metricOf, sorted, title } from '../metrics.js';
import { notice, panel, segments, select, showFirstRun } from '../parts.js';
import { every } from '../poll.js';
import { zone } from '../prefs.js';
import { rangePicker, readRange, stepOf, stepText, zoom } from '../range.js';
import { change } from '../router.js';
import { gapsOf } from '../series.js';

const ROWS_SHOWN = 500;
const DAY = 86_400_000;
const STEPS = { '1s': 1e3, '10s': 1e4, '1m': 6e4, '5m': 3e5, '15m': 9e5, '1h': 36e5, '6h': 216e5, '1d': DAY };

/** Opens the page. @param {HTMLElement} main @param {URLSearchParams} params */
export function open(main, params) {
  const abort = new AbortController();
  const pool = new Pool(4);
  const form = h('form', { class: 'bar-row explore-form' });
  const expression = h('input', { name: 'query', type: 'text', placeholder: 'avg by (host_id) (gpu_utilization)', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'off', required: true });
  const queryForm = h('form', { class: 'bar-row explore-query', onsubmit: addQuery }, h('label', { class: 'field grow' }, h('span', {}, 'PromQL'), expression), h('button', { class: 'button' }, 'Add query'));
  const tools = h('div', { class: 'bar-row' });
  const problems = h('div', { role: 'alert' });
  const body = h('div', { class: 'page' });
  const legend = h('div', {});
  main.append(h('div', { class: 'page explore-page' }, h('h1', { class: 'hidden' }, 'Explore'),
    h('section', { class: 'panel', 'aria-label': 'Series' }, h('div', { class: 'panel-body page' }, form, queryForm, tools, problems)), body, legend));
  /** @type {Map<string, {chart: TimeChart, panel: HTMLElement}>} */
  const charts = new Map();
  let lines = [];
  let range = readRange(params);
  let step = 0;

  function drawForm() {
    const { gpus } = fleet;
    if (!gpus || form.contains(document.activeElement))
      return;
    if (gpus.total === 0) {
      showFirstRun(main, abort.signal);
      return;
    }
    const hosts = [...new Set(gpus.host_id)];
    const metrics = sorted(Object.keys(gpus.metrics));
    const kept = Object.fromEntries([...form.elements].filter(one => one.name).map(one => [one.name, one.value]));
    const last = readChosen(params).chosen.findLast(one => one.param === 's');
    const host = h('input', { name: 'host', type: 'text', list: 'explore-hosts', value: kept.host ?? last?.host ?? hosts[0], autocomplete: 'off', spellcheck: 'false', onfocus: event => event.target.select(), oninput: fillGpus });
    const gpu = h('input', { name: 'gpu', type: 'text', list: 'explore-gpus', value: kept.gpu ?? last?.gpu ?? '0', autocomplete: 'off', spellcheck: 'false', onfocus: event => event.target.select() });
    const gpuList = h('datalist', { id: 'explore-gpus' });
    const metric = h('select', { name: 'metric' }, metrics.map(name => h('option', { value: name, selected: name === (kept.metric ?? last?.metric ?? 'gpu_utilization') }, title(name))));
    function fillGpus() {
      const own = gpus.gpu_id.filter((_, i) => gpus.host_id[i] === host.value);
      put(gpuList, own.map(id => h('option', { value: id })), own.length > 1 && h('option', { value: '*' }, 'all of the host'));
    }
    fillGpus();
    put(form, h('label', { class: 'field' }, h('span', {}, 'Host'), host), h('datalist', { id: 'explore-hosts' }, hosts.map(name => h('option', { value: name }))),
      h('label', { class: 'field narrow' }, h('span', {}, 'GPU'), gpu), gpuList, h('label', { class: 'field' }, h('span', {}, 'Metric'), metric),
      h('button', { class: 'button' }, 'Add'), h('span', { class: 'quiet' }, '* is every GPU of the host'));
  }

  form.addEventListener('submit', event => {
    event.preventDefault();
    const { host, gpu, metric } = Object.fromEntries(new FormData(form));
    const { gpus } = fleet;
    const ids = gpu === '*' ? gpus.gpu_id.filter((_, i) => gpus.host_id[i] === host) : [gpu];
    const known = ids.filter(id => fleet.find(host, id) >= 0);
    if (known.length === 0) {
      put(problems, h('p', { class: 'severity-critical' }, gpus.host_id.includes(host) ? `Host ${host} has no GPU ${gpu}.` : `There is no host ${host}.`));
      return;
    }
    change({ s: [...new Set([...params.getAll('s'), ...known.map(id => seriesText(host, id, metric))])] });
  });

  function addQuery(event) {
    event.preventDefault();
    const query = expression.value.trim();
    if (query === '')
      return;
    expression.value = '';
    change({ q: [...new Set([...params.getAll('q'), query])] });
  }

  // A step that was chosen for another range may make too many points of this one.
  const fits = ms => range.span / ms <= 11_000 && range.span >= ms;

  let toolsKey = '';
  function drawTools() {
    const key = JSON.stringify([params.toString(), range.name, range.error, lines.length === 0, range.live ? 0 : range.from]);
    if (key === toolsKey)
      return;
    toolsKey = key;
    const steps = Object.entries(STEPS).filter(([, ms]) => fits(ms));
    redraw(tools, () => put(tools, rangePicker(range),
      select('Step', [{ value: '', label: `auto (${stepText(stepOf(range.span, 360))})` }, ...steps.map(([name]) => ({ value: name, label: name }))], params.get('step') ?? '', value => change({ step: value })),
      select('Compare with', [{ value: '', label: 'nothing' }, { value: 'before', label: 'the period before' }, { value: 'day', label: 'a day before' }, { value: 'week', label: 'a week before' }], params.get('compare') ?? '', value => change({ compare: value })),
      segments('View', [{ value: 'chart', label: 'Chart' }, { value: 'table', label: 'Table' }], params.get('view') === 'table' ? 'table' : 'chart', value => change({ view: value === 'table' ? value : null })),
      h('button', { type: 'button', class: 'button', onclick: save, disabled: lines.length === 0 }, 'Download CSV')));
  }

  const shiftOf = () => ({ before: Math.ceil(range.span / 60_000) * 60_000, day: DAY, week: 7 * DAY }[params.get('compare')] ?? 0);

  // A range between two times does not change by itself.
  let shown = '';
  const series = every(10, async signal => {
    const key = params.toString();
    if (!range.live && key === shown)
      return;
    range = readRange(params);
    step = STEPS[params.get('step')];
    if (!step || !fits(step))
      step = stepOf(range.span, 360);
    const { chosen, wrong } = readChosen(params);
    const shift = shiftOf();
    const failures = [];
    // The time before is behind what it is compared with.
    const wanted = chosen.flatMap(one => [0, ...shift ? [shift] : []].map(back => ({ one, back })));
    const answers = await Promise.all(wanted.map(({ one, back }) => pool.run(() => linesOf(one, range, step, back, signal)).catch(error => {
      if (error.name === 'AbortError')
        throw error;
      failures.push({ one, text: error.message });
      return { lines: [] };
    })));
    shown = failures.length === 0 && !signal.aborted ? key : '';
    const numbers = new Map(); // of a line and the one before it
    lines = wanted.flatMap(({ one, back }, i) => answers[i].lines.map(line => {
      const id = `${one.param} ${one.text} ${line.label}`;
      if (!numbers.has(id))
        numbers.set(id, numbers.size);
      return { ...line, chosen: one, before: back > 0, color: numbers.get(id), dashed: back > 0, label: back > 0 ? `${line.label}, before` : line.label, column: back > 0 ? `${line.column}, before` : line.column };
    }));
    for (const line of lines)
      line.band = lines.length <= 4 && !line.before;
    put(problems, wrong.map(text => h('p', { class: 'severity-critical' }, text)), chosen.map(one => problemOf(one, failures.find(failure => failure.one === one)?.text, answers.filter((_, i) => wanted[i].one === one))),
      failures.length > 0 && h('button', { type: 'button', class: 'button small', onclick: () => series.now() }, 'Try again'));
    draw(chosen);
  });

  // What has no line has no row in the legend, where it could be removed.
  function problemOf(one, failed, answers) {
    const text = failed ?? (answers.some(({ lines: found }) => found.length > 0) ? null : 'nothing in this range');
    return [
      text && h('p', { class: failed ? 'severity-critical' : 'quiet' }, `${nameOf(one)}: ${text} `, removeButton(one)),
      answers[0].note && h('p', { class: 'quiet' }, answers[0].note),
    ];
  }

  const removeButton = one => h('button', { type: 'button', class: 'button small', 'aria-label': `Remove ${nameOf(one)}`, onclick: () => change({ [one.param]: params.getAll(one.param).filter(text => text !== one.text) }) }, '✕');

  function draw(chosen) {
    drawTools();
    if (chosen.length === 0) {
      endCharts();
      put(legend);
      put(body, notice('Nothing is chosen yet', 'Choose a host, a GPU and a metric above, write a query, or begin with one of these:', h('div', { class: 'chips' }, suggestions().map(one => h('button', { type: 'button', class: 'chip', title: one.view.q, onclick: () => change(one.view) }, one.label)))));
      return;
    }
    if (params.get('view') === 'table') {
      endCharts();
      put(legend);
      put(body, tableOf(lines));
      return;
    }
    // Metrics of one unit share a panel, and a query has its own.
    const groups = new Map();
    for (const line of lines)
      groups.set(line.panel, [...groups.get(line.panel) ?? [], line]);
    for (const [key, { chart }] of charts) {
      if (!groups.has(key)) {
        chart.end();
        charts.delete(key);
      }
    }
    const panels = [...groups].map(([key, own]) => chartPanel(key, own).panel);
    // What stands there stays: a plot that is put again loses the focus, and a drag that is under way.
    if (panels.length !== body.children.length || panels.some((one, i) => body.children[i] !== one))
      put(body, panels);
    drawLegend(null);
  }

  function chartPanel(key, own) {
    const heading = [...new Set(own.map(line => line.name))].join(', ');
    if (!charts.has(key)) {
      const chart = new TimeChart(heading, 280);
      chart.addEventListener('cursor', event => {
        for (const other of charts.values())
          other.chart.cursor(event.detail);
        drawLegend(event.detail);
      });
      chart.addEventListener('zoom', event => zoom(event.detail.from, event.detail.to));
      const unitText = h('span', { class: 'quiet' });
      charts.set(key, { chart, unitText, panel: panel(heading, { class: 'explore-chart' }, h('div', { class: 'panel-tools' }, unitText), chart.element) });
    }
    const one = charts.get(key);
    setText(one.panel.querySelector('h2'), heading);
    const highest = own.reduce((most, line) => line.points.reduce((high, point) => Math.max(high, point.max ?? 0), most), 0);
    const ends = own[0].ends(highest);
    setText(one.unitText, ends.unit);
    const gaps = own.reduce((sum, line) => sum + gapsOf(line.points), 0);
    one.chart.plot.setAttribute('aria-label', `${heading}, ${plural(own.length, 'series', 'series')}, ${plural(gaps, 'gap')}, from ${time(range.from)} to ${time(range.to)}. Arrow keys read it.`);
    one.chart.draw({ from: range.from, to: range.to, lines: own, ends, show: own[0].show })
      .catch(error => put(problems, h('p', { class: 'severity-critical' }, error.message)));
    return one;
  }

  function drawLegend(at) {
    if (legend.dataset.at === String(at) && at !== null)
      return;
    legend.dataset.at = String(at);
    const row = line => {
      const values = line.points.filter(point => point.avg !== null);
      const swatch = h('span', { class: line.dashed ? 'line dashed' : 'line', 'aria-hidden': 'true' });
      swatch.style.borderColor = lineColor(line.color);
      const of = f => (values.length === 0 ? UNKNOWN : line.show(f(values)));
      const name = line.to ? h('a', { href: line.to }, line.label) : h('span', {}, line.label);
      return h('tr', { data: { series: line.chosen.text, points: values.length, gaps: gapsOf(line.points) } },
        h('th', { scope: 'row' }, h('span', { class: 'series-name' }, swatch, name)), h('td', { class: 'series-of' }, line.name),
        h('td', { class: 'number' }, at === null ? of(all => all.at(-1).avg) : reading(line, at, line.show)),
        h('td', { class: 'number' }, of(all => all.reduce((least, point) => Math.min(least, point.min), Infinity))),
        h('td', { class: 'number' }, line.code ? UNKNOWN : of(all => all.reduce((sum, point) => sum + point.avg, 0) / all.length)),
        h('td', { class: 'number' }, of(all => all.reduce((most, point) => Math.max(most, point.max), -Infinity))), h('td', { class: 'number' }, count(gapsOf(line.points))),
        h('td', { class: 'number' }, !line.before && removeButton(line.chosen)));
    };
    redraw(legend, () => put(legend, h('section', { class: 'panel scroll', 'aria-label': 'Figures', tabindex: '0' }, h('table', { class: 'legend-table' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Series'), h('th', { scope: 'col' }, 'Metric or query'), h('th', { scope: 'col', class: 'number' }, at === null ? 'Last' : `At ${time(at)}`),
        ['Smallest', 'Average', 'Largest', 'Gaps'].map(name => h('th', { scope: 'col', class: 'number' }, name)), h('th', { scope: 'col' }, h('span', { class: 'hidden' }, 'Remove')))),
      h('tbody', {}, lines.map(row))))));
  }

  function endCharts() {
    for (const { chart } of charts.values())
      chart.end();
    charts.clear();
  }

  function save() {
    const { heads, rows } = cellsOf(lines);
    download(`gpu-telemetry-${new Date(range.from).toISOString().slice(0, 19).replaceAll(':', '')}Z.csv`, csv([['time', ...heads], ...rows.map(([at, ...values]) => [new Date(at).toISOString(), ...values])]));
  }

  const themed = () => drawLegend(null);
  fleet.addEventListener('change', drawForm);
  addEventListener('themechange', themed);
  drawForm();
  drawTools();

  return {
    update(next) {
      params = next;
      range = readRange(params);
      drawForm();
      drawTools();
      series.now();
    },
    end() {
      abort.abort();
      series.end();
      pool.clear();
      endCharts();
      fleet.removeEventListener('change', drawForm);
      removeEventListener('themechange', themed);
    },
  };
}

function suggestions() {
  const { gpus } = fleet;
  if (!gpus?.total)
    return [];
  const host = gpus.host_id[0];
  const ids = gpus.gpu_id.filter((_, i) => gpus.host_id[i] === host);
  const queries = [['gpu_utilization', 'avg by (host_id) (gpu_utilization)', 'Utilization by host'], ['power_w', 'sum(power_w)', 'Power of the fleet'], ['temperature_c', 'max by (host_id) (temperature_c)', 'The hottest GPU of each host']];
  return [
    ...['gpu_utilization', 'power_w', 'temperature_c'].filter(name => gpus.metrics[name]).map(name => ({ label: `${metricOf(name).label} of ${host}`, view: { s: ids.map(id => seriesText(host, id, name)) } })),
    ...queries.filter(([name]) => gpus.metrics[name]).map(([, q, label]) => ({ label, view: { q } })),
  ];
}

// The averages of all lines by time; null where a line has none.
function cellsOf(lines) {
  const times = [...new Set(lines.flatMap(line => line.points.filter(point => point.avg !== null).map(point => point.at)))].sort((a, b) => a - b);
  const columns = lines.map(line => new Map(line.points.map(point => [point.at, point.avg])));
  return { heads: lines.map(line => line.column), rows: times.map(at => [at, ...columns.map(column => column.get(at) ?? null)]) };
}

function tableOf(lines) {
  const { heads, rows } = cellsOf(lines);
  const newest = rows.slice(-ROWS_SHOWN).reverse();
  return h('section', { class: 'panel', 'aria-label': 'Values' }, h('div', { class: 'scroll values', tabindex: '0', role: 'region', 'aria-label': 'Values' },
    h('table', { class: 'compact-values' }, h('caption', { class: rows.length > ROWS_SHOWN ? 'quiet' : 'hidden' }, rows.length > ROWS_SHOWN ? `The newest ${ROWS_SHOWN} of ${count(rows.length)} steps; the CSV has all` : 'Averages by step, newest first'),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, `Time (${zone() === 'utc' ? 'UTC' : 'local'})`), heads.map(head => h('th', { scope: 'col', class: 'number' }, head)))),
      h('tbody', {}, newest.map(([at, ...values]) => h('tr', {}, h('th', { scope: 'row' }, time(at)), values.map(value => h('td', { class: 'number' }, number(value)))))))));
}
