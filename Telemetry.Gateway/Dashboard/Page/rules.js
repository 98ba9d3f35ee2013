// When a GPU is idle, hot, failing or lost: the gateway's rules, of which an operator may have changed some.

import { api } from './api.js';
import { number } from './format.js';

let rules = null;

/** Takes what the gateway says of them. */
export async function learnRules(signal) {
  rules = await api.rules(signal);
}

const words = {
  reporting: ({ lost_after }) => `A record within the last ${lost_after}`,
  active: ({ idle }) => `${idle.below_percent} % busy or more`,
  effective: ({ effective_above_percent }) => `More than ${effective_above_percent} % busy`,
  idle: ({ idle }) => `Less than ${idle.below_percent} % busy, and no memory is known to be held: free to be given out`,
  idle_held: ({ idle }) => `Less than ${idle.below_percent} % busy with more than ${idle.held_above_mib} MiB or ${number(100 * idle.held_above_share)} % of its memory in use: somebody pays for it`,
  hot: ({ hot }) => `${hot.temperature_c} °C or more, or ${hot.memory_temperature_c} °C of its memory, for ${hot.for}`,
  failing: ({ failing }) => `An XID of hardware or driver in the last ${failing.window}, or a counter of uncorrectable errors`,
  lost: ({ lost_after }) => `No record for ${lost_after} or more`,
  unknown: () => 'The newest record does not say how busy it is',
};

/** Seconds without a record after which a GPU is lost; null before the rules are known. */
export function lostAfter() {
  const [, figure, unit] = /^([0-9.]+)([smhd])$/.exec(rules?.lost_after ?? '') ?? [];
  return figure ? Number(figure) * { s: 1, m: 60, h: 3600, d: 86400 }[unit] : null;
}

/** What a state, or a figure of the first page, means by the rules in effect; nothing before they are known. */
export const meaning = name => (rules && words[name] ? words[name](rules) : null);
