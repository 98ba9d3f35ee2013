// Explore: several series together, beside the time before, as lines or as a table.

import { api, Pool } from '../api.js';
import { reading, TimeChart } from '../chart.js';
import { lines as lineColors } from '../colors.js';
import { csv, download } from '../csv.js';
import { h, put, redraw, setText } from '../dom.js';
import { fleet } from '../fleet.js';
import { count, number, plural, time, UNKNOWN } from '../format.js';
import { axisOf, metricOf, show, sorted, title } from '../metrics.js';
import { failure, firstRun, notice, panel, segments, select } from '../parts.js';
import { every } from '../poll.js';
import { isDark, zone } from '../prefs.js';
import { rangePicker, readRange, stepOf, stepText, whole, zoom } from '../range.js';
import { change, gpuHref } from '../router.js';
import { gapsOf, pointsOf } from '../series.js';

const SERIES_MAX = 24;
const ROWS_SHOWN = 500;
const DAY = 86_400_000;
const STEPS = { '1s': 1e3, '10s': 1e4, '1m': 6e4, '5m': 3e5, '15m': 9e5, '1h': 36e5, '6h': 216e5, '1d': DAY };

/** A series as the address writes it: host/gpu/metric, each percent-encoded. */
const seriesText = (...parts) => parts.map(encodeURIComponent).join('/');

/** @typedef {{text: string, host: string, gpu: string, metric: string}} Chosen */

/** @returns {{chosen: Chosen[], wrong: string[]}} */
function readSeries(params) {
  const chosen = [];
  const wrong = [];
  for (const text of params.getAll('s')) {
    let parts = [];
    try {
      parts = text.split('/').map(decodeURIComponent);
    } catch {
      parts = []; // a percent sign that encodes nothing
    }
    if (parts.length !== 3 || parts.some(part => part === ''))
      wrong.push(`“${text}” is not a series: host/gpu/metric is.`);
    else if (chosen.length < SERIES_MAX)
      chosen.push({ text, host: parts[0], gpu: parts[1], metric: parts[2] });
  }
  if (params.getAll('s').length > SERIES_MAX)
    wrong.push(`Only the first ${SERIES_MAX} series are shown.`);
  return { chosen, wrong };
}

/** Opens the page. @param {HTMLElement} main @param {URLSearchParams} params */
export function open(main, params) {
  const abort = new AbortController();
  const pool = new Pool(4);
  const form = h('form', { class: 'bar-row explore-form' });
  const tools = h('div', { class: 'bar-row' });
  const problems = h('div', { role: 'alert' });
  const body = h('div', { class: 'page' });
  const legend = h('div', {});
  main.append(h('div', { class: 'page explore-page' }, h('h1', { class: 'hidden' }, 'Explore'),
    h('section', { class: 'panel', 'aria-label': 'Series' }, h('div', { class: 'panel-body page' }, form, tools, problems)), body, legend));
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
      firstRun(abort.signal).then(message => put(main, message), error => error.name === 'AbortError' || put(main, failure(error, () => location.reload())));
      return;
    }
    const hosts = [...new Set(gpus.host_id)];
    const metrics = sorted(Object.keys(gpus.metrics));
    const kept = Object.fromEntries([...form.elements].filter(one => one.name).map(one => [one.name, one.value]));
    const last = readSeries(params).chosen.at(-1);
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

  function drawTools() {
    const steps = Object.entries(STEPS).filter(([, ms]) => range.span / ms <= 11_000 && range.span >= ms);
    put(tools, rangePicker(range),
      select('Step', [{ value: '', label: `auto (${stepText(stepOf(range.span, 360))})` }, ...steps.map(([name]) => ({ value: name, label: name }))], params.get('step') ?? '', value => change({ step: value })),
      select('Compare with', [{ value: '', label: 'nothing' }, { value: 'before', label: 'the period before' }, { value: 'day', label: 'a day before' }, { value: 'week', label: 'a week before' }], params.get('compare') ?? '', value => change({ compare: value })),
      segments('View', [{ value: 'chart', label: 'Chart' }, { value: 'table', label: 'Table' }], params.get('view') === 'table' ? 'table' : 'chart', value => change({ view: value === 'table' ? value : null })),
      h('button', { type: 'button', class: 'button', onclick: save, disabled: lines.length === 0 }, 'Download CSV'));
  }

  const shiftOf = () => ({ before: Math.ceil(range.span / 60_000) * 60_000, day: DAY, week: 7 * DAY }[params.get('compare')] ?? 0);

  // A range between two times does not change by itself.
  let shown = '';
  const series = every(10, async signal => {
    const key = params.toString();
    if (!range.live && key === shown)
      return;
    range = readRange(params);
    step = STEPS[params.get('step')] ?? stepOf(range.span, 360);
    const { chosen, wrong } = readSeries(params);
    const shift = shiftOf();
    const wanted = chosen.flatMap(one => (shift ? [{ ...one, shift: 0 }, { ...one, shift }] : [{ ...one, shift: 0 }]));
    const failures = [];
    const answers = await Promise.all(wanted.map(one => pool.run(() => api.series({
      host_id: one.host, gpu_id: one.gpu, metric: one.metric, ...whole({ from: range.from - one.shift, to: range.to - one.shift }, step), step: stepText(step),
    }, signal)).catch(error => {
      if (error.name === 'AbortError')
        throw error;
      failures.push(`${one.host} / ${one.gpu} ${metricOf(one.metric).label}: ${error.message}`);
      return null;
    })));
    shown = key;
    const colors = lineColors(isDark());
    lines = wanted.flatMap((one, i) => (answers[i] === null ? [] : [{
      ...one, step, color: colors[chosen.findIndex(two => two.text === one.text) % colors.length], dashed: one.shift > 0, band: wanted.length <= 4 && one.shift === 0,
      label: `${one.host} / ${one.gpu}${one.shift ? ', before' : ''}`, points: pointsOf(answers[i], one.shift),
    }]));
    put(problems, [...wrong, ...failures].map(text => h('p', { class: 'severity-critical' }, text)), failures.length > 0 && h('button', { type: 'button', class: 'button small', onclick: () => series.now() }, 'Try again'));
    draw(chosen);
  });

  function draw(chosen) {
    drawTools();
    if (chosen.length === 0) {
      endCharts();
      put(legend);
      put(body, notice('Nothing is chosen yet', 'Choose a host, a GPU and a metric above, or begin with one of these:', h('div', { class: 'chips' }, suggestions().map(one => h('button', { type: 'button', class: 'chip', onclick: () => change({ s: one.series }) }, one.label)))));
      return;
    }
    if (params.get('view') === 'table') {
      endCharts();
      put(legend);
      put(body, tableOf(lines));
      return;
    }
    const metrics = [...new Set(lines.map(line => line.metric))];
    // Metrics of one unit share a panel.
    const groups = Map.groupBy ? Map.groupBy(metrics, unitOf) : metrics.reduce((map, name) => map.set(unitOf(name), [...map.get(unitOf(name)) ?? [], name]), new Map());
    for (const [unit, { chart }] of charts) {
      if (!groups.has(unit)) {
        chart.end();
        charts.delete(unit);
      }
    }
    put(body, [...groups].map(([unit, names]) => chartPanel(unit, names).panel));
    drawLegend(null);
  }

  const unitOf = name => metricOf(name).unit || name;

  function chartPanel(unit, names) {
    const own = lines.filter(line => names.includes(line.metric));
    const heading = names.map(name => metricOf(name).label).join(', ');
    if (!charts.has(unit)) {
      const chart = new TimeChart(heading, 280);
      chart.addEventListener('cursor', event => {
        for (const other of charts.values())
          other.chart.cursor(event.detail);
        drawLegend(event.detail);
      });
      chart.addEventListener('zoom', event => zoom(event.detail.from, event.detail.to));
      const unitText = h('span', { class: 'quiet' });
      charts.set(unit, { chart, unitText, panel: panel(heading, { class: 'explore-chart' }, h('div', { class: 'panel-tools' }, unitText), chart.element) });
    }
    const one = charts.get(unit);
    setText(one.panel.querySelector('h2'), heading);
    const highest = Math.max(0, ...own.flatMap(line => line.points.map(point => point.max ?? 0)));
    const ends = axisOf(names[0], highest);
    setText(one.unitText, ends.unit);
    const gaps = own.reduce((sum, line) => sum + gapsOf(line.points), 0);
    one.chart.plot.setAttribute('aria-label', `${heading}, ${plural(own.length, 'series', 'series')}, ${plural(gaps, 'gap')}, from ${time(range.from)} to ${time(range.to)}. Arrow keys read it.`);
    one.chart.draw({ from: range.from, to: range.to, lines: own, ends, show: value => show(names[0], value) })
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
      swatch.style.borderColor = line.color;
      const of = f => (values.length === 0 ? UNKNOWN : show(line.metric, f(values)));
      return h('tr', { data: { series: line.text, points: values.length, gaps: gapsOf(line.points) } },
        h('th', { scope: 'row' }, h('span', { class: 'series-name' }, swatch, h('a', { href: gpuHref(line.host, line.gpu) }, line.label))), h('td', {}, metricOf(line.metric).label),
        h('td', { class: 'number' }, at === null ? of(all => all.at(-1).avg) : reading(line, at, value => show(line.metric, value))),
        h('td', { class: 'number' }, of(all => Math.min(...all.map(point => point.min)))),
        h('td', { class: 'number' }, of(all => all.reduce((sum, point) => sum + point.avg, 0) / all.length)),
        h('td', { class: 'number' }, of(all => Math.max(...all.map(point => point.max)))), h('td', { class: 'number' }, count(gapsOf(line.points))),
        h('td', { class: 'number' }, line.shift === 0 && h('button', { type: 'button', class: 'button small', 'aria-label': `Remove ${line.label} ${metricOf(line.metric).label}`, onclick: () => change({ s: params.getAll('s').filter(text => text !== line.text) }) }, '✕')));
    };
    redraw(legend, () => put(legend, h('section', { class: 'panel scroll', 'aria-label': 'Figures', tabindex: '0' }, h('table', { class: 'legend-table' },
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Series'), h('th', { scope: 'col' }, 'Metric'), h('th', { scope: 'col', class: 'number' }, at === null ? 'Last' : `At ${time(at)}`),
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

  const themed = () => {
    shown = '';
    series.now();
  };
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
  return ['gpu_utilization', 'power_w', 'temperature_c'].filter(name => gpus.metrics[name]).map(name => ({ label: `${metricOf(name).label} of ${host}`, series: ids.map(id => seriesText(host, id, name)) }));
}

// The averages of all lines by time; null where a line has none.
function cellsOf(lines) {
  const times = [...new Set(lines.flatMap(line => line.points.filter(point => point.avg !== null).map(point => point.at)))].sort((a, b) => a - b);
  const columns = lines.map(line => new Map(line.points.map(point => [point.at, point.avg])));
  return { heads: lines.map(line => `${line.label} ${title(line.metric)}`), rows: times.map(at => [at, ...columns.map(column => column.get(at) ?? null)]) };
}

function tableOf(lines) {
  const { heads, rows } = cellsOf(lines);
  const newest = rows.slice(-ROWS_SHOWN).reverse();
  return h('section', { class: 'panel', 'aria-label': 'Values' }, h('div', { class: 'scroll values', tabindex: '0', role: 'region', 'aria-label': 'Values' },
    h('table', { class: 'compact-values' }, h('caption', { class: rows.length > ROWS_SHOWN ? 'quiet' : 'hidden' }, rows.length > ROWS_SHOWN ? `The newest ${ROWS_SHOWN} of ${count(rows.length)} steps; the CSV has all` : 'Averages by step, newest first'),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, `Time (${zone() === 'utc' ? 'UTC' : 'local'})`), heads.map(head => h('th', { scope: 'col', class: 'number' }, head)))),
      h('tbody', {}, newest.map(([at, ...values]) => h('tr', {}, h('th', { scope: 'row' }, time(at)), values.map(value => h('td', { class: 'number' }, number(value)))))))));
}
