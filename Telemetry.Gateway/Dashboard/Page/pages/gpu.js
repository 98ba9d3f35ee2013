// GPU: one GPU with all of its metrics, events, labels over time, and the others of its host.

import { api, exportOf, Pool } from '../api.js';
import { reading, TimeChart } from '../chart.js';
import { h, put, redraw, setText } from '../dom.js';
import { fleet } from '../fleet.js';
import { duration, isKnown, number, plural, pointed, time, UNKNOWN } from '../format.js';
import { axisOf, metricOf, show, sorted } from '../metrics.js';
import { bar, failure, notice, panel, severityBadge, skeleton, stateBadge } from '../parts.js';
import { every } from '../poll.js';
import { rangePicker, readRange, stepOf, stepText, whole, zoom } from '../range.js';
import { gpuHref, href } from '../router.js';
import { busy, memorySize, now } from '../rows.js';
import { seriesText } from '../lines.js';
import { gapsOf, pointsOf } from '../series.js';
import { findingItem } from './fleet.js';

/** As far as the gateway looks for events at once. */
const EVENTS_MAX = 7 * 86400_000 - 60_000;

/** Opens the page. @param {HTMLElement} main @param {URLSearchParams} params */
export function open(main, params) {
  const [host, gpu] = [params.get('host'), params.get('gpu')];
  if (!host || !gpu) {
    main.append(notice('Which GPU?', 'The address names no host and GPU.', h('p', {}, h('a', { href: href('gpus') }, 'Choose one'))));
    return {};
  }
  document.title = `${host} / ${gpu} – GPU telemetry`;
  const pool = new Pool(4);
  const save = h('a', { class: 'button', download: true }, 'Export records');
  let range = readRange(params);
  let events = [];
  let gone = false;

  const header = h('header', { class: 'gpu-head' }, h('h1', {}, h('a', { href: href('gpus', { host }) }, host), h('span', { class: 'slash' }, ' / '), gpu));
  const status = h('div', { class: 'gpu-status' });
  const facts = h('dl', { class: 'facts' });
  const findings = h('ol', { class: 'finding-list gpu-findings', hidden: true });
  const picker = h('div', { class: 'bar-row spread' });
  const charts = h('div', { class: 'charts' }, Array.from({ length: 6 }, () => h('div', { class: 'chart' }, skeleton('chart-skeleton'))));
  const eventBody = h('div', { class: 'panel-body' }, skeleton('rows', 4));
  const labelBody = h('div', { class: 'panel-body scroll', tabindex: '0', role: 'region', 'aria-label': 'Labels over time' }, skeleton('rows', 3));
  const siblingBody = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Siblings' }, skeleton('rows', 4));
  header.append(status);
  main.append(h('div', { class: 'page gpu-page' }, header, facts, findings, picker, charts,
    h('div', { class: 'two' }, panel('Events', {}, null, eventBody), panel('Labels over time', {}, null, labelBody)),
    panel(`Others of ${host}`, { class: 'siblings' }, h('div', { class: 'panel-tools' }, h('a', { class: 'quiet-link', href: href('gpus', { host }) }, 'In the table')), siblingBody)));

  /** @type {Map<string, {chart: TimeChart, figure: HTMLElement, read: HTMLElement, rest: string, drawing: any}>} */
  const drawn = new Map();

  function drawNow() {
    const { gpus } = fleet;
    if (!gpus)
      return;
    const i = fleet.find(host, gpu);
    if (i >= 0 && gone) {
      dispatchEvent(new Event('reopen'));
      return;
    }
    if (i < 0) {
      if (!gone) {
        gone = true;
        put(main, notice('There is no such GPU', `The store knows nothing of GPU ${gpu} of host ${host}.`, h('p', {}, h('a', { href: href('gpus') }, 'All GPUs'))));
      }
      return;
    }
    put(status, stateBadge(gpus.state[i]), h('span', { class: 'quiet' }, `newest record ${duration(fleet.age(i))} old`));
    status.dataset.state = gpus.state[i];
    drawFacts(facts, gpus, i);
    redraw(siblingBody.parentElement, () => drawSiblings(siblingBody, gpus, host, gpu));
    startCharts(sorted(Object.keys(gpus.metrics)), name => isKnown(gpus.metrics[name][i]));
  }

  const marks = () => events.map(event => ({ from: Date.parse(event.timestamp), to: event.end_time ? Date.parse(event.end_time) : null, severity: event.severity, title: event.title }));

  let metrics = [];
  function startCharts(names, isNow) {
    if (names.join(' ') === metrics.join(' '))
      return;
    metrics = names;
    put(charts, names.map(name => figureOf(name).figure));
    // A metric that the newest record does not have is shown if the range has it.
    for (const name of names)
      figureOf(name).figure.hidden = !isNow(name);
    series.now();
  }

  function figureOf(name) {
    if (drawn.has(name))
      return drawn.get(name);
    const { label, hint } = metricOf(name);
    const unit = h('span', { class: 'quiet' });
    const chart = new TimeChart(label);
    const read = h('span', { class: 'chart-read' }, UNKNOWN);
    const explore = h('a', { class: 'quiet-link', title: 'Explore', 'aria-label': `Explore ${label}` }, '↗');
    const figure = h('figure', { class: 'chart', data: { metric: name } },
      h('figcaption', {}, h('span', { class: 'chart-name', title: hint ?? name }, label, ' ', unit), read, explore),
      chart.element);
    const one = { chart, figure, read, unit, explore, rest: UNKNOWN, drawing: null };
    chart.addEventListener('cursor', event => moveCursor(event.detail));
    chart.addEventListener('zoom', event => zoom(event.detail.from, event.detail.to));
    drawn.set(name, one);
    return one;
  }

  function moveCursor(at) {
    for (const { chart, read, rest, drawing } of drawn.values()) {
      chart.cursor(at);
      if (drawing)
        setText(read, at === null ? rest : `${pointed(at, range.span)}  ${reading(drawing.lines[0], at, drawing.show)}`);
    }
  }

  async function drawSeries(name, signal) {
    const one = figureOf(name);
    const step = stepOf(range.span);
    try {
      const answer = await pool.run(() => api.series({ host_id: host, gpu_id: gpu, metric: name, ...whole(range, step), step: stepText(step) }, signal));
      const { code } = metricOf(name);
      const points = pointsOf(answer, 0, code);
      const values = answer.data.filter(point => point.avg !== null);
      const ends = axisOf(name, Math.max(0, ...values.map(value => value.max)));
      const line = { label: metricOf(name).label, color: 0, points, band: !code };
      one.drawing = {
        from: range.from, to: range.to, lines: [line], show: value => show(name, value), ends,
        marks: marks(),
      };
      one.rest = values.length === 0 ? 'no data in this range' : summary(name, values);
      one.figure.hidden &&= values.length === 0;
      setText(one.read, one.rest);
      setText(one.unit, ends.unit);
      Object.assign(one.figure.dataset, { points: values.length, gaps: gapsOf(points), last: values.at(-1)?.last ?? '' });
      one.chart.plot.setAttribute('aria-label', `${metricOf(name).label} from ${time(range.from)} to ${time(range.to)}: ${one.rest}, ${plural(gapsOf(points), 'gap')}`);
      await one.chart.draw(one.drawing);
    } catch (error) {
      if (error.name === 'AbortError' || signal.aborted)
        return;
      if (error.status === 400 && /metric/.test(error.message)) {
        one.figure.remove(); // the store has forgotten the metric meanwhile
        return;
      }
      failed = true;
      put(one.read, error.message);
    }
  }

  // A range between two times does not change by itself; what failed is asked for again.
  let shown = '';
  let failed = false;
  const series = every(() => Math.min(300, Math.max(10, stepOf(range.span) / 10_000)), async signal => {
    const key = `${range.from} ${range.to} ${metrics}`;
    if (metrics.length === 0 || (!range.live && key === shown))
      return;
    range = readRange(params);
    failed = false;
    drawLinks();
    await Promise.all([drawEvents(signal), ...metrics.map(name => drawSeries(name, signal))]);
    shown = failed || signal.aborted ? '' : key;
  });

  // The links go where the charts are.
  function drawLinks() {
    const when = range.name ? { range: range.name } : { from: new Date(range.from).toISOString(), to: new Date(range.to).toISOString() };
    for (const [name, { explore }] of drawn)
      explore.href = href('explore', { s: seriesText(host, gpu, name), ...when });
    save.href = exportOf(host, gpu, range.from, range.to);
  }

  async function drawEvents(signal) {
    try {
      const from = Math.max(range.from, range.to - EVENTS_MAX);
      const answer = await api.events(host, gpu, { start_time: new Date(from).toISOString(), end_time: new Date(range.to).toISOString() }, signal);
      events = answer.data;
      for (const { chart, drawing, read } of drawn.values()) {
        if (drawing)
          chart.draw(Object.assign(drawing, { marks: marks() })).catch(error => setText(read, error.message));
      }
      const searched = from > range.from ? ` of its last ${duration((range.to - from) / 1000)}` : '';
      redraw(eventBody, () => put(eventBody, searched && h('p', { class: 'quiet' }, `The events${searched}:`), events.length === 0 ? h('p', { class: 'quiet' }, `No events in this range${searched && ', as far as it was looked at'}.`) : h('ol', { class: 'events' }, events.map(eventItem))));
    } catch (error) {
      if (error.name === 'AbortError')
        return;
      failed = true;
      put(eventBody, failure(error, () => series.now()));
    }
  }

  const slow = every(30, async signal => {
    await Promise.all([
      api.labels(host, gpu, signal).then(({ data }) => put(labelBody, labelTable(data)), error => error.name === 'AbortError' || error.status === 404 || put(labelBody, failure(error, () => slow.now()))),
      api.insights({ host_id: host, gpu_id: gpu }, signal).then(answer => {
        findings.hidden = answer.findings.length === 0;
        redraw(findings, () => put(findings, answer.findings.map(findingItem)));
      }, error => {
        if (error.name !== 'AbortError' && error.status !== 404)
          put(findings, failure(error));
      }),
    ]);
  });

  const drawPicker = () => redraw(picker, () => put(picker, rangePicker(range), save));
  fleet.addEventListener('change', drawNow);
  drawPicker();
  drawNow();
  if (!fleet.gpus && fleet.error)
    put(charts, failure(fleet.error, () => fleet.load()));

  return {
    update(next) {
      if (next.get('host') !== host || next.get('gpu') !== gpu) {
        this.end();
        put(main);
        Object.assign(this, open(main, next));
        return;
      }
      params = next;
      range = readRange(params);
      drawPicker();
      series.now();
    },
    end() {
      series.end();
      slow.end();
      pool.clear();
      for (const { chart } of drawn.values())
        chart.end();
      fleet.removeEventListener('change', drawNow);
    },
  };
}

// The newest value, and from where to where they go.
function summary(name, values) {
  const low = show(name, Math.min(...values.map(value => value.min)));
  const high = show(name, Math.max(...values.map(value => value.max)));
  return low === high ? show(name, values.at(-1).last) : `${show(name, values.at(-1).last)}  ·  ${low} – ${high}`;
}

function drawFacts(facts, gpus, i) {
  const fact = (name, value, mono) => [h('dt', {}, name), h('dd', { class: mono ? 'mono' : null }, value ?? UNKNOWN)];
  const key = JSON.stringify([gpus.model[i], gpus.uuid[i], gpus.device[i], gpus.namespace[i], gpus.pod[i], gpus.container[i]]);
  if (facts.dataset.key === key)
    return;
  facts.dataset.key = key;
  put(facts, [['Model', gpus.model[i]], ['Namespace', gpus.namespace[i]], ['Pod', gpus.pod[i]], ['Container', gpus.container[i]], ['Device', gpus.device[i]], ['UUID', gpus.uuid[i], true]]
    .map(([name, value, mono]) => h('div', {}, fact(name, value, mono))));
}

function drawSiblings(body, gpus, host, gpu) {
  const members = gpus.host_id.flatMap((name, i) => (name === host ? [i] : []));
  const row = i => {
    const utilization = busy(gpus, i);
    const used = now(gpus, 'memory_used_mb', i);
    const size = memorySize(gpus, i);
    return h('tr', { 'aria-current': gpus.gpu_id[i] === gpu ? 'true' : null },
      h('th', { scope: 'row' }, h('a', { href: gpuHref(host, gpus.gpu_id[i]) }, gpus.gpu_id[i])), h('td', {}, stateBadge(gpus.state[i])),
      h('td', { class: 'c-bar' }, bar(utilization === null ? null : utilization / 100, utilization === null ? UNKNOWN : `${number(utilization, 0)}\u00a0%`)),
      h('td', { class: 'c-bar' }, bar(used !== null && size ? used / size : null, show('memory_used_mb', used), 'memory')),
      h('td', { class: 'number' }, show('temperature_c', now(gpus, 'temperature_c', i))), h('td', { class: 'number' }, show('power_w', now(gpus, 'power_w', i))),
      h('td', {}, gpus.pod[i] ?? h('span', { class: 'quiet' }, UNKNOWN)), h('td', { class: 'number' }, duration(fleet.age(i))));
  };
  put(body, h('table', {}, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'GPU'), h('th', { scope: 'col' }, 'State'), h('th', { scope: 'col' }, 'Utilization'), h('th', { scope: 'col' }, 'Memory'),
    h('th', { scope: 'col', class: 'number' }, 'Temp.'), h('th', { scope: 'col', class: 'number' }, 'Power'), h('th', { scope: 'col' }, 'Pod'), h('th', { scope: 'col', class: 'number' }, 'Age'))),
  h('tbody', {}, members.map(row))));
}

function eventItem(event) {
  const lasted = event.end_time ? `, ${duration((Date.parse(event.end_time) - Date.parse(event.timestamp)) / 1000)}` : '';
  return h('li', { class: 'event', data: { kind: event.kind } },
    h('div', { class: 'finding-head' }, severityBadge(event.severity), h('b', {}, event.title), h('time', { class: 'quiet since', datetime: event.timestamp }, time(event.timestamp) + lasted)),
    h('p', {}, event.text), event.advice && h('p', { class: 'advice' }, event.advice));
}

function labelTable(data) {
  if (data.length === 0)
    return h('p', { class: 'quiet' }, 'No labels are known.');
  const columns = ['pod', 'namespace', 'container', 'model', 'device', 'uuid'];
  return h('table', { class: 'compact' }, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'First seen'), h('th', { scope: 'col' }, 'Last seen'), columns.map(name => h('th', { scope: 'col' }, name === 'uuid' ? 'UUID' : name.replace(/^./, first => first.toUpperCase()))))),
    h('tbody', {}, data.map(row => h('tr', {}, h('td', {}, time(row.first_seen)), h('td', {}, time(row.last_seen)), columns.map(name => h('td', { class: name === 'uuid' ? 'mono' : null }, row[name] ?? h('span', { class: 'quiet' }, UNKNOWN)))))));
}
