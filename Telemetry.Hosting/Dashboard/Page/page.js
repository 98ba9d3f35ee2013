// The page: one stream of events from the host, three views of it.
import { setText } from "./elements.js";
import { Resources } from "./resources.js";
import { Logs } from "./logs.js";
import { Metrics } from "./metrics.js";

const views = ["resources", "logs", "metrics"];
const resources = new Resources();
const logs = new Logs();
const metrics = new Metrics();

function show() {
  const [view, choice] = location.hash.slice(1).split("/");
  const shown = views.includes(view) ? view : "resources";
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.dataset.view !== shown;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.view === shown) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (shown === "logs" && choice) logs.choose(decodeURIComponent(choice));
  logs.setShown(shown === "logs");
  metrics.setShown(shown === "metrics");
  if (shown !== "resources") resources.closeDetails();
}

function connection(kind, text) {
  const state = document.getElementById("connection");
  state.dataset.kind = kind;
  setText(state, text);
}

function connect() {
  const stream = new EventSource("/api/stream");
  stream.addEventListener("open", () => connection("ok", "live"));
  stream.addEventListener("resources", event => {
    const application = JSON.parse(event.data);
    document.title = `${application.name} dashboard`;
    setText(document.getElementById("application"), application.name);
    resources.update(application);
    logs.setSources(application.resources);
    metrics.setResources(application.resources);
  });
  stream.addEventListener("logs", event => logs.add(JSON.parse(event.data)));
  stream.addEventListener("error", () => {
    // The browser tries again by itself unless the answer was final, as when the host was started anew with another token.
    if (stream.readyState === EventSource.CLOSED) connection("bad", "ended: open the address in the terminal");
    else connection("bad", "no connection to the AppHost");
  });
}

addEventListener("hashchange", show);
show();
connect();
