// How far behind each consumer group was over time, and what was appended and committed: the queue keeps it for a day.

import { api } from './api.js';
import { reading, TimeChart } from './chart.js';
import { lineColor } from './colors.js';
import { h, put, redraw, setText } from './dom.js';
import { count, duration, number, plural, pointed, time, UNKNOWN } from './format.js';
import { failure, panel, segments, skeleton } from './parts.js';
import { every } from './poll.js';
import { change } from './router.js';
import { pointsOf } from './series.js';

const RANGES = ['1h', '6h', '24h'];
const PARTITIONS_SHOWN = 8;

const perSecond = value => `${number(value)}\u00a0/s`;

/** The charts of a group: what each is of, and how its values are written. */
const CHARTS = [
  { name: 'lag_records', label: 'Lag', unit: 'records', least: 1, show: value => plural(value, 'record'), axis: value => count(value), lines: ({ data }) => [{ label: 'all partitions', data }] },
  {
    name: 'lag_seconds', label: 'Behind', unit: 's', show: duration, axis: value => number(value),
    lines: ({ data, partitions }) => (partitions.length > 1 && partitions.length <= PARTITIONS_SHOWN
      ? partitions.map(one => ({ label: `partition ${one.partition}`, data: one.data })) : [{ label: 'the worst partition', data }]),
  },
  {
    name: 'rates', label: 'Records a second', unit: '', show: perSecond, axis: value => number(value),
    lines: ({ data }) => [{ label: 'appended', of: 'appended_per_second', data }, { label: 'committed', of: 'committed_per_second', data, dashed: true }],
  },
];

/** The panel, which keeps itself up to date until `end`. @param {URLSearchParams} params */
export function lagPanel(params) {
  let range = rangeIn(params);
  const tools = h('div', { class: 'panel-tools' });
  const body = h('div', { class: 'panel-body page' }, skeleton('rows', 5));
  const element = panel('Lag over time', { class: 'lag-panel' }, tools, body);
  /** @type {Map<string, GroupCharts>} */
  const groups = new Map();
  const drawTools = () => redraw(tools, () => put(tools, segments('Range', RANGES.map(name => ({ value: name, label: name })), range, value => change({ range: value === RANGES[0] ? null : value }))));

  const polling = every(() => (range === '1h' ? 10 : 60), async signal => {
    try {
      const answer = await api.pipelineHistory({ time_range: range }, signal);
      draw(answer);
    } catch (error) {
      if (error.name === 'AbortError')
        throw error;
      endCharts();
      put(body, failure(error, () => polling.now()));
    }
  });

  function draw(answer) {
    for (const name of [...groups.keys()].filter(name => !answer.groups.some(group => group.group === name)))
      endCharts(name);
    if (answer.groups.length === 0) {
      put(body, h('p', { class: 'quiet' }, answer.reachable ? 'No consumer group yet: no collector has joined.' : `Not known: ${answer.reason}.`));
      return;
    }
    const shown = answer.groups.map(group => groups.get(group.group) ?? groups.set(group.group, new GroupCharts(group.group)).get(group.group));
    if (shown.some(one => !one.element.isConnected) || body.children.length !== shown.length)
      put(body, shown.map(one => one.element));
    answer.groups.forEach((group, i) => shown[i].draw(group, answer));
  }

  function endCharts(name) {
    for (const [key, group] of name === undefined ? groups : [[name, groups.get(name)]]) {
      group.end();
      groups.delete(key);
    }
  }

  const themed = () => groups.forEach(group => group.last && group.draw(...group.last));
  addEventListener('themechange', themed);
  drawTools();
  return {
    element,
    update(next) {
      if (rangeIn(next) === range)
        return;
      range = rangeIn(next);
      drawTools();
      polling.now();
    },
    end() {
      polling.end();
      removeEventListener('themechange', themed);
      endCharts();
    },
  };
}

const rangeIn = params => (RANGES.includes(params.get('range')) ? params.get('range') : RANGES[0]);

/** The charts of a group, with one cursor. */
class GroupCharts {
  constructor(name) {
    this.charts = CHARTS.map(chart => {
      const plot = new TimeChart(`${chart.label} of ${name}`);
      plot.addEventListener('cursor', event => this.#read(event.detail));
      const read = h('span', { class: 'chart-read' }, UNKNOWN);
      const keys = h('div', { class: 'legend' });
      const figure = h('figure', { class: 'chart', data: { chart: chart.name } },
        h('figcaption', {}, h('span', { class: 'chart-name' }, chart.label, ' ', h('span', { class: 'quiet' }, chart.unit)), read), plot.element, keys);
      return { ...chart, plot, read, keys, figure, drawn: [], rest: UNKNOWN };
    });
    this.element = h('div', { class: 'lag-group', data: { group: name } }, h('h3', {}, name), h('div', { class: 'charts' }, this.charts.map(chart => chart.figure)));
  }

  draw(group, answer) {
    this.last = [group, answer];
    const { start_time, end_time, step_seconds } = answer;
    this.span = Date.parse(end_time) - Date.parse(start_time);
    const [from, to] = [Date.parse(start_time), Date.parse(end_time)];
    for (const chart of this.charts) {
      const known = chart.lines(group).map((line, i) => ({ ...line, color: i, points: pointsIn(line.data, line.of ?? chart.name, step_seconds) }));
      chart.drawn = known;
      chart.rest = known.map(({ points }) => (points.length > 0 ? chart.show(points.at(-1).avg) : UNKNOWN)).join(' · ');
      // Of many lines the largest value is what matters; the cursor reads each.
      if (known.length > 2)
        chart.rest = chart.show(Math.max(...known.flatMap(({ points }) => points.slice(-1).map(point => point.avg))));
      setText(chart.read, chart.rest);
      chart.figure.dataset.points = known[0].points.length;
      chart.plot.plot.setAttribute('aria-label', `${chart.label} of ${group.group} from ${time(from)} to ${time(to)}: now ${chart.rest}. Arrow keys read it.`);
      put(chart.keys, known.length > 1 && known.map(line => {
        const swatch = h('span', { class: line.dashed ? 'line dashed' : 'line', 'aria-hidden': 'true' });
        swatch.style.borderColor = lineColor(line.color);
        return h('span', { class: 'key' }, swatch, line.label);
      }));
      chart.plot.draw({ from, to, lines: known, show: chart.show, ends: { low: 0, least: chart.least, format: chart.axis } })
        .catch(error => setText(chart.read, error.message));
    }
  }

  #read(at) {
    for (const chart of this.charts) {
      chart.plot.cursor(at);
      setText(chart.read, at === null || chart.drawn.length === 0 ? chart.rest : `${pointed(at, this.span)}  ${chart.drawn.map(line => reading(line, at, chart.show)).join(' · ')}`);
    }
  }

  end() {
    for (const { plot } of this.charts)
      plot.end();
  }
}

function pointsIn(data, name, step) {
  const known = data.filter(one => one[name] !== null).map(one => ({ timestamp: one.timestamp, avg: one[name], min: one[name], max: one[name] }));
  return pointsOf({ step_seconds: step, data: known });
}
