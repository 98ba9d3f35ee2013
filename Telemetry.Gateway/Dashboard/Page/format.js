// How figures, sizes and times are written. What is not known is a dash, never 0.

import { zone } from './prefs.js';

export const UNKNOWN = '–';

const plain = [0, 1, 2, 3, 4].map(digits => new Intl.NumberFormat('en', { minimumFractionDigits: 0, maximumFractionDigits: digits }));
const fixed = [0, 1, 2, 3].map(digits => new Intl.NumberFormat('en', { minimumFractionDigits: digits, maximumFractionDigits: digits }));

export const isKnown = value => typeof value === 'number' && Number.isFinite(value);

/** A number with as many digits as its size asks for, or a dash. */
export function number(value, digits) {
  if (!isKnown(value))
    return UNKNOWN;
  if (digits !== undefined)
    return fixed[digits].format(value);
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001)
    return value.toPrecision(2);
  return plain[size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3].format(value);
}

/** A large number in short: 12,345 or 1.23 M. */
export function short(value) {
  if (!isKnown(value))
    return UNKNOWN;
  const size = Math.abs(value);
  for (const [from, letter] of [[1e12, 'T'], [1e9, 'G'], [1e6, 'M']]) {
    if (size >= from)
      return `${number(value / from)} ${letter}`;
  }
  return number(value);
}

/** A count, whole, with separators. */
export const count = value => (isKnown(value) ? plain[0].format(value) : UNKNOWN);

/** A share of 1 in percent. */
export const percent = (part, whole) => (isKnown(part) && whole > 0 ? `${number(100 * part / whole, part === 0 || part === whole ? 0 : 1)} %` : UNKNOWN);

/** A value with its unit, which a space that does not break divides. */
export function quantity(value, unit, digits) {
  if (!isKnown(value))
    return UNKNOWN;
  return unit ? `${number(value, digits)}\u00a0${unit}` : number(value, digits);
}

/** Bytes in binary units. */
export function bytes(value) {
  if (!isKnown(value))
    return UNKNOWN;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${number(value / 2 ** (10 * power))}\u00a0${units[power]}`;
}

/** MiB as GiB or TiB. */
export const mebibytes = value => (isKnown(value) ? bytes(value * 2 ** 20) : UNKNOWN);

/** Watts, in kW or MW where there are many. */
export function watts(value) {
  if (!isKnown(value))
    return UNKNOWN;
  if (value >= 1e6)
    return `${number(value / 1e6)}\u00a0MW`;
  return value >= 1e4 ? `${number(value / 1e3)}\u00a0kW` : `${number(value, 0)}\u00a0W`;
}

/** Kilowatt hours. */
export function energy(value) {
  if (!isKnown(value))
    return UNKNOWN;
  return value >= 1e4 ? `${number(value / 1e3)}\u00a0MWh` : `${number(value, value < 1 ? 2 : undefined)}\u00a0kWh`;
}

/** A duration in its largest unit, or two of them. */
export function duration(seconds) {
  if (!isKnown(seconds))
    return UNKNOWN;
  if (seconds < 10)
    return `${number(Math.max(0, seconds), 1)}\u00a0s`;
  if (seconds < 120)
    return `${Math.round(seconds)}\u00a0s`;
  if (seconds < 7200)
    return `${Math.round(seconds / 60)}\u00a0min`;
  if (seconds < 172800)
    return `${plain[1].format(seconds / 3600)}\u00a0h`;
  return `${plain[1].format(seconds / 86400)}\u00a0d`;
}

const parts = new Map();

function formatter(kind, options) {
  const key = `${kind}/${zone()}`;
  if (!parts.has(key))
    parts.set(key, new Intl.DateTimeFormat('en-GB', { ...options, hourCycle: 'h23', timeZone: zone() === 'utc' ? 'UTC' : undefined }));
  return parts.get(key);
}

/** A time as 24 Nov 2026, 15:04:05. */
export function time(at) {
  const ms = typeof at === 'string' ? Date.parse(at) : at;
  return isKnown(ms)
    ? formatter('time', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(ms)
    : UNKNOWN;
}

/** A time without the year: 24 Nov, 15:04. */
export function moment(at) {
  const ms = typeof at === 'string' ? Date.parse(at) : at;
  return isKnown(ms) ? formatter('moment', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(ms) : UNKNOWN;
}

/** A time that the cursor points at, in a range of so many milliseconds: with the day where there are several. */
export const pointed = (ms, span) => (span > 86400e3 ? moment(ms) : formatter('second', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(ms));

/** A time on an axis that covers so much. */
export function tick(ms, span) {
  if (span > 3 * 86400e3)
    return formatter('day', { day: 'numeric', month: 'short' }).format(ms);
  if (span > 86400e3)
    return moment(ms);
  return span > 300e3
    ? formatter('minute', { hour: '2-digit', minute: '2-digit' }).format(ms)
    : formatter('second', { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(ms);
}

/** How the zone is called. */
export const zoneName = () => (zone() === 'utc' ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone ?? 'local time');

/** Day of the week (0 is Monday) and hour in the zone. */
export function weekHour(at) {
  const date = new Date(at);
  return zone() === 'utc'
    ? { day: (date.getUTCDay() + 6) % 7, hour: date.getUTCHours() }
    : { day: (date.getDay() + 6) % 7, hour: date.getHours() };
}

/** n and the word, in the plural where it is not one. */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
