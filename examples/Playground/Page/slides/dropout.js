// Dropout against overfitting: two networks learn three hundred digits, one of them with dropout.
import { Chart } from "../chart.js";
import { make, short } from "../look.js";
import { t } from "../words.js";

const find = id => document.getElementById("s-" + id);
const epochs = 40;
const lines = [["plain", "fresh", "orange"], ["plain", "seen", "orange"], ["dropped", "fresh", "blue"], ["dropped", "seen", "blue"]];
let chart, ask, running = false, rows = [];

export function begin(asker) {
  ask = asker;
  const series = lines.map(([net, digits, colour]) => ({ name: `${net} ${digits}`, colour, width: digits === "fresh" ? 2.5 : 1.5, dash: digits === "seen" ? [5, 4] : undefined }));
  chart = new Chart(find("dropout"), series, { x: () => [0, epochs], y: (_, low, high) => [0, (high ?? 0) > 0 ? 1.05 * high : 2.5], label: () => t("dropout") });
  find("dropout-run").addEventListener("click", () => {
    running = !running;
    if (running) rows = [];
    ask(running ? "overfit" : "stop", running ? { rate: find("rate").valueAsNumber, epochs } : {});
    words();
  });
  find("rate").addEventListener("input", words);
}

export function words() {
  find("rate-value").textContent = find("rate").value;
  find("dropout-run").textContent = t(running ? "stop" : rows.length ? "again" : "train");
  find("dropout-legend").replaceChildren(...lines.map(([net, digits, colour]) => make("span", {}, make("i", { class: `key-${colour}${digits === "seen" ? " dashed" : ""}` }), t(`curve-${net}-${digits}`))));
  const last = rows.at(-1);
  find("dropout-said").textContent = last
    ? t("gaps", { plain: short(last.plain.fresh - last.plain.seen), dropped: short(last.dropped.fresh - last.dropped.seen) })
    : t("dropout-hint");
}

export function start() {
  // a new connection: what ran before is gone
  running = false;
  words();
}

export function hear({ epoch, found, isLast }) {
  if (!running) return;
  rows.push({ epoch, ...found });
  running = !isLast;
  words();
  show();
}

export function show() {
  if (rows.length) chart.show([rows.map(row => row.epoch), ...lines.map(([net, digits]) => rows.map(row => row[net][digits]))]);
}
