// Fleet: what runs, what does not, and what to look at first.

import { api } from '../api.js';
import { since as secondsSince } from '../clock.js';
import { dayPanel } from '../day.js';
import { h, put, redraw } from '../dom.js';
import { fleet } from '../fleet.js';
import { count, duration, energy, moment, percent, plural, UNKNOWN, watts, isKnown } from '../format.js';
import { HeatMap } from '../heatmap.js';
import { metricOf, show, sorted, title } from '../metrics.js';
import { card, failure, panel, select, severityBadge, showFirstRun, skeleton } from '../parts.js';
import { every } from '../poll.js';
import { change, go, gpuHref, href } from '../router.js';
import { meaning } from '../rules.js';

const FINDINGS_SHOWN = 50;
const LARGE = 2000;

/** Opens the page. @param {HTMLElement} main @param {URLSearchParams} params */
export function open(main, params) {
  const abort = new AbortController();
  let metric = params.get('metric') ?? 'state';
  let judged = false;

  const day = dayPanel();
  const cards = h('div', { class: 'cards', 'aria-label': 'The fleet now' }, Array.from({ length: 11 }, () => h('div', { class: 'card skeleton' })));
  const tools = h('div', { class: 'panel-tools' });
  const map = new HeatMap(i => go(gpuHref(fleet.gpus.host_id[i], fleet.gpus.gpu_id[i])));
  const mapBody = h('div', { class: 'panel-body heat-body' }, skeleton('tall'));
  const findings = h('div', { class: 'panel-body findings' }, skeleton('lines', 6));
  const findingTools = h('div', { class: 'panel-tools' });
  const page = h('div', { class: 'page fleet-page' },
    h('h1', { class: 'hidden' }, 'Fleet'), cards,
    h('div', { class: 'fleet-columns' },
      h('div', { class: 'page' }, panel('GPUs by host', { class: 'map-panel' }, tools, mapBody), day.element),
      panel('Findings', { class: 'findings-panel' }, findingTools, findings)));
  main.append(page);

  function draw() {
    const { gpus } = fleet;
    if (!gpus)
      return;
    if (gpus.total === 0) {
      showFirstRun(page, abort.signal);
      return;
    }
    if (mapBody.firstChild !== map.element)
      put(mapBody, map.element);
    drawTools(gpus);
    map.draw(gpus, metric, i => fleet.age(i));
    if (!judged)
      drawCards(cards, counted(gpus));
  }

  let toolsKey = '';
  function drawTools(gpus) {
    const names = sorted(Object.keys(gpus.metrics));
    const key = `${metric} ${names.join(' ')}`;
    if (key === toolsKey)
      return;
    toolsKey = key;
    if (metric !== 'state' && !names.includes(metric))
      names.unshift(metric);
    redraw(tools, () => put(tools, select('Colour', [{ value: 'state', label: 'State' }, ...names.map(name => ({ value: name, label: title(name) }))], metric, value => change({ metric: value === 'state' ? null : value })),
      h('a', { class: 'quiet-link', href: href('gpus', metric === 'state' ? {} : { sort: `-${metric}` }) }, 'As a table')));
  }

  function failed() {
    if (!fleet.gpus)
      put(mapBody, failure(fleet.error, () => fleet.load()));
  }

  // Of a large fleet there may be thousands of findings.
  const insights = every(() => (fleet.gpus?.total > LARGE ? 30 : 10), async signal => {
    try {
      await fleet.known;
      const answer = await api.insights({}, signal);
      judged = true;
      drawCards(cards, answer.summary);
      drawFindings(findings, findingTools, answer, params.get('kind'));
    } catch (error) {
      if (error.name === 'AbortError')
        throw error;
      put(findings, failure(error, () => insights.now()));
    }
  });

  fleet.addEventListener('change', draw);
  fleet.addEventListener('failure', failed);
  addEventListener('themechange', draw);
  if (fleet.error)
    failed();
  draw();

  return {
    update(next) {
      params = next;
      metric = next.get('metric') ?? 'state';
      draw();
      insights.now();
    },
    end() {
      abort.abort();
      insights.end();
      map.end();
      day.end();
      fleet.removeEventListener('change', draw);
      fleet.removeEventListener('failure', failed);
      removeEventListener('themechange', draw);
    },
  };
}

/** What the table alone tells, for the moment until the gateway's findings come. */
function counted(gpus) {
  const of = name => gpus.state.reduce((n, state) => n + (state === name), 0);
  const power = known(gpus, 'power_w');
  return {
    gpus: gpus.total, reporting: gpus.total - of('lost'), active: of('active'), idle: of('idle'), idle_held: of('idle_held'), lost: of('lost'),
    power_w: power.length > 0 ? power.reduce((sum, value) => sum + value, 0) : null,
  };
}

/** A metric's newest values, of the GPUs that report it. */
const known = (gpus, metric) => (gpus.metrics[metric] ?? []).filter((value, i) => isKnown(value) && gpus.state[i] !== 'lost');

function drawCards(cards, s) {
  const powered = isKnown(s.power_w) && fleet.gpus ? known(fleet.gpus, 'power_w').length : 0;
  const share = n => (isKnown(n) && s.gpus > 0 ? `${percent(n, s.gpus)} of all` : UNKNOWN);
  const state = (label, name, kind) => ({ label, name, value: count(s[name]), note: share(s[name]), kind: s[name] > 0 ? kind : 'calm', to: href('gpus', { state: name }), hint: meaning(name) });
  const finding = (label, name, kind) => ({ label, name, value: count(s[name]), note: s[name] > 0 ? 'see findings' : isKnown(s[name]) ? 'none' : UNKNOWN, kind: s[name] > 0 ? kind : 'calm', to: href('fleet', { kind: name }), hint: meaning(name) });
  redraw(cards, () => put(cards, [
    { label: 'GPUs', name: 'gpus', value: count(s.gpus), note: isKnown(s.allocated) ? `${count(s.allocated)} allocated` : 'allocation not known', to: href('gpus'), hint: 'Every GPU of which a record was ever stored; allocated are those with a pod' },
    { label: 'Reporting', name: 'reporting', value: count(s.reporting), note: share(s.reporting), hint: meaning('reporting') },
    state('Active', 'active', 'active'),
    { label: 'Effective', name: 'effective', value: count(s.effective), note: share(s.effective), hint: meaning('effective') },
    state('Idle, held', 'idle_held', 'warn'),
    state('Idle', 'idle', 'calm'),
    finding('Hot', 'hot', 'bad'),
    finding('Failing', 'failing', 'bad'),
    state('Lost', 'lost', 'bad'),
    { label: 'Power now', name: 'power', ...split(watts(s.power_w)), note: powered > 0 ? `${watts(s.power_w / powered)} a GPU` : UNKNOWN, hint: `Of the ${plural(powered, 'GPU')} that report it` },
    { label: 'Energy, 24 h', name: 'energy', ...split(energy(s.energy_kwh_24h)), note: isKnown(s.energy_kwh_24h) ? 'measured' : UNKNOWN, hint: 'Power times the time for which records stand' },
  ].map(card)));
}

function split(text) {
  const [value, unit] = text.split('\u00a0');
  return { value, unit };
}

function drawFindings(body, tools, { findings, total }, kind) {
  const kinds = new Map();
  for (const finding of findings)
    kinds.set(finding.kind, (kinds.get(finding.kind) ?? 0) + 1);
  const chip = (name, n) => h('a', { class: 'chip', href: href('fleet', { ...rest(), kind: name }), 'aria-current': name === (kind ?? null) ? 'true' : null }, name ? kindWord(name) : 'All', ' ', h('b', {}, count(n)));
  redraw(tools, () => put(tools, h('div', { class: 'chips' }, chip(null, total), [...kinds].map(([name, n]) => chip(name, n)))));
  const shown = kind ? findings.filter(finding => finding.kind === kind) : findings;
  if (shown.length === 0) {
    put(body, h('p', { class: 'all-well' }, h('span', { class: 'mark', 'aria-hidden': 'true' }, '✓'), kind ? `Nothing is ${kindWord(kind)}.` : 'Nothing to look at: every GPU reports, works and is well.'));
    return;
  }
  const scrolled = body.scrollTop;
  const groups = byHost(shown);
  const more = groups.slice(FINDINGS_SHOWN).reduce((sum, group) => sum + group.length, 0);
  redraw(body, () => put(body, h('ol', { class: 'finding-list' }, groups.slice(0, FINDINGS_SHOWN).map(group => (group.length > 1 ? hostItem(group) : findingItem(group[0])))),
    more > 0 && h('p', { class: 'quiet more' }, `${plural(more, 'more finding')}. `, h('a', { href: href('gpus') }, 'All GPUs'))));
  body.scrollTop = scrolled;
}

// A node that is down loses all of its GPUs: that is one thing to look at. In the order of the first of each.
function byHost(findings) {
  const groups = new Map();
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.kind} ${finding.host_id}`;
    groups.get(key)?.push(finding) ?? groups.set(key, [finding]);
  }
  return [...groups.values()];
}

/** Findings of one kind on one host. */
function hostItem(group) {
  const [first] = group;
  const oldest = group.reduce((one, other) => (Date.parse(other.since) < Date.parse(one.since) ? other : one));
  return h('li', { class: `finding finding-${first.severity}`, data: { kind: first.kind, members: group.length } },
    findingHead(first, h('a', { href: href('gpus', { host: first.host_id }) }, first.host_id), oldest),
    h('p', { class: 'finding-gpus' }, h('span', { class: 'quiet' }, `${count(group.length)} GPUs: `), group.map(one => h('a', { href: gpuHref(one.host_id, one.gpu_id), title: one.reason }, one.gpu_id))),
    h('p', {}, h('span', { class: 'quiet' }, `${first.gpu_id}: `), first.reason),
    first.advice && h('p', { class: 'advice' }, first.advice));
}

const kindWord = kind => (kind === 'idle_held' ? 'idle, held' : kind.replaceAll('_', ' '));

function findingHead(finding, name, { since, since_at_least }) {
  return h('div', { class: 'finding-head' }, severityBadge(finding.severity), h('b', { class: 'finding-kind' }, kindWord(finding.kind)), name,
    h('span', { class: 'quiet since', title: moment(since) }, `${since_at_least ? 'for at least' : 'for'} ${duration(secondsSince(since))}`));
}

/** A finding, as the GPU's page shows it too. */
export function findingItem(finding) {
  return h('li', { class: `finding finding-${finding.severity}`, data: { kind: finding.kind } },
    findingHead(finding, h('a', { href: gpuHref(finding.host_id, finding.gpu_id) }, `${finding.host_id} / ${finding.gpu_id}`), finding),
    h('p', {}, finding.reason),
    finding.evidence?.length > 0 && h('p', { class: 'quiet' }, finding.evidence.map(one => `${metricOf(one.metric).label} ${show(one.metric, one.value)}${isKnown(one.threshold) ? `, threshold ${show(one.metric, one.threshold)}` : ''}`).join(' · ')),
    finding.advice && h('p', { class: 'advice' }, finding.advice));
}

function rest() {
  const params = new URLSearchParams(location.hash.split('?')[1] ?? '');
  return { metric: params.get('metric') };
}
