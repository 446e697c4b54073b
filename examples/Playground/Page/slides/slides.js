// The talk's slides as live exhibits. Each asks the server again when something is changed, one question at a time.
import { listen, send } from "../live.js";
import * as descent from "./descent.js";
import * as dropout from "./dropout.js";
import * as filter from "./filter.js";
import * as lags from "./lags.js";

const slides = { filter, lags, overfit: dropout, descent };
const waiting = new Map();

export function begin() {
  for (const [name, slide] of Object.entries(slides)) slide.begin((wish, more) => ask(name, wish, more));
  document.addEventListener("language", () => Object.values(slides).forEach(slide => slide.words()));
  for (const slide of Object.values(slides)) slide.words();
  listen("slides", hear, () => {
    waiting.clear();
    for (const slide of Object.values(slides)) slide.start();
  });
}

export function opened() {
  for (const slide of Object.values(slides)) slide.show();
}

/** Asks; while an answer is awaited, the newest question waits. */
function ask(name, wish, more) {
  if (wish === "overfit" || wish === "stop") return send("slides", wish, more);
  if (waiting.has(name)) waiting.set(name, { wish, more });
  else if (send("slides", wish, more)) waiting.set(name, null);
}

function hear({ slide, found, wish, error, about }) {
  if (error) slides[wish]?.refuse?.({ error, about });
  else slides[slide].hear(found);
  next(slide ?? wish);
}

function next(slide) {
  const question = waiting.get(slide);
  waiting.delete(slide);
  if (question) ask(slide, question.wish, question.more);
}
