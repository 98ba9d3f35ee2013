// What is known of metrics: how they are called, their unit, order and the range of their colours. Others are shown by name.

import { mebibytes, number, quantity, UNKNOWN, isKnown } from './format.js';
import { api } from './api.js';

/**
 * `code`: its values are codes or bit masks, of which there is no average.
 * @typedef {{name: string, label: string, unit: string, min?: number, max?: number, digits?: number, code?: boolean, hint?: string}} Metric
 */

const known = [
  metric('gpu_utilization', 'Utilization', '%', { min: 0, max: 100, digits: 0, hint: 'Share of time in which a kernel ran' }),
  metric('gr_engine_active', 'Engine active', 'ratio', { min: 0, max: 1, digits: 2, hint: 'Share of time in which the graphics or compute engine worked' }),
  metric('sm_active', 'SM active', 'ratio', { min: 0, max: 1, digits: 2 }),
  metric('sm_occupancy', 'SM occupancy', 'ratio', { min: 0, max: 1, digits: 2 }),
  metric('pipe_tensor_active', 'Tensor cores active', 'ratio', { min: 0, max: 1, digits: 2 }),
  metric('dram_active', 'Memory bandwidth active', 'ratio', { min: 0, max: 1, digits: 2 }),
  metric('memory_utilization', 'Memory bandwidth', '%', { min: 0, max: 100, digits: 0, hint: 'Share of time in which memory was read or written' }),
  metric('memory_used_mb', 'Memory used', 'MiB', { min: 0, digits: 0 }),
  metric('memory_free_mb', 'Memory free', 'MiB', { min: 0, digits: 0 }),
  metric('memory_total_mb', 'Memory', 'MiB', { min: 0, digits: 0 }),
  metric('temperature_c', 'Temperature', '°C', { min: 20, max: 95, digits: 0 }),
  metric('memory_temperature_c', 'Memory temperature', '°C', { min: 20, max: 105, digits: 0 }),
  metric('power_w', 'Power', 'W', { min: 0, digits: 0 }),
  metric('energy_mj', 'Energy counter', 'mJ', { min: 0 }),
  metric('sm_clock_mhz', 'SM clock', 'MHz', { min: 0, digits: 0 }),
  metric('memory_clock_mhz', 'Memory clock', 'MHz', { min: 0, digits: 0 }),
  metric('clock_event_reasons', 'Clock event reasons', '', { digits: 0, code: true, hint: 'A bit mask: why clocks are lowered' }),
  metric('pcie_tx_bytes', 'PCIe sent', 'B/s', { min: 0 }),
  metric('pcie_rx_bytes', 'PCIe received', 'B/s', { min: 0 }),
  metric('ecc_sbe', 'ECC errors, corrected', '', { digits: 0, hint: 'Since the driver was loaded' }),
  metric('ecc_dbe', 'ECC errors, uncorrected', '', { digits: 0, hint: 'Since the driver was loaded' }),
  metric('xid', 'XID', '', { digits: 0, code: true, hint: 'The code of the last error of the driver' }),
  metric('pcie_replays', 'PCIe replays', '', { digits: 0 }),
  metric('encoder_utilization', 'Encoder', '%', { min: 0, max: 100, digits: 0 }),
  metric('decoder_utilization', 'Decoder', '%', { min: 0, max: 100, digits: 0 }),
];

const byName = new Map(known.map((one, order) => [one.name, { ...one, order }]));

/** A metric by name. @returns {Metric & {order: number}} */
export function metricOf(name) {
  const own = byName.get(name);
  if (own)
    return own;
  const made = { name, label: name.replaceAll('_', ' ').replace(/^./, first => first.toUpperCase()), unit: '', order: 1000 };
  byName.set(name, made);
  return made;
}

/** Names in the order in which people look at them. */
export const sorted = names => [...names].sort((a, b) => metricOf(a).order - metricOf(b).order || (a < b ? -1 : a > b ? 1 : 0));

/** A value of a metric with its unit. */
export function show(name, value) {
  if (!isKnown(value))
    return UNKNOWN;
  const { unit, digits } = metricOf(name);
  if (unit === 'MiB')
    return mebibytes(value);
  if (unit === 'ratio')
    return number(value, digits);
  if (name === 'clock_event_reasons' && Number.isInteger(value))
    return reasons(value);
  return quantity(value, unit, digits);
}

// The bits of NVML's clocks event reasons.
const REASONS = ['GPU idle', 'application clocks', 'power cap', 'hardware slowdown', 'sync boost', 'thermal (software)', 'thermal (hardware)', 'power brake', 'display clocks'];

const reasons = mask => (mask === 0 ? 'none' : REASONS.filter((_, bit) => mask & 2 ** bit).join(', ') || number(mask));

/** Label and unit: Power (W). */
export function title(name) {
  const { label, unit } = metricOf(name);
  return unit && unit !== 'ratio' ? `${label} (${unit})` : label;
}

/** Takes what the gateway says of metrics: units and descriptions of those that are not known here. */
export async function learn(signal) {
  const { data } = await api.metrics(signal);
  for (const { name, unit, description } of data) {
    const one = metricOf(name);
    byName.set(name, { ...one, unit: one.unit || (one.order === 1000 ? unit ?? '' : one.unit), hint: one.hint ?? description ?? undefined });
  }
}

/**
 * How an axis of a metric is written: the ends where they are given, the distance of its lines where that is to be round in
 * other units than the values', and its labels.
 */
export function axisOf(name, highest) {
  const { unit, min, max, digits } = metricOf(name);
  const axis = { low: min === 0 ? 0 : undefined, high: max === 100 || max === 1 ? max : undefined, unit: unit === 'ratio' ? '' : unit, format: value => number(value), least: digits === 0 ? 1 : undefined };
  if (axis.high !== undefined)
    return { ...axis, interval: axis.high / 4 };
  if (unit === 'MiB' && highest >= 2048) {
    const interval = 1024 * Math.max(1, nice(highest / 1024 / 4));
    return { ...axis, high: interval * Math.ceil(highest / interval), unit: 'GiB', interval, format: value => number(value / 1024) };
  }
  return axis;
}

/** The ends of a metric's colours: its own range, or that of the values. */
export function rangeOf(name, values) {
  const { min, max } = metricOf(name);
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (isKnown(value)) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high)
    return { low: min ?? 0, high: max ?? 1 };
  low = Math.min(low, min ?? low);
  high = Math.max(high, max ?? nice(high));
  return low === high ? { low: low - 1, high: high + 1 } : { low, high };
}

function nice(value) {
  if (value <= 0)
    return value;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map(step => step * power).find(step => step >= value) ?? value;
}

function metric(name, label, unit, more = {}) {
  return { name, label, unit, ...more };
}
