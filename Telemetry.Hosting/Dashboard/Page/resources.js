// What runs: a row for each resource, one for each replica where there are several, and the details of one resource.
import { duration, element, icon, say, setText } from "./elements.js";

const commands = [["start", "Start"], ["stop", "Stop"], ["restart", "Restart"]];

async function send(kind, name, command) {
  try {
    const answer = await fetch(`/api/${kind}/${encodeURIComponent(name)}/${command}`, { method: "POST", headers: { "X-Dashboard": "1" } });
    if (!answer.ok) say(`${command} ${name}: the AppHost answered ${answer.status}`);
  } catch {
    say(`${command} ${name}: the AppHost does not answer`);
  }
}

function address(one, isEndpoint) {
  const text = [one.name, isEndpoint ? element("span", { class: "port" }, ` :${new URL(one.url).port}`) : null];
  return one.isLink
    ? element("a", { href: one.url, target: "_blank", rel: "noopener noreferrer", title: one.url }, ...text)
    : element("span", { class: "address", title: one.url }, ...text);
}

/** The worst of several replicas stands for the resource. */
function summary(replicas) {
  for (const kind of ["bad", "busy", "off", "ok"]) {
    const found = replicas.filter(replica => replica.kind === kind);
    if (found.length === 0) continue;
    const text = found.length === replicas.length ? found[0].state : `${found[0].state} ${found.length} of ${replicas.length}`;
    return { kind, state: text, detail: replicas.length === 1 ? found[0].detail : "" };
  }
  return { kind: "off", state: "", detail: "" };
}

class Row {
  constructor(kind, name, open) {
    this.state = element("span", { class: "state" });
    this.detail = element("span", { class: "detail" });
    this.processId = element("td", { class: "number", "data-label": "Process" });
    this.uptime = element("td", { class: "number", "data-label": "Up for" });
    this.restarts = element("td", { class: "number", "data-label": "Restarts" });
    this.exit = element("td", { class: "number", "data-label": "Last exit" });
    this.addresses = element("td", { class: "addresses", "data-label": "Addresses" });
    this.buttons = commands.map(([command, text]) =>
      element("button", { type: "button", class: "command", title: `${text} ${name}`, "aria-label": `${text} ${name}`, onclick: () => send(kind, name, command) }, icon(command)));
    const logs = element("a", { class: "command", href: `#logs/${encodeURIComponent(name)}`, title: `Logs of ${name}`, "aria-label": `Logs of ${name}` }, icon("logs"));
    const label = kind === "resources" ? element("button", { type: "button", class: "name", onclick: open }, name) : element("span", { class: "name" }, name);
    this.element = element("tr", { class: kind },
      element("th", { scope: "row" }, label), element("td", { class: "status" }, this.state, this.detail),
      this.processId, this.uptime, this.restarts, this.exit, this.addresses, element("td", { class: "commands" }, ...this.buttons, logs));
  }

  update(replicas, endpoints, urls) {
    const { kind, state, detail } = summary(replicas);
    if (this.state.dataset.kind !== kind || this.state.textContent !== state) {
      this.state.dataset.kind = kind;
      this.state.replaceChildren(icon(kind), state);
    }
    setText(this.detail, detail);
    const one = replicas.length === 1 ? replicas[0] : null;
    setText(this.processId, one ? String(one.processId ?? "") : "");
    const restarts = replicas.reduce((sum, replica) => sum + replica.restarts, 0);
    setText(this.restarts, String(restarts));
    this.restarts.classList.toggle("some", restarts > 0);
    setText(this.exit, one ? String(one.exitCode ?? "") : "");
    this.started = one?.processId ? Date.parse(one.startedAt) : null;
    this.next = one?.nextStartAt ? Date.parse(one.nextStartAt) : null;
    const shown = JSON.stringify([endpoints, urls]);
    if (this.shown !== shown) {
      this.shown = shown;
      this.addresses.replaceChildren(...endpoints.map(one => address(one, true)), ...urls.map(one => address(one, false)));
    }
    const [start, stop, restart] = this.buttons;
    start.disabled = !replicas.some(replica => replica.canStart);
    stop.disabled = !replicas.some(replica => replica.isRunning);
    restart.disabled = !replicas.some(replica => replica.isRunning);
  }

  tick(now) {
    const text = this.next ? `again in ${duration(this.next - now + 999)}` : this.started ? duration(now - this.started) : "";
    setText(this.uptime, text);
  }
}

export class Resources {
  constructor() {
    this.body = document.getElementById("resource-rows");
    this.details = document.getElementById("details");
    this.rows = new Map();
    this.skew = 0;
    setInterval(() => this.tick(), 1000);
    this.details.addEventListener("keydown", event => {
      if (event.key === "Escape") this.closeDetails();
    });
  }

  update(application) {
    this.skew = Date.parse(application.now) - Date.now();
    this.resources = application.resources;
    for (const resource of application.resources) {
      this.row("resources", resource.name).update(resource.replicas, resource.endpoints, resource.urls);
      if (resource.replicas.length === 1) continue;
      for (const replica of resource.replicas) this.row("replicas", replica.id).update([replica], replica.endpoints, []);
    }
    const all = application.resources.flatMap(resource => resource.replicas);
    setText(document.getElementById("summary"), `${all.filter(replica => replica.kind === "ok").length} of ${all.length} running`);
    setText(document.getElementById("traces"), application.traceReceiver
      ? `Traces go to ${application.traceReceiver}, as OTEL_EXPORTER_OTLP_ENDPOINT of the AppHost says; it is passed to every service.`
      : "Traces: start the AppHost with OTEL_EXPORTER_OTLP_ENDPOINT set to an OpenTelemetry receiver; it is passed to every service.");
    this.tick();
    if (this.open) this.showDetails();
  }

  row(kind, name) {
    const key = `${kind}/${name}`;
    let row = this.rows.get(key);
    if (!row) {
      row = new Row(kind, name, () => this.openDetails(name));
      this.rows.set(key, row);
      this.body.append(row.element);
    }
    return row;
  }

  tick() {
    const now = Date.now() + this.skew;
    for (const row of this.rows.values()) row.tick(now);
  }

  openDetails(name) {
    this.open = name;
    this.shownDetails = null;
    this.showDetails();
    this.details.hidden = false;
    this.details.querySelector("button").focus();
  }

  closeDetails() {
    if (!this.open) return;
    this.rows.get(`resources/${this.open}`)?.element.querySelector("button").focus();
    this.open = null;
    this.details.hidden = true;
  }

  showDetails() {
    const resource = this.resources.find(one => one.name === this.open);
    // Times change all the while and are not shown here.
    const shown = JSON.stringify(resource);
    if (!resource || shown === this.shownDetails) return;
    this.shownDetails = shown;
    const focused = this.details.contains(document.activeElement);
    const scroll = this.details.scrollTop;
    const opened = new Map([...this.details.querySelectorAll("details")].map(one => [one.dataset.replica, one.open]));
    const addresses = [...resource.endpoints, ...resource.urls].map(one => [one.name, one.isLink
      ? element("a", { href: one.url, target: "_blank", rel: "noopener noreferrer" }, one.url) : one.url]);
    const needed = resource.dependsOn.map(name => {
      const other = this.resources.find(one => one.name === name);
      const { kind, state } = summary(other?.replicas ?? []);
      return [name, element("span", { class: "state", "data-kind": kind }, icon(kind), state)];
    });
    this.details.replaceChildren(
      element("div", { class: "title" }, element("h2", {}, resource.name),
        element("button", { type: "button", class: "command", title: "Close", "aria-label": "Close the details", onclick: () => this.closeDetails() }, icon("close"))),
      ...section("Addresses", addresses), ...section("Waits for", needed),
      ...resource.replicas.flatMap((replica, index) => [
        element("h3", {}, replica.id),
        element("p", { class: "replica" }, element("span", { class: "state", "data-kind": replica.kind }, icon(replica.kind), replica.state), element("span", { class: "detail" }, replica.detail)),
        list(replica.endpoints.map(one => [one.name, one.isLink ? element("a", { href: one.url, target: "_blank", rel: "noopener noreferrer" }, one.url) : one.url])),
        element("details", { "data-replica": replica.id, open: opened.get(replica.id) ?? index === 0 }, element("summary", {}, `Environment (${replica.environment.length})`),
          list(replica.environment.map(variable => [variable.name, element("span", { class: variable.isMasked ? "masked" : "", title: variable.isMasked ? "secret: not sent to the browser" : "" }, variable.value)]))),
      ]));
    this.details.scrollTop = scroll;
    if (focused) this.details.querySelector("button").focus({ preventScroll: true });
  }
}

function section(title, pairs) {
  return pairs.length === 0 ? [] : [element("h3", {}, title), list(pairs)];
}

function list(pairs) {
  return element("dl", {}, ...pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}
