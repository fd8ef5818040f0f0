// Keeps a sandbox page as new as the store: hears events, fetches the page again, swaps what differs.
"use strict";

const source = new WeakMap(); // element → its HTML as it came from the server

function localTime(root) {
  const today = new Date().toDateString();
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const clock = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const day = at.toLocaleDateString([], { day: "numeric", month: "short" });
    time.textContent = at.toDateString() === today ? clock : `${day} ${clock}`;
    time.title = at.toLocaleString();
  }
}

function adopt(element) {
  const html = element.outerHTML;
  const own = document.importNode(element, true);
  source.set(own, html);
  localTime(own);
  return own;
}

function copyAttributes(from, to) {
  for (const { name } of [...to.attributes]) if (!from.hasAttribute(name)) to.removeAttribute(name);
  for (const { name, value } of from.attributes) if (to.getAttribute(name) !== value) to.setAttribute(name, value);
}

// Children with ids: those that are the same stay untouched, so that only news is read aloud.
function updateList(list, fresh) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const known = new Map([...list.children].map((child) => [child.id, child]));
  let grown = false;
  let place = list.firstElementChild;
  for (const child of fresh.children) {
    const old = known.get(child.id);
    known.delete(child.id);
    let mine = old;
    if (!old || source.get(old) !== child.outerHTML) {
      mine = adopt(child);
      if (old) {
        const open = old.querySelector("details[open]");
        if (open) mine.querySelector("details")?.setAttribute("open", "");
        if (place === old) place = mine;
        old.replaceWith(mine);
      } else {
        mine.classList.add("new");
        grown = true;
      }
    }
    if (mine === place) place = place.nextElementSibling;
    else list.insertBefore(mine, place);
  }
  for (const gone of known.values()) gone.remove();
  if (grown && atEnd) list.scrollTop = list.scrollHeight;
}

function updatePart(part, fresh) {
  if (source.get(part) === fresh.outerHTML) return;
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  part.replaceWith(adopt(fresh));
  if (focused) document.getElementById(focused)?.focus();
}

function show(page) {
  const stage = document.getElementById("stage");
  const fresh = page.getElementById("stage");
  if (!fresh) return;
  if (stage.dataset.key !== fresh.dataset.key) {
    stage.replaceWith(document.importNode(fresh, true));
    document.title = page.title;
    settle();
    return;
  }
  for (const list of stage.querySelectorAll("[data-keyed]")) {
    const other = fresh.querySelector(`#${list.id}`);
    if (other) updateList(list, other);
  }
  for (const part of stage.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`#${part.id}`);
    if (other) updatePart(part, other);
  }
  const device = stage.querySelector("#device");
  if (device) {
    copyAttributes(fresh.querySelector("#device"), device);
    device.querySelector(".head").replaceWith(document.importNode(fresh.querySelector(".head"), true));
  }
  showProblem(fresh.querySelector("#problem"));
}

function showProblem(fresh) {
  const problem = document.getElementById("problem");
  if (!problem || !fresh) return;
  problem.textContent = fresh.textContent;
  problem.hidden = fresh.hidden;
}

// What a page needs once it stands: its sources remembered, its times local, its log at the end.
function settle() {
  for (const list of document.querySelectorAll("[data-keyed]")) {
    for (const child of list.children) source.set(child, child.outerHTML);
  }
  for (const part of document.querySelectorAll("[data-part]")) source.set(part, part.outerHTML);
  localTime(document);
  const log = document.getElementById("log");
  if (log) log.scrollTop = log.scrollHeight;
  for (const hint of document.querySelectorAll("[data-waiting]")) hint.hidden = false;
  for (const pre of document.querySelectorAll(".command pre")) addCopy(pre);
  const stage = document.getElementById("stage");
  // Stay with this phone when another one rings; a small screen shows the list first.
  if (stage.dataset.url && location.pathname === "/sandbox" && matchMedia("(min-width: 761px)").matches) {
    history.replaceState(null, "", stage.dataset.url);
    stage.classList.remove("home");
  }
}

function addCopy(pre) {
  if (!navigator.clipboard || pre.parentElement.querySelector("button")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(pre.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  pre.after(button);
}

async function fetched(url, options) {
  const response = await fetch(url, options);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return { response, page };
}

let refreshing = false;
let again = false;

async function refresh() {
  if (refreshing) {
    again = true;
    return;
  }
  refreshing = true;
  do {
    again = false;
    try {
      const { response, page } = await fetched(location.href);
      if (response.ok) show(page);
    } catch {
      break; // the bridge is away; the next event tells when it is back
    }
  } while (again);
  refreshing = false;
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("form[data-live-form]");
  if (!form) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  if (event.submitter?.name) body.append(event.submitter.name, event.submitter.value);
  try {
    const { response, page } = await fetched(form.action, { method: "POST", body });
    if (response.ok && form.hasAttribute("data-clear")) form.reset();
    if (response.ok && !form.hasAttribute("data-clear") && form.closest("details")) {
      form.reset();
      form.closest("details").open = false;
      history.pushState(null, "", response.url);
    }
    show(page);
  } catch {
    form.submit(); // let the browser say what is wrong
  }
});

document.addEventListener("keydown", (event) => {
  const composer = event.target.closest?.("#composer textarea");
  if (composer && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    composer.form.requestSubmit();
  }
});

addEventListener("popstate", refresh);

let version = document.body.dataset.version;
const live = document.getElementById("live");
const events = new EventSource("/sandbox/events");
events.onopen = () => {
  live.hidden = false;
  live.className = "live on";
  live.firstElementChild.textContent = "live";
};
events.onerror = () => {
  live.className = "live";
  live.firstElementChild.textContent = "connecting …";
};
events.onmessage = (event) => {
  if (event.data === version) return;
  version = event.data;
  refresh();
};

settle();
