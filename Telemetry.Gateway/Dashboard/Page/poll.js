// Asking again and again, but not while the page is hidden or paused.

import { fleet } from './fleet.js';

/**
 * Runs work now and every so many seconds, until `end`. `now` runs it at once, in the place of a run that has not ended.
 * @param {number|(() => number)} seconds
 * @param {(signal: AbortSignal) => Promise<void>} work which shows its own errors; its signal says that nobody waits any more
 */
export function every(seconds, work) {
  let run = null;
  let timer = 0;
  let ended = false;

  async function turn() {
    clearTimeout(timer);
    run?.abort();
    const mine = run = new AbortController();
    try {
      await work(mine.signal);
    } catch (error) {
      if (error.name !== 'AbortError')
        throw error;
    } finally {
      if (run === mine) {
        run = null;
        if (!ended)
          timer = setTimeout(next, 1000 * (typeof seconds === 'function' ? seconds() : seconds));
      }
    }
  }

  const stopped = () => ended || document.hidden || fleet.paused;
  const next = () => {
    clearTimeout(timer);
    if (!stopped() && run === null)
      turn();
  };
  document.addEventListener('visibilitychange', next);
  fleet.addEventListener('resume', next);
  turn();
  return {
    now: () => ended || turn(),
    end() {
      ended = true;
      clearTimeout(timer);
      run?.abort();
      document.removeEventListener('visibilitychange', next);
      fleet.removeEventListener('resume', next);
    },
  };
}
