// Pipeline: streamers → queue → collectors → store, and whether each keeps up.

import { api } from '../api.js';
import { since } from '../clock.js';
import { h, put, redraw } from '../dom.js';
import { bytes, count, duration, isKnown, number, plural, short, time, UNKNOWN } from '../format.js';
import { lagPanel } from '../lag.js';
import { failure, panel, skeleton } from '../parts.js';
import { every } from '../poll.js';
import { lostAfter } from '../rules.js';
import { sparkline } from '../sparkline.js';

const EVERY = 2;
const KEPT = 300;
const RECENT = 86400;

/** Opens the page. @param {HTMLElement} main @param {URLSearchParams} params */
export function open(main, params) {
  const opened = Date.now();
  const chain = h('ol', { class: 'chain', 'aria-label': 'The way of a record' }, Array.from({ length: 4 }, () => h('li', { class: 'stage' }, skeleton('rows', 5))));
  const lag = lagPanel(params);
  const rest = h('div', { class: 'page' });
  main.append(h('div', { class: 'page pipeline-page' }, h('h1', { class: 'hidden' }, 'Pipeline'), chain, lag.element, rest));
  const seen = new Seen();
  let values = null; // of a record, on average

  const counting = every(60, async signal => {
    const { rows, metrics } = await api.summary(signal).catch(error => {
      if (error.name === 'AbortError')
        throw error;
      return { rows: 0, metrics: {} }; // the pipeline's own answer says what is wrong
    });
    values = rows > 0 ? Object.values(metrics).reduce((sum, metric) => sum + metric.count, 0) / rows : null;
    polling.now();
  });
  const polling = every(EVERY, async signal => {
    try {
      const pipeline = await api.pipeline(signal);
      seen.add(pipeline);
      put(chain, stages(pipeline, seen, opened, values));
      redraw(rest, () => drawRest(rest, pipeline));
    } catch (error) {
      if (error.name === 'AbortError')
        throw error;
      put(rest, failure(error, () => polling.now()));
    }
  });
  return { update: next => lag.update(next), end: () => {
    polling.end();
    counting.end();
    lag.end();
  } };
}

/** What was seen since the page was opened, every two seconds: finer than the queue's own history. */
class Seen {
  #lines = new Map();
  #before = null;

  add({ queue, store }) {
    const at = Date.now();
    const now = { at, rows: store.rows, appended: queue?.reachable ? sum(queue.topics.flatMap(topic => topic.partitions), one => one.high_watermark) : null };
    const seconds = this.#before ? (at - this.#before.at) / 1000 : 0;
    if (seconds > 0 && seconds < 5 * EVERY) {
      this.#put('written', at, rate(now.rows - this.#before.rows, seconds));
      if (now.appended !== null && this.#before.appended !== null)
        this.#put('appended', at, rate(now.appended - this.#before.appended, seconds));
    }
    if (isKnown(store.lag_records))
      this.#put('lag', at, store.lag_records);
    if (queue?.reachable)
      this.#put('seconds', at, consumers(queue).length > 0 ? Math.max(...consumers(queue).map(group => group.lag_seconds)) : null);
    this.#before = now;
  }

  /** The values of a name, oldest first. @returns {[number, number][]} */
  of(name) {
    return this.#lines.get(name) ?? [];
  }

  #put(name, at, value) {
    if (value === null)
      return;
    const line = this.#lines.get(name) ?? [];
    this.#lines.set(name, [...line, [at, value]].slice(-KEPT));
  }
}

// A smaller count is another store or log, and no rate.
const rate = (difference, seconds) => (difference < 0 ? null : difference / seconds);
const sum = (list, f) => list.reduce((all, one) => all + f(one), 0);
const consumers = queue => queue.groups.filter(group => !group.divides_input);
const readers = queue => queue.groups.filter(group => group.divides_input);

function stages({ queue, store }, seen, opened, values) {
  const age = store.newest_record_at ? since(store.newest_record_at) : null;
  const old = isKnown(age) && age > (lostAfter() ?? Infinity);
  const spark = (name, label, unit) => {
    const points = seen.of(name);
    const high = Math.max(1, ...points.map(([, value]) => value));
    return h('div', { class: 'stage-spark' }, h('span', { class: 'quiet' }, `${label} since ${time(opened).slice(-8)}`),
      points.length > 1 ? sparkline(points, { from: Math.min(opened, points[0][0]), to: Date.now(), low: 0, high: 1.15 * high, gap: 3000 * EVERY, label: `${label}, now ${number(points.at(-1)[1])} ${unit}, at most ${number(high)}` }) : h('span', { class: 'spark quiet' }, 'collecting …'));
  };
  return [
    streamersStage(queue, spark), queueStage(queue, store, spark), collectorsStage(queue, store, spark),
    stage('Store', store.state === 'ready' ? (old ? 'warn' : 'good') : 'bad', store.state === 'ready' ? (old ? 'nothing new' : 'ready') : 'no collector has made it yet', [
      ['Records', count(store.rows), 'rows'], ['Written', perSecond(seen.of('written').at(-1)?.[1])], ['Newest record', isKnown(age) ? `${duration(age)} old` : UNKNOWN, 'freshness'],
      ['Size', bytes(store.database_bytes)], ['Bytes a sample', sampleBytes(store, values), 'bytes-per-sample', 'Of the compressed history with the roll-ups of its minutes; a sample is a value of a metric'], ['Lag', isKnown(store.lag_records) ? plural(store.lag_records, 'record') : UNKNOWN],
    ], spark('written', 'Records written', 'a second')),
  ];
}

const perSecond = value => (isKnown(value) ? `${number(value)}\u00a0/s` : UNKNOWN);
const sampleBytes = ({ history }, values) => (history.rows > 0 && values > 0 ? number(history.bytes / history.rows / values) : UNKNOWN);

function noQueue(name, queue) {
  return queue
    ? stage(name, 'bad', 'queue not reachable', [], h('p', { class: 'quiet' }, queue.reason ?? 'No reason is known.'))
    : stage(name, 'off', 'not known', [], h('p', { class: 'quiet' }, 'No queue is configured. Start the gateway with ', h('code', {}, '--messagequeue-addr'), ' to see it.'));
}

function streamersStage(queue, spark) {
  if (!queue?.reachable)
    return noQueue('Streamers', queue);
  const members = sum(readers(queue), group => group.members.length);
  const free = sum(readers(queue), group => group.shards.filter(shard => shard.member_id === null).length);
  return stage('Streamers', members > 0 ? 'good' : 'warn', members > 0 ? 'sending' : 'none is connected', [
    ['Connected', count(members), 'streamers'], ['Inputs', count(readers(queue).length)], ['Shards', count(sum(readers(queue), group => group.shards.length))], ['Shards without owner', count(free)],
    ['Sent', perSecond(sum(queue.topics, topic => topic.appended_per_second))],
  ], spark('appended', 'Records appended', 'a second'));
}

// Counts of what was lost stay for ever; a warning is for what is new.
const isRecent = gap => since(gap.detected_at) < RECENT;

function queueStage(queue, store, spark) {
  if (!queue?.reachable)
    return noQueue('Queue', queue);
  const partitions = queue.topics.flatMap(topic => topic.partitions);
  const expired = sum(partitions, one => one.expired_unread);
  const expiring = store.gaps.some(gap => gap.reason === 'expired' && isRecent(gap));
  return stage('Queue', expiring ? 'warn' : queue.topics.length > 0 ? 'good' : 'warn', expiring ? 'records expired unread' : queue.topics.length > 0 ? 'reachable' : 'no topic yet', [
    ['Held', short(sum(queue.topics, topic => topic.records)), 'held'], ['Size', bytes(sum(queue.topics, topic => topic.bytes))], ['Topics', count(queue.topics.length)], ['Partitions', count(partitions.length)],
    ['Expired unread', count(expired)],
  ], spark('seconds', 'Seconds behind', 'seconds'));
}

function collectorsStage(queue, store, spark) {
  if (!queue?.reachable)
    return noQueue('Collectors', queue);
  const groups = consumers(queue);
  const members = sum(groups, group => group.members.length);
  const paused = groups.some(group => group.paused);
  const gaps = sum(groups.flatMap(group => group.shards), shard => shard.gap_records);
  const letters = sum(store.dead_letters, letter => letter.records);
  const missing = store.gaps.some(isRecent);
  const kind = paused ? 'warn' : members === 0 ? 'bad' : missing ? 'warn' : 'good';
  return stage('Collectors', kind, paused ? 'paused' : members === 0 ? 'none is connected' : missing ? 'new gaps' : 'reading', [
    ['Connected', count(members), 'collectors'], ['Lag', groups.length > 0 ? plural(sum(groups, group => group.lag_records), 'record') : UNKNOWN, 'lag'], ['Behind', groups.length > 0 ? duration(Math.max(...groups.map(group => group.lag_seconds))) : UNKNOWN],
    ['Gaps', plural(gaps, 'record')], ['Dead letters', plural(letters, 'record')],
  ], spark('lag', 'Lag of the store', 'records'));
}

function stage(name, kind, word, facts, ...more) {
  const mark = { good: '✓', warn: '!', bad: '✕', off: '–' }[kind];
  return h('li', { class: `stage stage-${kind}`, data: { stage: name.toLowerCase() } },
    h('header', {}, h('h2', {}, name), h('span', { class: 'stage-state' }, h('span', { class: 'mark', 'aria-hidden': 'true' }, mark), word)),
    facts.length > 0 && h('dl', {}, facts.map(([label, value, key, hint]) => h('div', { title: hint, data: { fact: key } }, h('dt', {}, label), h('dd', {}, value)))), ...more);
}

function drawRest(rest, { queue, store }) {
  const open = new Set([...rest.querySelectorAll('details[open]')].map(one => one.dataset.name));
  const details = (name, summary, ...children) => h('details', { data: { name }, open: open.has(name) }, h('summary', {}, summary), ...children);
  put(rest, queue?.reachable && topicsPanel(queue.topics), queue?.reachable && queue.groups.map(group => groupPanel(group, details)), checkpointsPanel(store),
    h('div', { class: 'two' }, gapsPanel(store), lettersPanel(store)));
}

const num = (...children) => h('td', { class: 'number' }, ...children);

function tablePanel(name, tools, heads, rows, empty) {
  return panel(name, {}, tools, rows.length === 0 ? h('p', { class: 'panel-body quiet' }, empty) : h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': name }, h('table', {},
    h('thead', {}, h('tr', {}, heads.map(([text, number]) => h('th', { scope: 'col', class: number ? 'number' : null }, text)))), h('tbody', {}, rows))));
}

function topicsPanel(topics) {
  return topics.length === 0 ? tablePanel('Topics', null, [], [], 'The queue has no topic yet: no streamer has sent anything.') : topics.map(topic => tablePanel(`Topic ${topic.topic}`,
    h('span', { class: 'quiet' }, `${plural(topic.records, 'record')}, ${bytes(topic.bytes)}, ${perSecond(topic.appended_per_second)}`),
    [['Partition'], ['Log start', 1], ['High watermark', 1], ['Records', 1], ['Size', 1], ['Rate', 1], ['Last append', 1], ['Expired unread', 1], ['Log epoch', 1]],
    topic.partitions.map(one => h('tr', {}, h('th', { scope: 'row' }, String(one.partition)), num(count(one.log_start_offset)), num(count(one.high_watermark)), num(count(one.high_watermark - one.log_start_offset)), num(bytes(one.bytes)),
      num(perSecond(one.appended_per_second)), num(ago(one.last_append_at)), num(count(one.expired_unread)), num(count(one.log_epoch)))), ''));
}

const ago = at => (at ? h('time', { datetime: at, title: time(at) }, `${duration(since(at))} ago`) : 'never');

function groupPanel(group, details) {
  const clients = new Map(group.members.map(member => [member.member_id, member.client]));
  const lag = !group.divides_input;
  const most = Math.max(1, ...group.shards.map(shard => shard.lag_records));
  const lagCell = shard => {
    const fill = h('span', { class: 'lag-fill' });
    fill.style.width = `${100 * shard.lag_records / most}%`;
    return num(h('span', { class: 'lag' }, fill, h('span', {}, count(shard.lag_records))));
  };
  const rows = group.shards.map(shard => h('tr', {}, h('th', { scope: 'row' }, String(shard.shard)), h('td', {}, shard.member_id === null ? h('span', { class: 'severity-warning' }, 'no owner') : clients.get(shard.member_id) ?? shard.member_id),
    num(count(shard.committed_offset)), num(ago(shard.committed_at)), lag && lagCell(shard), lag && num(duration(shard.lag_seconds)), lag && num(count(shard.gap_records))));
  const heads = [[lag ? 'Partition' : 'Shard'], ['Member'], ['Committed', 1], ['When', 1], ...lag ? [['Lag', 1], ['Behind', 1], ['Gap', 1]] : []];
  const tools = h('span', { class: 'quiet' }, [group.paused && 'paused', `${plural(group.members.length, 'member')}, generation ${count(group.generation)}`, lag && `lag ${plural(group.lag_records, 'record')}, ${duration(group.lag_seconds)}`].filter(Boolean).join(' · '));
  const table = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Partitions of ${group.group}` }, h('table', {}, h('thead', {}, h('tr', {}, heads.map(([text, number]) => h('th', { scope: 'col', class: number ? 'number' : null }, text)))), h('tbody', {}, rows)));
  const members = h('p', { class: 'panel-body quiet members' }, group.members.length === 0 ? 'No members.' : group.members.map(member => h('span', { title: member.member_id }, h('b', {}, member.client), member.joined_at && ` since ${time(member.joined_at)}`)));
  // An input has many shards, which one rarely looks at.
  return panel(`Group ${group.group}`, {}, tools, members, lag ? table : details(group.group, `${plural(group.shards.length, 'shard')} of the input`, table));
}

function checkpointsPanel(store) {
  return tablePanel('Checkpoints of the store', h('span', { class: 'quiet' }, 'how far it has read'), [['Topic'], ['Partition', 1], ['Next offset', 1], ['Lag', 1], ['Collector'], ['Written', 1], ['Log epoch', 1]],
    store.checkpoints.map(one => h('tr', {}, h('th', { scope: 'row' }, one.topic), num(count(one.partition)), num(count(one.next_offset)), num(count(one.lag_records)), h('td', {}, one.owner), num(ago(one.updated_at)), num(count(one.log_epoch)))),
    store.state === 'ready' ? 'No collector has read anything yet.' : 'No collector has made the store yet.');
}

function gapsPanel(store) {
  return tablePanel('Gaps', h('span', { class: 'quiet' }, 'records that the store never got'), [['Noticed'], ['Topic, partition'], ['Offsets', 1], ['Why']],
    store.gaps.map(gap => h('tr', {}, h('td', {}, time(gap.detected_at)), h('td', {}, `${gap.topic}, ${gap.partition}`), num(`${count(gap.from_offset)} – ${count(gap.to_offset)}`), h('td', {}, gap.reason))), 'None. Every record that was to be read is there.');
}

function lettersPanel(store) {
  return tablePanel('Dead letters', h('span', { class: 'quiet' }, 'records that could not be read'), [['Reason'], ['Records', 1], ['Newest', 1]],
    store.dead_letters.map(letter => h('tr', {}, h('td', {}, letter.reason), num(count(letter.records)), num(time(letter.newest_at)))), 'None.');
}
