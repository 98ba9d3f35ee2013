// The frame: tabs, theme, time zone, the live indicator, and the page that the address names.

import { h, put, setText } from './dom.js';
import { duration } from './format.js';
import { fleet } from './fleet.js';
import { failure, notice } from './parts.js';
import { applyTheme, isDark, nextTheme, nextZone, theme, zone } from './prefs.js';
import { href, parse } from './router.js';

/** The pages: their name in the address, title and module. `gpu` is reached from the others. */
const PAGES = {
  fleet: { title: 'Fleet', load: () => import('./pages/fleet.js') },
  gpus: { title: 'GPUs', load: () => import('./pages/gpus.js') },
  gpu: { title: 'GPU', tab: 'gpus', load: () => import('./pages/gpu.js') },
  explore: { title: 'Explore', load: () => import('./pages/explore.js') },
  usage: { title: 'Usage', load: () => import('./pages/usage.js') },
  pipeline: { title: 'Pipeline', load: () => import('./pages/pipeline.js') },
};

const main = document.getElementById('main');
const tabs = document.getElementById('tabs');
const live = document.getElementById('live');
const status = document.getElementById('live-status');

/** The page that is shown: what changes with the address, and what ends it. @type {{name: string, update?: Function, end?: Function}|null} */
let shown = null;
let zoneShown = zone();
let turn = 0;

async function route() {
  const view = parse();
  if (location.hash === '#main')
    return;
  const page = PAGES[view.page];
  drawFrame(view);
  // The same page with other parameters changes in place, unless all of its times are written anew.
  if (shown?.name === view.page && shown.update && zone() === zoneShown) {
    shown.update(view.params);
    return;
  }
  const mine = ++turn;
  zoneShown = zone();
  const moved = shown !== null && shown.name !== view.page;
  shown?.end?.();
  shown = null;
  if (!page) {
    document.title = 'Not found – GPU telemetry';
    put(main, notice('There is no such page', `The address names “${view.page}”. Pages are ${Object.keys(PAGES).join(', ')}.`, h('p', {}, h('a', { href: href('fleet') }, 'Go to the fleet'))));
    return;
  }
  document.title = `${page.title} – GPU telemetry`;
  main.dataset.page = view.page;
  let module;
  try {
    module = await page.load();
  } catch (error) {
    // A browser does not ask again for a module that it once failed to get, so the whole page is asked for.
    if (mine === turn)
      put(main, failure(error, () => location.reload()));
    return;
  }
  if (mine !== turn)
    return;
  put(main);
  shown = { name: view.page, ...module.open(main, parse().params) };
  if (moved) {
    scrollTo(0, 0);
    main.focus({ preventScroll: true });
  }
}

function reopen() {
  shown?.end?.();
  shown = null;
  route();
}

function drawFrame(view) {
  const current = PAGES[view.page]?.tab ?? view.page;
  put(tabs, Object.entries(PAGES).filter(([, page]) => !page.tab).map(([name, page]) =>
    h('a', { href: href(name), 'aria-current': name === current ? 'page' : null }, page.title)));
  const zoneButton = document.getElementById('tz');
  setText(zoneButton, zone() === 'utc' ? 'UTC' : 'Local');
  zoneButton.title = zone() === 'utc' ? 'Times are in UTC. Show local time' : 'Times are local. Show UTC';
  document.querySelector('.brand').href = href('fleet');
  const themeButton = document.getElementById('theme');
  setText(themeButton, { auto: '◑', light: '☀', dark: '☾' }[theme()]);
  themeButton.title = `Theme: ${theme()}. Change it`;
  themeButton.setAttribute('aria-label', themeButton.title);
  document.documentElement.dataset.dark = String(isDark());
}

const WORDS = { live: 'live', polling: 'live', reconnecting: 'reconnecting', paused: 'paused', waiting: 'connecting', failed: 'no answer' };

function drawLive() {
  const word = WORDS[fleet.state];
  live.dataset.state = fleet.state;
  const age = (performance.now() - fleet.heardAt) / 1000;
  const old = fleet.heardAt > 0 && (age >= 2 || fleet.state === 'paused');
  setText(document.getElementById('live-text'), old ? `${word} · ${duration(Math.floor(age))} ago`.replace('.0', '') : word);
  live.title = fleet.paused ? 'Paused. Go on' : fleet.state === 'live' ? 'Records arrive as they are written. Pause' : 'The newest figures are asked for every few seconds. Pause';
  live.setAttribute('aria-pressed', String(fleet.paused));
  setText(status, `Data: ${word}`);
}

// A slash finds a GPU, wherever one is.
document.addEventListener('keydown', async event => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.('input, select, textarea'))
    return;
  event.preventDefault();
  if (shown?.name !== 'gpus')
    location.hash = href('gpus');
  await PAGES.gpus.load();
  requestAnimationFrame(() => main.querySelector('input[type=search]')?.focus());
});

live.addEventListener('click', () => fleet.pause(!fleet.paused));
document.getElementById('theme').addEventListener('click', () => {
  nextTheme();
  drawFrame(parse());
});
document.getElementById('tz').addEventListener('click', nextZone);
document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  main.focus();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  applyTheme();
  drawFrame(parse());
});
addEventListener('hashchange', route);
fleet.addEventListener('state', drawLive);
fleet.addEventListener('change', drawLive);
// What a page says of a store that is empty, or of a GPU that is not there, holds until something comes.
let wasEmpty = false;
fleet.addEventListener('change', () => {
  const isEmpty = fleet.gpus.total === 0;
  if (wasEmpty && !isEmpty)
    reopen();
  wasEmpty = isEmpty;
});
addEventListener('reopen', reopen);
setInterval(drawLive, 1000);
applyTheme();
fleet.use();
drawLive();
route();
