// Asking the gateway. Addresses are relative to the page, so that a path prefix does no harm.

/** An error answer, or none at all. */
class ApiError extends Error {
  /** @param {string} message @param {number} status 0 where there was no answer */
  constructor(message, status = 0, title = '') {
    super(message);
    this.status = status;
    this.title = title;
  }
}

/**
 * Gets JSON. Parameters that are null are left out.
 * @param {string} path such as 'api/v1/telemetry/hosts'
 * @param {Record<string, any>} [params]
 * @param {AbortSignal} [signal]
 */
export async function get(path, params = {}, signal) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== '')
      query.set(name, value);
  }
  const text = query.toString();
  let response;
  try {
    response = await fetch(text ? `${path}?${text}` : path, { signal, headers: { accept: 'application/json' } });
  } catch (error) {
    if (error.name === 'AbortError')
      throw error;
    throw new ApiError('The gateway does not answer. Is it running, and is the network there?', 0, 'No answer');
  }
  if (response.ok)
    return response.json();
  throw await errorOf(response);
}

async function errorOf(response) {
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('json')) {
    const problem = await response.json();
    // Prometheus's envelope has its text in `error`.
    return new ApiError(problem.detail ?? problem.error ?? problem.title ?? response.statusText, response.status, problem.title ?? '');
  }
  return new ApiError(`The gateway answered ${response.status} ${response.statusText}`.trim(), response.status, 'Error');
}

const v1 = 'api/v1';
const gpuPath = (host, gpu) => `${v1}/telemetry/hosts/${encodeURIComponent(host)}/gpus/${encodeURIComponent(gpu)}`;

/** The routes that the pages use. */
export const api = {
  health: signal => get('health', {}, signal),
  hosts: signal => get(`${v1}/telemetry/hosts`, {}, signal),
  metrics: signal => get(`${v1}/metrics`, {}, signal),
  gpus: (params, signal) => get(`${v1}/fleet/gpus`, params, signal),
  rules: signal => get(`${v1}/fleet/rules`, {}, signal),
  insights: (params, signal) => get(`${v1}/fleet/insights`, params, signal),
  usage: (params, signal) => get(`${v1}/fleet/usage`, params, signal),
  series: (params, signal) => get(`${v1}/telemetry/series`, params, signal),
  queryRange: (params, signal) => get('prometheus/api/v1/query_range', params, signal),
  events: (host, gpu, params, signal) => get(`${gpuPath(host, gpu)}/events`, params, signal),
  labels: (host, gpu, signal) => get(`${gpuPath(host, gpu)}/labels`, {}, signal),
  pipeline: signal => get(`${v1}/pipeline`, {}, signal),
  pipelineHistory: (params, signal) => get(`${v1}/pipeline/history`, params, signal),
  summary: signal => get(`${v1}/stats/summary`, {}, signal),
};

/** The address of the records of a GPU in a range, as a file. */
export const exportOf = (host, gpu, from, to) => `${v1}/telemetry/export?${new URLSearchParams({ format: 'csv', host_id: host, gpu_id: gpu, start_time: new Date(from).toISOString(), end_time: new Date(to).toISOString() })}`;

/** Runs what it is given, so many at a time: in order, or the newest first, where that is what somebody looks at. */
export class Pool {
  #waiting = [];
  #running = 0;

  /** @param {number} size @param {boolean} [newestFirst] */
  constructor(size, newestFirst = false) {
    this.size = size;
    this.newestFirst = newestFirst;
  }

  /** @template T @param {() => Promise<T>} work @returns {Promise<T>} */
  run(work) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      this.#next();
    });
  }

  /** Forgets what has not begun. */
  clear() {
    for (const { reject } of this.#waiting.splice(0))
      reject(new DOMException('no longer needed', 'AbortError'));
  }

  #next() {
    if (this.#running >= this.size || this.#waiting.length === 0)
      return;
    const { work, resolve, reject } = this.newestFirst ? this.#waiting.pop() : this.#waiting.shift();
    this.#running++;
    work().then(resolve, reject).finally(() => {
      this.#running--;
      this.#next();
    });
  }
}
