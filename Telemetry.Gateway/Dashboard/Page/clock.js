// The gateway's time: ages and ranges go by it, since the clock of who looks may be wrong.

const NOTICED = 2000;

let ahead = 0;

/** Takes the time of an answer. @param {string} time as the gateway writes it */
export function learnTime(time) {
  const by = Date.parse(time) - Date.now();
  ahead = Math.abs(by) > NOTICED ? by : 0;
}

/** Now, in milliseconds. */
export const now = () => Date.now() + ahead;

/** Seconds since a time. @param {string} time */
export const since = time => Math.max(0, (now() - Date.parse(time)) / 1000);
