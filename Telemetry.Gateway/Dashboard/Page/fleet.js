// The fleet as it is now: one table of columns that all pages share. It is asked for as a whole, and kept up to date by the
// live stream where there is one, else by asking again.

import { api } from './api.js';
import { learnTime } from './clock.js';
import { learn } from './metrics.js';
import { learnRules } from './rules.js';
import { LiveStream } from './stream.js';

/** Above so many GPUs the whole table, asked for again, is smaller than every record of the stream. */
const STREAMED_MAX = 2000;

/**
 * The columns of /api/v1/fleet/gpus: entry i of each is GPU i.
 * @typedef {{time: string, total: number, host_id: string[], gpu_id: string[], uuid: (string|null)[], model: (string|null)[],
 *   device: (string|null)[], pod: (string|null)[], namespace: (string|null)[], container: (string|null)[],
 *   age_seconds: number[], state: string[], metrics: Record<string, (number|null)[]>}} Gpus
 */

class Fleet extends EventTarget {
  /** @type {Gpus|null} */
  gpus = null;

  /** live, polling, reconnecting, paused, waiting or failed. */
  state = 'waiting';

  /** Why nothing comes. @type {Error|null} */
  error = null;

  /** Ends when the table has been asked for once: what costs the gateway more comes after it. */
  known = new Promise(resolve => {
    for (const event of ['change', 'failure'])
      this.addEventListener(event, resolve, { once: true });
  });

  /** When something came last, by the page's own clock. */
  heardAt = 0;

  #users = 0;
  #paused = false;
  #timer = 0;
  #abort = new AbortController();
  #index = new Map();
  #loadedAt = [];
  #stream = new LiveStream();
  #changed = false;
  #loading = false;

  constructor() {
    super();
    document.addEventListener('visibilitychange', () => this.#toggle());
    this.#stream.addEventListener('records', event => this.#take(event.detail));
    this.#stream.addEventListener('heartbeat', () => this.#heard());
    this.#stream.addEventListener('state', () => this.#follow());
    this.#stream.addEventListener('gap', () => this.load());
  }

  /** Keeps the table up to date until what is returned is called. */
  use() {
    this.#users++;
    this.#toggle();
    return () => {
      this.#users--;
      this.#toggle();
    };
  }

  get paused() {
    return this.#paused;
  }

  /** Stops or goes on. */
  pause(paused) {
    this.#paused = paused;
    this.#toggle();
    if (!paused)
      this.dispatchEvent(new Event('resume'));
  }

  /** Seconds since GPU i was observed. */
  age(i) {
    return this.gpus.age_seconds[i] + (performance.now() - this.#loadedAt[i]) / 1000;
  }

  /** The row of a GPU, or -1. */
  find(host, gpu) {
    return this.#index.get(`${host}\0${gpu}`) ?? -1;
  }

  /** Asks for the whole table. */
  async load() {
    if (this.#loading)
      return;
    this.#loading = true;
    clearTimeout(this.#timer);
    try {
      const { signal } = this.#abort;
      const [gpus] = await Promise.all([api.gpus({}, signal), ...this.gpus ? [] : [learn(signal), learnRules(signal)]]);
      learnTime(gpus.time);
      this.gpus = gpus;
      this.#index = new Map(gpus.host_id.map((host, i) => [`${host}\0${gpus.gpu_id[i]}`, i]));
      this.#loadedAt = new Array(gpus.total).fill(performance.now());
      this.error = null;
      this.#heard();
      this.#follow();
      this.#announce();
    } catch (error) {
      if (error.name !== 'AbortError') {
        this.error = error;
        this.#say(this.gpus ? 'reconnecting' : 'failed');
        this.dispatchEvent(new Event('failure'));
      }
    } finally {
      this.#loading = false;
      this.#again();
    }
  }

  get #wanted() {
    return this.#users > 0 && !this.#paused && !document.hidden;
  }

  #toggle() {
    if (this.#wanted) {
      if (this.#abort.signal.aborted)
        this.#abort = new AbortController();
      if (!this.#timer && !this.#loading)
        this.load();
      return;
    }
    // A hidden page holds no connection: browsers have six for a server, for all of its tabs.
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#abort.abort();
    this.#stream.close();
    if (this.#paused)
      this.#say('paused');
  }

  // States follow from ages too, and findings from the whole; so everything is asked for now and then, also with a stream.
  #again() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.#wanted)
      return;
    const large = (this.gpus?.total ?? 0) > STREAMED_MAX;
    const seconds = this.error ? 3 : this.#stream.open ? 30 : large ? 10 : 5;
    this.#timer = setTimeout(() => this.load(), 1000 * seconds);
  }

  #follow() {
    if (!this.#wanted)
      return;
    if (this.gpus && this.gpus.total > 0 && this.gpus.total <= STREAMED_MAX)
      this.#stream.start({ interval: this.gpus.total > 200 ? '5s' : '2s' });
    else
      this.#stream.close();
    this.#say(this.error ? 'reconnecting' : this.#stream.open ? 'live' : this.#stream.broken ? 'reconnecting' : 'polling');
    if (!this.#stream.open)
      this.#again();
  }

  #take(records) {
    this.#heard();
    if (!this.gpus)
      return;
    for (const record of records) {
      const i = this.find(record.host_id, record.gpu_id);
      if (i < 0) {
        this.load(); // a GPU that was never seen
        return;
      }
      const { gpus } = this;
      for (const label of ['uuid', 'model', 'device', 'pod', 'namespace', 'container'])
        gpus[label][i] = record[label];
      for (const column of Object.values(gpus.metrics))
        column[i] = null;
      for (const [name, value] of Object.entries(record.metrics)) {
        gpus.metrics[name] ??= new Array(gpus.total).fill(null);
        gpus.metrics[name][i] = value;
      }
      gpus.age_seconds[i] = record.age_seconds;
      gpus.state[i] = record.state;
      this.#loadedAt[i] = performance.now();
    }
    this.#announce();
  }

  #heard() {
    this.heardAt = performance.now();
  }

  // Several answers of a moment are drawn once.
  #announce() {
    if (this.#changed)
      return;
    this.#changed = true;
    requestAnimationFrame(() => {
      this.#changed = false;
      this.dispatchEvent(new Event('change'));
    });
  }

  #say(state) {
    if (state === this.state)
      return;
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }
}

export const fleet = new Fleet();
