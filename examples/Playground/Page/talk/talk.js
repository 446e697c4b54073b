// The exhibit of the chat robot.
import { colour, context, make } from "../look.js";
import { listen, send } from "../live.js";
import { language, t } from "../words.js";

const find = id => document.getElementById("t-" + id);
let ideas = [], last = null;

export function begin() {
  find("form").addEventListener("submit", event => {
    event.preventDefault();
    say(find("text").value.trim());
    find("text").value = "";
  });
  find("again").addEventListener("click", propose);
  document.addEventListener("language", propose);
  document.addEventListener("theme", show);
  new ResizeObserver(show).observe(find("attention"));
  listen("talk", hear, () => ideas.length || send("talk", "ideas"));
  add("robi", t("hello"));
}

export const opened = () => show();

function say(text) {
  if (!text) return;
  add("you", text);
  if (!send("talk", "say", { text })) add("robi", t("lost"));
}

function hear(message) {
  if (message.ideas) {
    ideas = message.ideas;
    propose();
  }
  if (message.error) add("robi", t(message.error, message.about ?? {}));
  if (message.said) {
    add("robi", message.said.text);
    if (message.said.attention) last = message.said;
    find("sure").textContent = message.said.probability === undefined ? "" : t("sure", { share: Math.round(100 * message.said.probability) });
    show();
  }
}

function add(who, text) {
  find("log").append(make("p", { class: who }, text));
  find("log").scrollTop = find("log").scrollHeight;
}

/** Something to say: a name to copy, and some lines it was taught. */
function propose() {
  const isChinese = text => /[\u4e00-\u9fff]/.test(text);
  const zh = language() === "zh";
  const some = ideas.filter(text => isChinese(text) === zh).sort(() => Math.random() - 0.5).slice(0, 4);
  find("ideas").replaceChildren(...[t("a-name"), ...some].map(text => make("button", { type: "button", onclick: () => say(text) }, text)));
}

/** The attention: a row for each character of the answer, a column for each of the question, the darker the more it counts. */
function show() {
  const { pen, width, height } = context(find("attention"));
  if (!last || !width) return;
  const visible = text => (text === " " ? "␣" : text);
  const [columns, rows] = [last.question.map(visible), [...last.answer.map(visible), t("end")]];
  const [left, top] = [46, 30];
  const size = Math.min(26, (width - left - 4) / columns.length, (height - top - 4) / rows.length);
  const [ink, blue, line] = [colour("ink"), colour("blue"), colour("line")];
  pen.font = `${Math.max(8, Math.min(14, size * 0.72))}px ui-monospace, "Noto Sans CJK SC", monospace`;
  pen.textBaseline = "middle";
  pen.fillStyle = ink;
  pen.textAlign = "center";
  columns.forEach((text, i) => pen.fillText(text, left + size * (i + 0.5), top - 12));
  pen.textAlign = "right";
  rows.forEach((text, i) => pen.fillText(text, left - 8, top + size * (i + 0.5)));
  pen.strokeStyle = line;
  last.attention.forEach((weights, row) => weights.forEach((weight, column) => {
    const [x, y] = [left + size * column, top + size * row];
    pen.globalAlpha = Math.sqrt(weight);
    pen.fillStyle = blue;
    pen.fillRect(x, y, size, size);
    pen.globalAlpha = 1;
    pen.strokeRect(x + 0.5, y + 0.5, size, size);
  }));
}
