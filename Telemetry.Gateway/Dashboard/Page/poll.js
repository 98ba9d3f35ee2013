// Asking again and again, but not while the page is hidden or paused.

import { fleet } from './fleet.js';

/**
 * Runs work now and every so many seconds, until what is returned is called. Work is given a signal that ends with it.
 * @param {number} seconds
 * @param {(signal: AbortSignal) => Promise<void>} work which handles its own errors
 */
export function every(seconds, work) {
  const abort = new AbortController();
  let timer = 0;
  let running = false;

  async function turn() {
    clearTimeout(timer);
    if (running || abort.signal.aborted || document.hidden || fleet.paused)
      return;
    running = true;
    try {
      await work(abort.signal);
    } catch (error) {
      if (error.name !== 'AbortError')
        throw error;
    } finally {
      running = false;
      if (!abort.signal.aborted)
        timer = setTimeout(turn, 1000 * seconds);
    }
  }

  document.addEventListener('visibilitychange', turn);
  fleet.addEventListener('state', turn);
  const first = turn();
  const end = () => {
    abort.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', turn);
    fleet.removeEventListener('state', turn);
  };
  return { end, now: turn, first };
}
