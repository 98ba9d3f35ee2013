// The live stream of records (server-sent events). The browser connects again by itself; a gateway that refuses the stream is
// asked again a minute later.

const REFUSED = 60_000;

/** Says `records` (detail: the records), `heartbeat`, `gap` and `state`. */
export class LiveStream extends EventTarget {
  /** @type {EventSource|null} */
  #source = null;
  #address = '';

  /** Whether it is connected. */
  open = false;

  /** Whether it was cut and connects again. */
  broken = false;

  // When it was refused; a while later it is asked for again.
  #refusedAt = -Infinity;

  /** Begins, or goes on where it already asks for the same. @param {Record<string, string>} filters */
  start(filters) {
    const address = `api/v1/telemetry/stream?${new URLSearchParams(filters)}`;
    if (performance.now() - this.#refusedAt < REFUSED || (this.#source && address === this.#address))
      return;
    this.close();
    this.#address = address;
    const source = new EventSource(address);
    this.#source = source;
    source.onopen = () => this.#say(source, true, false);
    source.onerror = () => {
      // Closed for good: no such route, or it refused the parameters. Otherwise the browser tries again.
      if (source.readyState === EventSource.CLOSED) {
        this.#refusedAt = performance.now();
        this.#source = null;
        this.#say(null, false, false);
        return;
      }
      this.#say(source, false, true);
    };
    source.addEventListener('records', event => this.dispatchEvent(new CustomEvent('records', { detail: JSON.parse(event.data) })));
    for (const kind of ['heartbeat', 'gap'])
      source.addEventListener(kind, () => this.dispatchEvent(new Event(kind)));
    source.addEventListener('dropped', () => this.dispatchEvent(new Event('gap')));
  }

  /** Ends it. */
  close() {
    this.#source?.close();
    this.#source = null;
    this.open = false;
    this.broken = false;
  }

  #say(source, open, broken) {
    if (source !== this.#source)
      return;
    const changed = this.open !== open || this.broken !== broken || source === null;
    this.open = open;
    this.broken = broken;
    if (changed)
      this.dispatchEvent(new Event('state'));
  }
}
