// Making elements. Text becomes text nodes and attributes are set by name, so nothing that comes from data is ever read as HTML.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Makes an element: h('a', {class: 'x', href: '#/', onclick: f, data: {row: 3}}, 'text', child, …).
 * Properties that are null or false are left out, and so are children that are null or false.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...any} children
 * @returns {any}
 */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function s(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** Replaces what is in an element. */
export function put(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/**
 * Draws something anew without moving whoever is in it: the focus and how far tables are scrolled stay.
 * @param {HTMLElement} element @param {() => void} draw
 */
export function redraw(element, draw) {
  const places = [...element.querySelectorAll('.scroll')].filter(one => one.scrollLeft || one.scrollTop).map(one => [one.getAttribute('aria-label'), one.scrollLeft, one.scrollTop]);
  const active = element.contains(document.activeElement) ? document.activeElement : null;
  const same = one => one.tagName === active.tagName && ['href', 'aria-label', 'id'].every(name => one.getAttribute(name) === active.getAttribute(name))
    && (active.hasAttribute('href') || active.hasAttribute('tabindex') || one.textContent === active.textContent);
  draw();
  for (const [label, left, top] of places) {
    const again = [...element.querySelectorAll('.scroll')].find(one => one.getAttribute('aria-label') === label);
    if (again)
      [again.scrollLeft, again.scrollTop] = [left, top];
  }
  if (active && !active.isConnected)
    [...element.querySelectorAll('a, button, select, input, summary, [tabindex]')].find(same)?.focus({ preventScroll: true });
}

/** Sets the text only where it is another one, so that selections and screen readers are left alone. */
export function setText(element, text) {
  if (element.textContent !== text)
    element.textContent = text;
}

/** A class list without the empty ones. */
export const classes = (...names) => names.filter(Boolean).join(' ');

/** Runs f at most once in the given time, the last call wins. */
export function later(f, milliseconds) {
  let timer = 0;
  const call = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...args), milliseconds);
  };
  call.cancel = () => clearTimeout(timer);
  return call;
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false)
      continue;
    if (name.startsWith('on'))
      element.addEventListener(name.slice(2), value);
    else if (name === 'data')
      for (const [key, text] of Object.entries(value)) {
        if (text !== null && text !== undefined)
          element.dataset[key] = text;
      }
    else if (name === 'value' || name === 'checked' || name === 'disabled' || name === 'selected' || name === 'indeterminate')
      element[name] = value;
    else
      element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...flat(children));
  return element;
}

const flat = children => children.flat(4).filter(child => child !== null && child !== undefined && child !== false);
