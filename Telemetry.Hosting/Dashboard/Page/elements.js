// Elements without markup: every text becomes a text node, so nothing that a service says is ever read as HTML.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "class") made.className = value;
    else if (name in made && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

const svgNamespace = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(svgNamespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const shapes = {
  ok: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm3.2 5.1-3.8 4a.8.8 0 0 1-1.1 0L4.7 9a.8.8 0 0 1 1.1-1.1l1 1 3.3-3.4a.8.8 0 0 1 1.1 1.1Z",
  busy: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13ZM8 13V3a5 5 0 0 1 0 10Z",
  bad: "M8.9 2a1 1 0 0 0-1.8 0L1.2 12.6a1 1 0 0 0 .9 1.5h11.8a1 1 0 0 0 .9-1.5L8.9 2ZM8 5.2c.45 0 .8.35.8.8v3.2a.8.8 0 0 1-1.6 0V6c0-.45.35-.8.8-.8Zm0 7.2a.95.95 0 1 1 0-1.9.95.95 0 0 1 0 1.9Z",
  off: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm0 1.5a5 5 0 1 1 0 10A5 5 0 0 1 8 3ZM5 7.25h6v1.5H5Z",
  start: "M4.5 2.7v10.6c0 .6.65 1 1.2.650l8-5.3a.8.8 0 0 0 0-1.3l-8-5.3a.8.8 0 0 0-1.2.650Z",
  stop: "M4 3h8a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1Z",
  restart: "M8 2.5a5.5 5.5 0 0 1 4.5 2.35V3.2a.75.75 0 0 1 1.5 0v3.6a.75.75 0 0 1-.75.75H9.7a.75.75 0 0 1 0-1.5h1.85A4 4 0 1 0 12 8.7a.75.75 0 0 1 1.48.2A5.5 5.5 0 1 1 8 2.5Z",
  logs: "M2.5 3.25h11v1.5h-11Zm0 4h11v1.5h-11Zm0 4h7v1.5h-7Z",
  close: "M3.7 3.7a.75.75 0 0 1 1.06 0L8 6.94l3.24-3.24a.75.75 0 1 1 1.06 1.06L9.06 8l3.24 3.24a.75.75 0 1 1-1.06 1.06L8 9.06 4.76 12.3A.75.75 0 1 1 3.7 11.24L6.94 8 3.7 4.76a.75.75 0 0 1 0-1.06Z",
};

export function icon(name) {
  return svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true", class: `icon ${name}` }, svg("path", { d: shapes[name], "fill-rule": "evenodd" }));
}

/** Sets a text only where it differs, so that a selection survives. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Makes the options of a select those of the list, and keeps what is chosen while it exists. */
export function setOptions(select, options) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options === wanted) return;
  const chosen = select.value;
  select.dataset.options = wanted;
  select.replaceChildren(...options.map(([value, text]) => element("option", { value, textContent: text })));
  if (options.some(([value]) => value === chosen)) select.value = chosen;
}

export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, "0")} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

let hideMessage;

/** Says that something did not work. */
export function say(text) {
  const message = document.getElementById("message");
  message.textContent = text;
  message.hidden = false;
  clearTimeout(hideMessage);
  hideMessage = setTimeout(() => { message.hidden = true; }, 6000);
}
