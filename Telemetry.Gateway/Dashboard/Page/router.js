// The address: #/page?name=value. All of a view's state is in it, so that any view can be shared, and back and forward work.

/** @typedef {{page: string, params: URLSearchParams}} View */

/** Reads an address' hash. @returns {View} */
export function parse(hash = location.hash) {
  const text = hash.replace(/^#\/?/, '');
  const at = text.indexOf('?');
  const page = at < 0 ? text : text.slice(0, at);
  return { page: page || 'fleet', params: new URLSearchParams(at < 0 ? '' : text.slice(at + 1)) };
}

/**
 * The address of a view. Values that are null or empty are left out; the time zone stays where the address says it.
 * @param {string} page
 * @param {Record<string, any>|URLSearchParams} [params]
 */
export function href(page, params = {}) {
  const query = new URLSearchParams();
  const entries = params instanceof URLSearchParams ? params.entries() : Object.entries(params);
  for (const [name, value] of entries) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '' && one !== false)
        query.append(name, one === true ? '1' : one);
    }
  }
  const zone = parse().params.get('tz');
  if (zone && !query.has('tz'))
    query.set('tz', zone);
  const text = query.toString();
  return `#/${page}${text ? `?${text}` : ''}`;
}

/** The address of a GPU's page. */
export const gpuHref = (host, gpu, more = {}) => href('gpu', { host, gpu, ...more });

/** Goes to an address; replacing it leaves no step in the history, for what changes while one types. */
export function go(address, replace = false) {
  if (address === location.hash)
    return;
  if (replace) {
    history.replaceState(null, '', address);
    dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = address;
  }
}

/** Changes some parameters of the present view; null removes one. */
export function change(changes, replace = false) {
  const { page, params } = parse();
  for (const [name, value] of Object.entries(changes)) {
    params.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== null && one !== undefined && one !== '' && one !== false)
        params.append(name, one === true ? '1' : one);
    }
  }
  go(href(page, params), replace);
}
