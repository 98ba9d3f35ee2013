// A chart of lines over time. Apache ECharts draws it; the cursor, what it reads and the dragging are the page's own elements,
// so that a row of charts has one cursor and everything can be read without seeing the drawing.

import { lineColor } from './colors.js';
import { h, later, put, setText } from './dom.js';
import { tick, time } from './format.js';
import { isDark, zone } from './prefs.js';

let loading = null;

/** The library, which is large: it is asked for when the first chart is drawn. */
function library() {
  loading ??= new Promise((resolve, reject) => {
    const script = h('script', { src: 'dashboard/echarts.js' });
    script.onload = () => resolve(globalThis.echarts);
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new Error('The library for charts could not be loaded.'));
    };
    document.head.append(script);
  });
  return loading;
}

/**
 * @typedef {{label: string, color: number, points: import('./series.js').Points, dashed?: boolean, band?: boolean}} Line
 * @typedef {{from: number, to: number, lines: Line[], show: (value: number) => string,
 *   ends: {low?: number, high?: number, interval?: number, least?: number, format: (value: number) => string}, marks?: {from: number, to: number|null, severity: string, title: string}[]}} Drawing
 */

const GRID = { left: 52, right: 22, top: 12, bottom: 24 };
const DRAG_MIN = 6;

export class TimeChart extends EventTarget {
  #chart = null;
  /** @type {Drawing|null} */
  #drawing = null;
  #drag = null;

  /** Says `cursor` (detail: time or null) and `zoom` (detail: from and to). @param {string} name @param {number} height */
  constructor(name, height = 150) {
    super();
    this.plot = h('div', { class: 'plot', tabindex: '0', role: 'application', 'aria-roledescription': 'chart', 'aria-label': name });
    this.spoken = h('p', { class: 'hidden', 'aria-live': 'polite' });
    this.plot.style.height = `${height}px`;
    this.line = h('div', { class: 'plot-cursor', hidden: true });
    this.selection = h('div', { class: 'plot-selection', hidden: true });
    this.marks = h('div', { class: 'plot-marks' });
    this.element = h('div', { class: 'plot-frame' }, this.plot, this.line, this.selection, this.marks, this.spoken);
    this.name = name;
    this.#listen();
    this.#resized = new ResizeObserver(later(() => {
      this.#chart?.resize();
      this.#drawMarks();
    }, 80));
    this.#resized.observe(this.element);
    this.#themed = () => this.#drawing && this.draw(this.#drawing);
    addEventListener('themechange', this.#themed);
  }

  #resized;

  #themed;

  end() {
    this.#resized.disconnect();
    removeEventListener('themechange', this.#themed);
    this.#chart?.dispose();
    this.#chart = null;
    this.ended = true;
  }

  /** Draws. @param {Drawing} drawing */
  async draw(drawing) {
    this.#drawing = drawing;
    const echarts = await library();
    if (this.ended || this.#drawing !== drawing)
      return;
    this.#chart ??= echarts.init(this.plot, null, { renderer: 'canvas' });
    this.#chart.setOption(this.#option(drawing), { notMerge: true });
    this.plot.dataset.drawn = drawing.lines.map(line => line.points.length).join(' ');
    this.#drawMarks();
  }

  /** Puts the cursor at a time, or away. */
  cursor(at) {
    const drawing = this.#drawing;
    this.line.hidden = at === null || !drawing || at < drawing.from || at > drawing.to;
    if (!this.line.hidden)
      this.line.style.transform = `translateX(${this.#x(at)}px)`;
  }

  /** The point of a line at a time, or null in a gap. @param {Line} line */
  static at(line, at) {
    const { points } = line;
    let low = 0;
    let high = points.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (points[middle].at <= at)
        low = middle;
      else
        high = middle - 1;
    }
    const next = points[low + 1];
    const nearest = next && next.avg !== null && next.at - at < at - points[low].at ? next : points[low];
    return nearest && nearest.avg !== null && Math.abs(nearest.at - at) <= points.limit ? nearest : null;
  }

  get #width() {
    return this.plot.clientWidth - GRID.left - GRID.right;
  }

  #x(at) {
    const { from, to } = this.#drawing;
    return GRID.left + (at - from) / (to - from) * this.#width;
  }

  #time(x) {
    const { from, to } = this.#drawing;
    return Math.max(from, Math.min(to, from + (x - GRID.left) / this.#width * (to - from)));
  }

  #listen() {
    const { plot } = this;
    const say = (name, detail) => this.dispatchEvent(new CustomEvent(name, { detail }));
    const x = event => event.clientX - plot.getBoundingClientRect().left;
    plot.addEventListener('pointermove', event => {
      if (!this.#drawing)
        return;
      say('cursor', this.#time(x(event)));
      if (this.#drag !== null)
        this.#select(this.#drag, x(event));
    });
    plot.addEventListener('pointerleave', () => say('cursor', null));
    plot.addEventListener('pointerdown', event => {
      // A finger scrolls the page; the fields of the range are for it.
      if (!this.#drawing || event.button !== 0 || event.pointerType === 'touch')
        return;
      this.#drag = x(event);
      plot.setPointerCapture(event.pointerId);
    });
    const release = event => {
      if (this.#drag === null)
        return;
      const [from, to] = [this.#drag, x(event)].sort((a, b) => a - b);
      this.#drag = null;
      this.selection.hidden = true;
      if (event.type === 'pointerup' && to - from >= DRAG_MIN)
        say('zoom', { from: this.#time(from), to: this.#time(to) });
    };
    plot.addEventListener('pointerup', release);
    plot.addEventListener('pointercancel', release);
    plot.addEventListener('keydown', event => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || !this.#drawing)
        return;
      event.preventDefault();
      const { from, to } = this.#drawing;
      this.#key = Math.max(from, Math.min(to, (this.#key ?? (step > 0 ? from : to)) + step * (to - from) / (event.shiftKey ? 10 : 120)));
      say('cursor', this.#key);
      setText(this.spoken, `${time(this.#key)}: ${this.#drawing.lines.map(line => `${line.label} ${reading(line, this.#key, this.#drawing.show)}`).join(', ')}`);
    });
    plot.addEventListener('blur', () => {
      this.#key = null;
      say('cursor', null);
    });
  }

  #key = null;

  #select(a, b) {
    const edge = value => Math.max(GRID.left, Math.min(GRID.left + this.#width, value));
    const [from, to] = [edge(Math.min(a, b)), edge(Math.max(a, b))];
    this.selection.hidden = to - from < DRAG_MIN;
    this.selection.style.transform = `translateX(${from}px)`;
    this.selection.style.width = `${to - from}px`;
  }

  // Events stand as marks at the foot of the plot, over the times that they lasted.
  #drawMarks() {
    const { marks = [], from, to } = this.#drawing ?? {};
    put(this.marks, marks.filter(mark => mark.from <= to && (mark.to ?? mark.from) >= from).map(mark => {
      const left = this.#x(Math.max(from, mark.from));
      const element = h('span', { class: `plot-mark plot-mark-${mark.severity}`, title: `${mark.title}, ${time(mark.from)}` });
      element.style.left = `${left}px`;
      element.style.width = `${Math.max(2, this.#x(Math.min(to, mark.to ?? mark.from)) - left)}px`;
      return element;
    }));
  }

  #option({ from, to, lines, ends }) {
    const style = getComputedStyle(this.plot);
    const [quiet, grid] = [style.color, style.borderTopColor];
    const label = { color: quiet, fontSize: 11, fontFamily: style.fontFamily };
    return {
      animation: false,
      useUTC: zone() === 'utc',
      darkMode: isDark(),
      grid: { ...GRID, containLabel: false, outerBoundsMode: 'none' },
      xAxis: {
        type: 'time', min: from, max: to, axisLine: { lineStyle: { color: grid } }, axisTick: { show: false }, splitLine: { show: false },
        axisLabel: { ...label, hideOverlap: true, alignMinLabel: 'left', alignMaxLabel: 'right', formatter: at => tick(at, to - from) }, splitNumber: Math.max(2, Math.round(this.#width / 110)),
      },
      yAxis: {
        type: 'value', min: ends.low, max: ends.high, scale: ends.low === undefined, splitNumber: 3, interval: ends.interval, minInterval: ends.least, axisLine: { show: false }, axisTick: { show: false },
        splitLine: { lineStyle: { color: grid } }, axisLabel: { ...label, formatter: ends.format },
      },
      series: lines.flatMap((line, i) => seriesOf(line, i)),
    };
  }
}

// The band from smallest to largest is an area on top of one that cannot be seen.
function seriesOf({ points, color: number, dashed, band }, i) {
  const color = lineColor(number);
  const single = points.length === 1 || points.every((point, n) => point.avg === null || ((points[n - 1]?.avg ?? null) === null && (points[n + 1]?.avg ?? null) === null));
  const base = { type: 'line', silent: true, connectNulls: false, showSymbol: single, symbolSize: 4, triggerLineEvent: false };
  const line = {
    ...base, data: points.map(point => [point.at, point.avg]), z: 3, itemStyle: { color },
    lineStyle: { color, width: dashed ? 1.2 : 1.6, type: dashed ? [4, 4] : 'solid' },
  };
  if (!band)
    return [line];
  const hidden = { ...base, showSymbol: false, stack: `band${i}`, stackStrategy: 'all', lineStyle: { opacity: 0 } };
  return [
    { ...hidden, data: points.map(point => [point.at, point.min]) },
    { ...hidden, data: points.map(point => [point.at, point.max === null ? null : point.max - point.min]), areaStyle: { color, opacity: 0.16 } },
    line,
  ];
}

/** What a line reads at a time. */
export function reading(line, at, show) {
  const point = TimeChart.at(line, at);
  if (!point)
    return '–';
  return point.min === point.max || point.min === null ? show(point.avg) : `${show(point.avg)} (${show(point.min)} – ${show(point.max)})`;
}

