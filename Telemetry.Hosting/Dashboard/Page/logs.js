// The lines of all processes: kept as many as the host keeps, shown as many as can be read.
import { element, setOptions, setText } from "./elements.js";

const keptMax = 10000;
const shownMax = 2000;
const levels = ["debug", "info", "warn", "error"];
const colours = 8;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });

export class Logs {
  constructor() {
    this.kept = [];
    this.waiting = [];
    this.missed = 0;
    this.colour = new Map();
    this.replicas = new Map();
    this.lines = document.getElementById("log-lines");
    this.count = document.getElementById("log-count");
    this.source = document.getElementById("log-source");
    this.level = document.getElementById("log-level");
    this.stream = document.getElementById("log-stream");
    this.text = document.getElementById("log-text");
    this.follow = document.getElementById("log-follow");
    this.pause = document.getElementById("log-pause");
    setOptions(this.source, [["", "All"]]);
    for (const field of [this.source, this.level, this.stream]) field.addEventListener("change", () => this.render());
    this.text.addEventListener("input", () => this.render());
    this.follow.addEventListener("change", () => this.toEnd());
    this.pause.addEventListener("click", () => this.setPaused(!this.paused));
    document.getElementById("log-clear").addEventListener("click", () => {
      this.kept = [];
      this.waiting = [];
      this.render();
    });
    document.getElementById("log-bar").addEventListener("submit", event => event.preventDefault());
    new ResizeObserver(() => this.toEnd()).observe(this.lines);
    // Whoever scrolls up wants to read; at the end again, to follow.
    this.lines.addEventListener("scroll", () => {
      const atEnd = this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < 24;
      if (this.follow.checked !== atEnd) this.follow.checked = atEnd;
    });
  }

  setSources(resources) {
    const options = [["", "All"]];
    for (const resource of resources) {
      options.push([resource.name, resource.replicas.length === 1 ? resource.name : `${resource.name} (all)`]);
      this.replicas.set(resource.name, new Set(resource.replicas.map(replica => replica.id)));
      if (resource.replicas.length > 1) for (const replica of resource.replicas) options.push([replica.id, `  ${replica.id}`]);
    }
    options.push(["host", "host"]);
    setOptions(this.source, options);
    if (this.chosen && options.some(([value]) => value === this.chosen)) {
      this.source.value = this.chosen;
      this.chosen = null;
      this.render();
    }
  }

  choose(source) {
    this.chosen = source;
    if ([...this.source.options].some(option => option.value === source)) {
      this.source.value = source;
      this.chosen = null;
      this.render();
    }
  }

  setShown(shown) {
    this.shown = shown;
    if (shown) this.render();
  }

  setPaused(paused) {
    this.paused = paused;
    this.pause.setAttribute("aria-pressed", String(paused));
    setText(this.pause, paused ? "Resume" : "Pause");
    if (!paused) {
      const waiting = this.waiting;
      this.waiting = [];
      this.append(waiting);
    }
    this.showCount();
  }

  add({ missed, lines }) {
    this.missed += missed;
    // A host that was started anew counts from 1 again.
    if (lines.length > 0 && this.last && lines[0].id <= this.last) {
      this.kept = [];
      this.waiting = [];
      this.render();
    }
    this.last = lines.at(-1)?.id ?? this.last;
    if (this.paused) {
      this.waiting = this.waiting.concat(lines).slice(-keptMax);
      this.showCount();
    } else {
      this.append(lines);
    }
  }

  append(lines) {
    this.kept = this.kept.concat(lines).slice(-keptMax);
    if (!this.shown) return;
    const fits = lines.filter(this.filter());
    this.matches += fits.length;
    this.lines.append(...fits.slice(-shownMax).map(line => this.row(line)));
    while (this.lines.childElementCount > shownMax) this.lines.firstElementChild.remove();
    this.showCount();
    this.toEnd();
  }

  render() {
    if (!this.shown) return;
    const fits = this.kept.filter(this.filter());
    this.matches = fits.length;
    const follow = this.follow.checked;
    this.lines.replaceChildren(...fits.slice(-shownMax).map(line => this.row(line)));
    this.follow.checked = follow;
    this.showCount();
    this.toEnd();
  }

  filter() {
    const source = this.source.value;
    const replicas = this.replicas.get(source);
    const text = this.text.value.trim().toLowerCase();
    const level = levels.indexOf(this.level.value);
    const stream = this.stream.value;
    return line =>
      (source === "" || line.source === source || (replicas?.has(line.source) ?? false))
      && (level < 0 || (line.level ? levels.indexOf(line.level) >= level : level <= 1 || line.isError))
      && (stream === "" || line.isError === (stream === "error"))
      && (text === "" || line.text.toLowerCase().includes(text) || (line.category ?? "").toLowerCase().includes(text));
  }

  row(line) {
    if (!this.colour.has(line.source)) this.colour.set(line.source, line.source === "host" ? "host" : String(this.colour.size % colours));
    const level = line.level ?? (line.isError ? "stderr" : "");
    return element("div", { class: "line", "data-level": level },
      element("time", { dateTime: line.time }, clock.format(new Date(line.time))),
      element("span", { class: "source", "data-colour": this.colour.get(line.source) }, line.source),
      element("span", { class: "level" }, level),
      element("span", { class: "text", title: line.category ?? "" }, line.text));
  }

  toEnd() {
    if (this.follow.checked && this.shown) this.lines.scrollTop = this.lines.scrollHeight;
  }

  showCount() {
    const parts = [`${(this.matches ?? 0).toLocaleString()} of ${this.kept.length.toLocaleString()} lines`];
    if ((this.matches ?? 0) > shownMax) parts.push(`newest ${shownMax.toLocaleString()} shown`);
    if (this.waiting.length > 0) parts.push(`${this.waiting.length.toLocaleString()} waiting`);
    if (this.missed > 0) parts.push(`${this.missed.toLocaleString()} missed`);
    setText(this.count, parts.join(" · "));
  }
}
