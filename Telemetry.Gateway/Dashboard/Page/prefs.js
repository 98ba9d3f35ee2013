// What somebody prefers: theme and time zone. Kept by the browser where it may; the page works without.

import { change, parse } from './router.js';

const THEMES = ['auto', 'light', 'dark'];
const zones = new Set(['utc', 'local']);
const memory = new Map();

/** The theme that was chosen: auto, light or dark. */
export const theme = () => (THEMES.includes(read('theme')) ? read('theme') : 'auto');

/** Whether the page is dark now. */
export const isDark = () => theme() === 'dark' || (theme() === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);

/** Chooses the next theme. */
export function nextTheme() {
  write('theme', THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
  applyTheme();
}

/** Puts the theme on the document; whoever draws in colours of their own hears `themechange`. */
export function applyTheme() {
  const root = document.documentElement;
  if (theme() === 'auto')
    delete root.dataset.theme;
  else
    root.dataset.theme = theme();
  dispatchEvent(new Event('themechange'));
}

/** The time zone that times are shown in: that of the address, else what was chosen last, else local. */
export function zone() {
  const said = parse().params.get('tz');
  if (zones.has(said))
    return said;
  return zones.has(read('tz')) ? read('tz') : 'local';
}

/** Chooses the other time zone. It goes into the address, so that who gets it reads the same times. */
export function nextZone() {
  const next = zone() === 'utc' ? 'local' : 'utc';
  write('tz', next);
  change({ tz: next }, true);
}

function read(name) {
  try {
    return localStorage.getItem(`gpu-telemetry.${name}`) ?? memory.get(name);
  } catch {
    return memory.get(name); // storage is switched off
  }
}

function write(name, value) {
  memory.set(name, value);
  try {
    localStorage.setItem(`gpu-telemetry.${name}`, value);
  } catch {
    // Storage is switched off: it is remembered until the page is closed.
  }
}
