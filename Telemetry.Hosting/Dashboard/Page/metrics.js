// What the replicas of one resource measure, asked for only while it is shown.
import { element, setOptions, setText, svg } from "./elements.js";

const interval = 2000;
const pointsMax = 60;
const rowsMax = 300;
const width = 140;
const height = 28;
const runtime = /^(dotnet|process|aspnetcore|kestrel|http_server|http_client|dns|target_info|otel)/;
const plain = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (Math.abs(bytes) >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${short.format(bytes)} ${units[unit]}`;
}

function time(seconds) {
  const magnitude = Math.abs(seconds);
  if (magnitude >= 1 || magnitude === 0) return `${short.format(seconds)} s`;
  return magnitude >= 0.001 ? `${short.format(seconds * 1000)} ms` : `${short.format(seconds * 1e6)} µs`;
}

function amount(name, value, format = plain) {
  if (!Number.isFinite(value)) return String(value);
  if (/timestamp/.test(name) && value > 1e9) return new Date(value > 1e12 ? value : value * 1000).toLocaleTimeString();
  if (/bytes/.test(name)) return size(value);
  if (/seconds/.test(name)) return time(value);
  return format.format(value);
}

class Series {
  constructor(sample, replica) {
    this.name = sample.name;
    this.points = [];
    this.now = element("td", { class: "number", "data-label": "Now" });
    this.change = element("td", { class: "number", "data-label": "Change" });
    this.line = svg("path", { class: "spark" });
    this.area = svg("path", { class: "area" });
    this.element = element("tr", {},
      element("th", { scope: "row", title: sample.help }, element("span", { class: "metric" }, sample.name), element("span", { class: "labels" }, sample.labels)),
      element("td", { "data-label": "Replica" }, replica), this.now, this.change,
      element("td", {}, svg("svg", { class: "sparkline", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, this.area, this.line)));
    this.text = `${sample.name} ${sample.labels} ${replica}`.toLowerCase();
    this.isRuntime = runtime.test(sample.name);
  }

  /** A counter's point is its rate, a histogram's the mean of what was observed meanwhile, all others' the value. */
  add(sample, at) {
    const value = Number(sample.value);
    const before = this.before;
    this.before = { value, sum: sample.sum, at };
    if (sample.type === "counter") {
      setText(this.now, amount(this.name, value));
      // A process that was started again counts from 0.
      if (before && value >= before.value) this.push((value - before.value) / ((at - before.at) / 1000), rate => `${amount(this.name, rate, short)}/s`);
    } else if (sample.sum !== undefined) {
      setText(this.now, value > 0 ? `${plain.format(value)} × ${amount(this.name, sample.sum / value, short)}` : "0");
      if (before && value > before.value) this.push((sample.sum - before.sum) / (value - before.value), mean => `mean ${amount(this.name, mean, short)}`);
      else if (before) setText(this.change, "");
    } else {
      setText(this.now, amount(this.name, value));
      const previous = this.points.at(-1);
      this.push(value, () => {
        const difference = previous === undefined ? 0 : value - previous;
        return difference === 0 || /timestamp/.test(this.name) ? "" : `${difference > 0 ? "+" : "−"}${amount(this.name, Math.abs(difference), short)}`;
      });
    }
  }

  push(value, describe) {
    if (!Number.isFinite(value)) return;
    setText(this.change, describe(value));
    this.points.push(value);
    if (this.points.length > pointsMax) this.points.shift();
    this.draw();
  }

  draw() {
    if (this.points.length < 2) return;
    const least = Math.min(...this.points);
    const range = Math.max(...this.points) - least;
    const step = width / (pointsMax - 1);
    const start = width - (this.points.length - 1) * step;
    const path = this.points.map((value, index) => {
      const y = range === 0 ? height / 2 : height - 3 - (value - least) / range * (height - 6);
      return `${index === 0 ? "M" : "L"}${(start + index * step).toFixed(1)} ${y.toFixed(1)}`;
    }).join("");
    this.line.setAttribute("d", path);
    this.area.setAttribute("d", `${path}L${width} ${height}L${start.toFixed(1)} ${height}Z`);
  }
}

export class Metrics {
  constructor() {
    this.body = document.getElementById("metric-rows");
    this.resource = document.getElementById("metric-resource");
    this.text = document.getElementById("metric-text");
    this.runtime = document.getElementById("metric-runtime");
    this.series = new Map();
    this.resource.addEventListener("change", () => this.reset());
    this.text.addEventListener("input", () => this.render());
    this.runtime.addEventListener("change", () => this.render());
    document.getElementById("metric-bar").addEventListener("submit", event => event.preventDefault());
    document.addEventListener("visibilitychange", () => this.schedule(0));
  }

  setResources(resources) {
    setOptions(this.resource, resources.filter(one => one.hasMetrics).map(one => [one.name, one.name]));
    if (this.shown && !this.asked) this.schedule(0);
  }

  setShown(shown) {
    this.shown = shown;
    this.schedule(0);
  }

  reset() {
    this.series.clear();
    this.body.replaceChildren();
    this.schedule(0);
  }

  schedule(delay) {
    clearTimeout(this.timer);
    if (this.shown && !document.hidden) this.timer = setTimeout(() => this.ask(), delay);
  }

  async ask() {
    const resource = this.resource.value;
    if (!resource) return;
    this.asked = true;
    try {
      const answer = await fetch(`/api/metrics/${encodeURIComponent(resource)}`);
      if (!answer.ok) throw new Error(`the AppHost answered ${answer.status}`);
      if (resource === this.resource.value) this.update(await answer.json());
    } catch (error) {
      this.note([error instanceof TypeError ? "the AppHost does not answer" : error.message]);
    }
    this.schedule(interval);
  }

  update({ time: at, replicas }) {
    const seen = new Set();
    for (const replica of replicas) {
      for (const sample of replica.samples) {
        const key = `${replica.id} ${sample.name} ${sample.labels}`;
        seen.add(key);
        if (!this.series.has(key)) this.series.set(key, new Series(sample, replica.id));
        this.series.get(key).add(sample, Date.parse(at));
      }
    }
    for (const key of this.series.keys()) if (!seen.has(key)) this.series.delete(key);
    this.note(replicas.flatMap(replica => replica.problem ? [`${replica.id}: ${replica.problem}`] : replica.isCut ? [`${replica.id}: has more than is shown`] : []));
    this.render();
  }

  render() {
    const text = this.text.value.trim().toLowerCase();
    const fits = [...this.series.values()]
      .filter(one => (this.runtime.checked || !one.isRuntime) && one.text.includes(text))
      .sort((a, b) => a.text < b.text ? -1 : a.text > b.text ? 1 : 0);
    const rows = fits.slice(0, rowsMax).map(one => one.element);
    if (rows.length !== this.body.childElementCount || rows.some((row, index) => row !== this.body.children[index])) this.body.replaceChildren(...rows);
    setText(document.getElementById("metric-count"),
      `${fits.length.toLocaleString()} of ${this.series.size.toLocaleString()} series${fits.length > rowsMax ? `, the first ${rowsMax} shown` : ""}`);
  }

  note(problems) {
    setText(document.getElementById("metric-note"), problems.join(" · "));
  }
}
