// A cell for each GPU, host by host, on a canvas: thousands of cells are drawn in a few milliseconds. The pointer and the arrow
// keys read them, Enter opens one.

import { h, later, put, setText } from './dom.js';
import { indexOf, scale, STATE_ORDER, STATES } from './colors.js';
import { scaleKey } from './parts.js';
import { duration, isKnown } from './format.js';
import { metricOf, rangeOf, show } from './metrics.js';
import { isDark } from './prefs.js';

const SIZES = [40, 36, 32, 29, 26, 22, 19, 16, 14, 12, 10, 8, 7, 6, 5];
const ACROSS_MAX = 16;
const LABELLED_FROM = 12;
const OUTLINED_FROM = 8;
const CODES_SHOWN = 6;
const TOP = 2;
const HEIGHT_WANTED = 540;

/** @typedef {{host: string, cells: number[]}} Block */

export class HeatMap {
  #gpus = null;
  #metric = 'state';
  #ageOf = () => NaN;
  #open = () => {};
  #layout = { cells: [], size: 0, gap: 0, width: 0, height: 0, labels: [], grid: new Map() };
  #at = -1; // where the keys are
  #shown = -1; // what the tip tells of
  #width = 0;

  /** @param {(i: number) => void} open what a click or Enter does */
  constructor(open) {
    this.#open = open;
    this.canvas = h('canvas', { tabindex: '0', role: 'application', 'aria-roledescription': 'heat map', 'aria-describedby': 'heat-help' });
    this.cursor = h('div', { class: 'heat-cursor', hidden: true });
    this.tip = h('div', { class: 'heat-tip', hidden: true });
    this.status = h('p', { class: 'hidden', 'aria-live': 'polite' });
    this.legend = h('div', { class: 'legend' });
    this.frame = h('div', { class: 'heat-frame' }, this.canvas, this.cursor, this.tip);
    this.element = h('div', { class: 'heat' }, this.frame, this.legend, this.status,
      h('p', { class: 'hidden', id: 'heat-help' }, 'A cell for each GPU. Arrow keys move from cell to cell, Enter opens the GPU. The GPUs page has the same as a table.'));
    this.canvas.addEventListener('pointermove', event => this.#point(this.#cellAt(event)));
    this.canvas.addEventListener('pointerleave', () => this.#point(document.activeElement === this.canvas ? this.#at : -1));
    this.canvas.addEventListener('click', event => {
      const i = this.#cellAt(event);
      if (i >= 0)
        this.#open(i);
    });
    this.canvas.addEventListener('keydown', event => this.#key(event));
    this.canvas.addEventListener('focus', () => this.#point(this.#at >= 0 ? this.#at : this.#layout.cells[0]?.i ?? -1, true));
    this.canvas.addEventListener('blur', () => this.#point(-1));
    this.#resized = new ResizeObserver(later(() => this.#resize(), 60));
    this.#resized.observe(this.frame);
  }

  #resized;

  /** Ends it. */
  end() {
    this.#resized.disconnect();
  }

  /**
   * Draws the fleet.
   * @param {import('./fleet.js').Gpus} gpus
   * @param {string} metric a metric's name, or `state`
   * @param {(i: number) => number} ageOf
   */
  draw(gpus, metric, ageOf) {
    const began = performance.now();
    const moved = gpus.total !== this.#gpus?.total;
    this.#gpus = gpus;
    this.#metric = metric;
    this.#ageOf = ageOf;
    if (moved || this.#layout.cells.length !== gpus.total)
      this.#place();
    this.#paint();
    this.canvas.dataset.drawMs = (performance.now() - began).toFixed(1);
    if (this.#shown >= 0)
      this.#point(this.#shown);
  }

  #resize() {
    if (this.#gpus && this.frame.clientWidth !== this.#width) {
      this.#place();
      this.#paint();
    }
  }

  // The largest cells with which the map is not higher than a screen; hosts go down the columns, as in a list.
  #place() {
    this.#width = this.frame.clientWidth;
    const blocks = blocksOf(this.#gpus);
    const across = Math.min(ACROSS_MAX, Math.max(1, ...blocks.map(block => block.cells.length)));
    const labelWidth = measure(blocks);
    let shape = null;
    for (const size of SIZES) {
      shape = shapeOf(blocks, across, size, this.#width, labelWidth);
      if (shape.fits && shape.height <= HEIGHT_WANTED)
        break;
    }
    this.#layout = layoutOf(blocks, shape);
    this.canvas.style.height = `${this.#layout.height}px`;
    this.canvas.style.width = `${this.#width}px`;
  }

  #paint() {
    const { cells, size, labels, height } = this.#layout;
    const dark = isDark();
    const ratio = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.#width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const draw = this.canvas.getContext('2d');
    draw.scale(ratio, ratio);
    const style = getComputedStyle(this.canvas);
    draw.font = `12px ${style.fontFamily}`;
    draw.fillStyle = style.color;
    draw.textBaseline = 'middle';
    for (const { text, x, y } of labels)
      draw.fillText(text, x, y);
    const { fills, range } = this.#fills(dark);
    for (const [fill, members] of fills) {
      draw.fillStyle = fill;
      for (const { x, y } of members)
        draw.fillRect(x, y, size, size);
    }
    if (!dark && range !== null && size >= OUTLINED_FROM)
      this.#outline(draw);
    this.#marks(draw, dark);
    this.canvas.dataset.cells = cells.length;
    this.canvas.dataset.metric = this.#metric;
    this.canvas.setAttribute('aria-label', `Heat map of ${cells.length} GPUs by ${this.#metric === 'state' ? 'state' : metricOf(this.#metric).label}`);
    this.#drawLegend(range, dark);
  }

  // Cells by colour, so that the colour changes as rarely as possible.
  #fills(dark) {
    const fills = new Map();
    const add = (fill, cell) => fills.get(fill)?.push(cell) ?? fills.set(fill, [cell]);
    const { state } = this.#gpus;
    const ground = STATES.unknown[dark ? 'dark' : 'light'];
    if (this.#metric === 'state') {
      for (const cell of this.#layout.cells)
        add((STATES[state[cell.i]] ?? STATES.unknown)[dark ? 'dark' : 'light'], cell);
      return { fills, range: null };
    }
    const values = this.#gpus.metrics[this.#metric] ?? [];
    const range = rangeOf(this.#metric, values);
    const colors = scale(dark);
    for (const cell of this.#layout.cells) {
      const value = values[cell.i];
      const shown = state[cell.i] !== 'lost' && isKnown(value);
      add(shown ? colors[indexOf(value, range.low, range.high)] : ground, cell);
    }
    return { fills, range };
  }

  // The brightest colour is hardly told from a white ground.
  #outline(draw) {
    const { cells, size } = this.#layout;
    const edges = new Path2D();
    for (const { x, y } of cells)
      edges.rect(x + 0.5, y + 0.5, size - 1, size - 1);
    draw.lineWidth = 1;
    draw.strokeStyle = 'rgb(20 25 34 / .28)';
    draw.stroke(edges);
  }

  // Patterns besides colours: a cross for what is lost, a stroke for what is not known, half a cell for what is held.
  #marks(draw, dark) {
    const { cells, size } = this.#layout;
    const { state, metrics } = this.#gpus;
    const values = this.#metric === 'state' ? null : metrics[this.#metric] ?? [];
    const inset = size >= 12 ? size * 0.28 : 1;
    const crosses = new Path2D();
    const strokes = new Path2D();
    const halves = new Path2D();
    for (const { i, x, y } of cells) {
      if (state[i] === 'lost') {
        crosses.moveTo(x + inset, y + inset);
        crosses.lineTo(x + size - inset, y + size - inset);
        crosses.moveTo(x + size - inset, y + inset);
        crosses.lineTo(x + inset, y + size - inset);
      } else if (values ? !isKnown(values[i]) : state[i] === 'unknown') {
        strokes.moveTo(x + 1, y + size - 1);
        strokes.lineTo(x + size - 1, y + 1);
      } else if (!values && state[i] === 'idle_held' && size >= 8) {
        halves.moveTo(x, y + size);
        halves.lineTo(x + size, y + size);
        halves.lineTo(x + size, y);
      }
    }
    draw.lineWidth = size >= 12 ? 2 : 1.2;
    draw.strokeStyle = values ? STATES.lost[dark ? 'dark' : 'light'] : dark ? '#1b0d0c' : '#ffffff';
    draw.stroke(crosses);
    draw.lineWidth = 1;
    draw.strokeStyle = dark ? '#77839a' : '#8a95a8';
    draw.stroke(strokes);
    draw.fillStyle = dark ? 'rgb(0 0 0 / .35)' : 'rgb(120 70 0 / .35)';
    draw.fill(halves);
  }

  #drawLegend(range, dark) {
    const { state, metrics } = this.#gpus;
    if (range === null) {
      const counts = new Map();
      for (const one of state)
        counts.set(one, (counts.get(one) ?? 0) + 1);
      put(this.legend, STATE_ORDER.filter(name => counts.get(name)).map(name =>
        h('span', { class: 'key' }, h('span', { class: `swatch swatch-${name}`, 'aria-hidden': 'true' }), `${STATES[name].label} `, h('b', {}, counts.get(name).toLocaleString('en')))));
      return;
    }
    const values = metrics[this.#metric] ?? [];
    const lost = state.filter(one => one === 'lost').length;
    const absent = state.filter((one, i) => one !== 'lost' && !isKnown(values[i])).length;
    put(this.legend, metricOf(this.#metric).code ? this.#codes(values, range, dark) : scaleKey(show(this.#metric, range.low), show(this.#metric, range.high)),
      lost > 0 && h('span', { class: 'key' }, h('span', { class: 'swatch swatch-lost-value', 'aria-hidden': 'true' }, '✕'), 'Lost ', h('b', {}, lost.toLocaleString('en'))),
      absent > 0 && h('span', { class: 'key' }, h('span', { class: 'swatch swatch-unknown', 'aria-hidden': 'true' }), 'Not measured ', h('b', {}, absent.toLocaleString('en'))));
  }

  // Between codes there is nothing: each is told by itself, the most frequent first.
  #codes(values, range, dark) {
    const counts = new Map();
    values.forEach((value, i) => isKnown(value) && this.#gpus.state[i] !== 'lost' && counts.set(value, (counts.get(value) ?? 0) + 1));
    const found = [...counts].sort((a, b) => b[1] - a[1]);
    return [
      ...found.slice(0, CODES_SHOWN).map(([value, n]) => {
        const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
        swatch.style.background = scale(dark)[indexOf(value, range.low, range.high)];
        return h('span', { class: 'key' }, swatch, `${show(this.#metric, value)} `, h('b', {}, n.toLocaleString('en')));
      }),
      found.length > CODES_SHOWN && h('span', { class: 'key' }, `and ${found.length - CODES_SHOWN} others`),
    ];
  }

  #cellAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const { size, gap } = this.#layout;
    return this.#layout.cells.find(cell => x >= cell.x - gap / 2 && x < cell.x + size + gap / 2 && y >= cell.y - gap / 2 && y < cell.y + size + gap / 2)?.i ?? -1;
  }

  #point(i, spoken = false) {
    const cell = this.#layout.cells.find(one => one.i === i);
    this.cursor.hidden = !cell;
    this.tip.hidden = !cell;
    this.canvas.style.cursor = cell ? 'pointer' : '';
    this.#shown = cell ? i : -1;
    if (!cell)
      return;
    this.#at = i;
    const { size } = this.#layout;
    this.cursor.style.transform = `translate(${cell.x - 3}px, ${cell.y - 3}px)`;
    this.cursor.style.width = this.cursor.style.height = `${size + 6}px`;
    const { host_id, gpu_id, state, pod } = this.#gpus;
    const value = this.#metric === 'state' ? null : `${metricOf(this.#metric).label} ${show(this.#metric, this.#gpus.metrics[this.#metric]?.[i])}`;
    const age = `${duration(this.#ageOf(i))} ago`;
    put(this.tip, h('b', {}, `${host_id[i]} / ${gpu_id[i]}`), h('span', {}, [value, STATES[state[i]]?.label ?? state[i]].filter(Boolean).join(' · ')),
      h('span', { class: 'quiet' }, [pod[i], age].filter(Boolean).join(' · ')));
    const left = Math.max(0, Math.min(this.#width - this.tip.offsetWidth, cell.x + size / 2 - this.tip.offsetWidth / 2));
    const above = cell.y - this.tip.offsetHeight - 8;
    this.tip.style.transform = `translate(${left}px, ${above < -40 ? cell.y + size + 8 : above}px)`;
    if (spoken)
      setText(this.status, `${host_id[i]}, GPU ${gpu_id[i]}: ${[value, STATES[state[i]]?.label].filter(Boolean).join(', ')}, ${age}`);
  }

  #key(event) {
    const { cells, grid } = this.#layout;
    if (event.key === 'Enter' && this.#at >= 0) {
      this.#open(this.#at);
      return;
    }
    const cell = cells.find(one => one.i === this.#at) ?? cells[0];
    const to = cell && neighbour(event.key, cell, grid, cells);
    if (!to)
      return;
    event.preventDefault();
    this.#point(to.i, true);
  }
}

function neighbour(key, cell, grid, cells) {
  const line = (column, number) => grid.get(lineKey(column, number));
  const own = line(cell.column, cell.line);
  const at = own.indexOf(cell);
  switch (key) {
    case 'ArrowRight': return own[at + 1] ?? line(cell.column + 1, cell.line)?.[0];
    case 'ArrowLeft': return own[at - 1] ?? line(cell.column - 1, cell.line)?.at(-1);
    case 'ArrowDown': return clip(line(cell.column, cell.line + 1) ?? line(cell.column + 1, 0), at);
    case 'ArrowUp': return clip(line(cell.column, cell.line - 1), at);
    case 'Home': return cells[0];
    case 'End': return cells.at(-1);
    default: return null;
  }
}

const clip = (line, at) => line?.[Math.min(at, line.length - 1)];

/** @returns {Block[]} */
function blocksOf(gpus) {
  const blocks = [];
  gpus.host_id.forEach((host, i) => {
    if (blocks.at(-1)?.host !== host)
      blocks.push({ host, cells: [] });
    blocks.at(-1).cells.push(i);
  });
  return blocks;
}

function measure(blocks) {
  const longest = blocks.reduce((text, block) => (block.host.length > text.length ? block.host : text), '');
  return Math.min(170, 10 + 6.7 * Math.min(longest.length, 26));
}

// Where hosts go with cells of a size; several sizes are tried, so that no cell is made here.
function shapeOf(blocks, across, size, width, labelWidth) {
  const gap = size >= 16 ? 3 : size >= 10 ? 2 : 1;
  const pitch = size + gap;
  const labelled = size >= LABELLED_FROM;
  const label = labelled ? labelWidth : 0;
  const between = labelled ? 22 : 6;
  const block = label + across * pitch;
  const linesOf = one => Math.ceil(one.cells.length / across);
  const columns = Math.max(1, Math.min(blocks.length, Math.floor((width + between) / (block + between))));
  const perColumn = Math.ceil(blocks.reduce((sum, one) => sum + linesOf(one), 0) / columns);
  let [column, line, height] = [0, 0, 0];
  const places = blocks.map(one => {
    const own = linesOf(one);
    if (line > 0 && line + own > perColumn && column < columns - 1) {
      column++;
      line = 0;
    }
    const place = { column, line };
    line += own;
    height = Math.max(height, TOP + line * pitch + 2);
    return place;
  });
  return { across, size, gap, pitch, labelled, label, stride: block + between, width, height, places, fits: block <= width };
}

function layoutOf(blocks, { across, size, gap, pitch, labelled, label, stride, width, height, places }) {
  const layout = { cells: [], labels: [], grid: new Map(), size, gap, width, height };
  blocks.forEach(({ host, cells }, n) => {
    const { column, line: first } = places[n];
    const left = column * stride + 2;
    if (labelled)
      layout.labels.push({ text: host.length > 24 ? `${host.slice(0, 11)}…${host.slice(-12)}` : host, x: left, y: TOP + first * pitch + size / 2 });
    for (let from = 0; from < cells.length; from += across) {
      const line = first + from / across;
      const own = cells.slice(from, from + across).map((i, at) => ({ i, column, line, x: left + label + at * pitch, y: TOP + line * pitch }));
      layout.grid.set(lineKey(column, line), own);
      layout.cells.push(...own);
    }
  });
  return layout;
}

const lineKey = (column, line) => column * 65_536 + line;
