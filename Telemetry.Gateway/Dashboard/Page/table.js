// A real table of which only the rows in sight are in the document: ten thousand rows scroll as smoothly as ten.

import { h, put } from './dom.js';

const ROW = 33;
const SPARE = 12;

/**
 * @typedef {{name: string, label: string, number?: boolean, kind?: string, sortable?: boolean, hint?: string}} Column
 * @typedef {{key: string, make: () => HTMLTableCellElement[], kind?: string}} Row
 */

export class VirtualTable {
  /** @type {Row[]} */
  #rows = [];
  #sort = '';
  #first = -1;
  #last = -1;

  /** @param {string} caption @param {Column[]} columns @param {(sort: string) => void} sorted what a click on a heading does */
  constructor(caption, columns, sorted) {
    this.columns = columns;
    this.#heads = columns.map(column => this.#head(column, sorted));
    this.above = h('tr', { class: 'spacer', 'aria-hidden': 'true' }, h('td', { colspan: columns.length }));
    this.below = h('tr', { class: 'spacer', 'aria-hidden': 'true' }, h('td', { colspan: columns.length }));
    this.body = h('tbody');
    this.table = h('table', { class: 'virtual' }, h('caption', { class: 'hidden' }, caption), h('thead', {}, h('tr', { 'aria-rowindex': 1 }, this.#heads)), this.body);
    this.element = h('div', { class: 'virtual-scroll scroll', tabindex: '0', role: 'region', 'aria-label': caption }, this.table);
    this.element.addEventListener('scroll', () => this.#draw(false), { passive: true });
    this.#resized = new ResizeObserver(() => this.#draw(false));
    this.#resized.observe(this.element);
  }

  #heads;

  #resized;

  end() {
    this.#resized.disconnect();
  }

  /** Called after rows were drawn. */
  ondraw = () => {};

  /** Shows rows. @param {Row[]} rows @param {string} sort a column's name, with - in front where the largest is first */
  show(rows, sort) {
    this.#rows = rows;
    this.#sort = sort;
    const name = sort.replace('-', '');
    this.columns.forEach((column, i) => {
      const direction = column.name === name ? (sort.startsWith('-') ? 'descending' : 'ascending') : null;
      if (direction)
        this.#heads[i].setAttribute('aria-sort', direction);
      else
        this.#heads[i].removeAttribute('aria-sort');
    });
    this.table.setAttribute('aria-rowcount', rows.length + 1);
    this.table.dataset.rows = rows.length;
    this.#draw(true);
  }

  #head(column, sorted) {
    const kind = [column.number && 'number', column.kind].filter(Boolean).join(' ');
    if (column.sortable === false)
      return h('th', { scope: 'col', class: kind, title: column.hint }, column.label);
    return h('th', { scope: 'col', class: kind, title: column.hint }, h('button', {
      type: 'button', class: 'sort', onclick: () => {
        // Figures are looked at from the largest on, names from the first on.
        const first = column.number ? `-${column.name}` : column.name;
        const second = column.number ? column.name : `-${column.name}`;
        sorted(this.#sort === first ? second : first);
      },
    }, column.label));
  }

  #draw(always) {
    const height = this.element.clientHeight || innerHeight;
    const top = Math.max(0, this.element.scrollTop);
    const first = Math.max(0, Math.floor(top / ROW) - SPARE);
    const last = Math.min(this.#rows.length, Math.ceil((top + height) / ROW) + SPARE);
    if (!always && first === this.#first && last === this.#last)
      return;
    [this.#first, this.#last] = [first, last];
    const focused = document.activeElement?.closest?.('tr')?.dataset.key;
    const place = focused && [...document.activeElement.closest('tr').querySelectorAll('a, button')].indexOf(document.activeElement);
    this.above.firstChild.style.height = `${first * ROW}px`;
    this.below.firstChild.style.height = `${(this.#rows.length - last) * ROW}px`;
    const drawn = this.#rows.slice(first, last).map((row, i) => h('tr', { class: row.kind, 'aria-rowindex': first + i + 2, data: { key: row.key } }, row.make()));
    put(this.body, first > 0 && this.above, drawn, last < this.#rows.length && this.below);
    if (focused !== undefined && focused !== null) {
      const again = drawn.find(row => row.dataset.key === focused);
      again?.querySelectorAll('a, button')[place]?.focus({ preventScroll: true });
    }
    this.ondraw();
  }
}
