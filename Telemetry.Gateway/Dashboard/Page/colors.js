// Colours. The scale of values goes from dark blue over grey to yellow: lightness rises evenly, and those who do not tell red
// from green read it the same. States have a colour, a mark and a word, never the colour alone.

import { isDark } from './prefs.js';

/** @typedef {'active'|'idle'|'idle_held'|'lost'|'unknown'} State */

// Points of a blue to yellow path in OKLab (lightness, a, b), evenly apart in lightness.
const PATH = {
  light: [[0.30, -0.015, -0.115], [0.50, -0.012, -0.060], [0.68, -0.010, 0.020], [0.80, -0.002, 0.095], [0.91, 0.000, 0.155]],
  dark: [[0.33, -0.010, -0.105], [0.50, -0.012, -0.060], [0.68, -0.010, 0.020], [0.81, -0.002, 0.095], [0.93, 0.000, 0.150]],
};
const STEPS = 256;
const scales = new Map();

/** 256 colours from low to high. @param {boolean} dark */
export function scale(dark) {
  const key = dark ? 'dark' : 'light';
  if (!scales.has(key))
    scales.set(key, Array.from({ length: STEPS }, (_, i) => colorAt(PATH[key], i / (STEPS - 1))));
  return scales.get(key);
}

/** Which of the 256 colours a value has. */
export function indexOf(value, low, high) {
  const share = (value - low) / (high - low);
  return Math.max(0, Math.min(STEPS - 1, Math.round(share * (STEPS - 1))));
}

/** Black or white, whichever is better to be read on a colour of the scale: at this one both have a contrast of 4.5. */
export const textOn = index => (index > 86 ? '#000000' : '#ffffff');

/** What states are called, their mark, and their colours on light and dark ground. */
export const STATES = {
  active: { label: 'Active', mark: '●', light: '#2563b8', dark: '#5b9bf0' },
  idle: { label: 'Idle', mark: '○', light: '#b6c2d4', dark: '#56627a' },
  idle_held: { label: 'Idle, held', mark: '◐', light: '#e69f00', dark: '#e8a520' },
  lost: { label: 'Lost', mark: '✕', light: '#b3261e', dark: '#f2766c' },
  unknown: { label: 'Unknown', mark: '?', light: '#d8dce4', dark: '#2c3340' },
};

export const STATE_ORDER = ['active', 'idle', 'idle_held', 'unknown', 'lost'];

// Colours of lines, which can be told apart by those who do not tell red from green.
const LINES = {
  dark: ['#6ea8fe', '#f0b429', '#4fd1a5', '#f58f7c', '#c4a7f5', '#8fd3ff', '#e6d96b', '#f3a6d0'],
  light: ['#1f5fb4', '#b36b00', '#00795a', '#c2410c', '#7b4fc9', '#0e7fa8', '#8a7a00', '#b8437f'],
};

/** The colour of line n in the present theme. */
export function lineColor(n) {
  const colors = LINES[isDark() ? 'dark' : 'light'];
  return colors[n % colors.length];
}

function colorAt(path, share) {
  const place = share * (path.length - 1);
  const from = Math.min(path.length - 2, Math.floor(place));
  const part = place - from;
  const mixed = path[from].map((value, i) => value + part * (path[from + 1][i] - value));
  return rgb(mixed);
}

// Björn Ottosson's OKLab to sRGB.
function rgb([lightness, a, b]) {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const n = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * n,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * n,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * n,
  ];
  const byte = value => {
    const gamma = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
    return Math.max(0, Math.min(255, Math.round(255 * gamma)));
  };
  return `rgb(${linear.map(byte).join(' ')})`;
}
