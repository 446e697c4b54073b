// The page: its exhibits as tabs, its language, its theme, and whether the server is there.
import { apply, language, switchLanguage, t } from "./words.js";
import { onConnection } from "./live.js";
import * as digit from "./digit/digit.js";
import * as anyFunction from "./function/function.js";
import * as slides from "./slides/slides.js";
import * as talk from "./talk/talk.js";

const exhibits = { digit, function: anyFunction, slides, talk };
const tabs = [...document.querySelectorAll("[role=tab]")];
const begun = new Set();

function open(name) {
  for (const tab of tabs) {
    const isIt = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", isIt);
    tab.tabIndex = isIt ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !isIt;
  }
  if (!begun.has(name)) {
    begun.add(name);
    exhibits[name].begin(new URLSearchParams(location.hash.split("?")[1] ?? ""));
  }
  exhibits[name].opened?.();
}

function choose(tab) {
  const name = tab.getAttribute("aria-controls");
  if (!location.hash.startsWith("#" + name)) history.replaceState(null, "", location.pathname + location.search + "#" + name);
  open(name);
}

for (const tab of tabs) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
    next.focus();
    choose(next);
  });
}

// ---- language and theme, which the browser remembers

document.getElementById("language").addEventListener("click", () => switchLanguage(language() === "en" ? "zh" : "en"));

const dark = matchMedia("(prefers-color-scheme: dark)");
const themeOf = () => document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light");
const announce = () => document.dispatchEvent(new Event("theme"));
document.documentElement.dataset.theme = localStorage.getItem("theme") ?? themeOf();
document.getElementById("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = themeOf() === "dark" ? "light" : "dark";
  localStorage.setItem("theme", themeOf());
  announce();
});
dark.addEventListener("change", () => {
  if (localStorage.getItem("theme")) return;
  document.documentElement.dataset.theme = dark.matches ? "dark" : "light";
  announce();
});

// ---- the server

const lost = document.getElementById("lost");
onConnection(state => {
  lost.hidden = state === "open";
  if (state !== "open") lost.textContent = t(state === "refused" ? "refused" : "lost");
});

apply();
const named = location.hash.slice(1).split("?")[0];
open(named in exhibits ? named : tabs[0].getAttribute("aria-controls"));
