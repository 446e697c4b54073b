// The page's words in both languages: data-t is an element's text, data-t-label its name for those who do not see it.
import en from "./english.js";
import zh from "./chinese.js";

const languages = { en, zh };
let current = localStorage.getItem("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en");

export const language = () => current;

/** A text, {name} in it replaced. */
export function t(key, values = {}) {
  const text = languages[current][key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Puts the words in their places. */
export function apply(root = document) {
  document.documentElement.lang = current === "zh" ? "zh-Hans" : "en";
  document.title = t("title");
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
    if (element.matches("button")) element.title = t(element.dataset.tLabel);
  }
}

export function switchLanguage(to) {
  current = to;
  localStorage.setItem("language", to);
  apply();
  document.dispatchEvent(new Event("language"));
}
