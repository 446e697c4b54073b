// The vanishing gradient: how far back the last output of a recurrent network looks.
import { Chart } from "../chart.js";
import { make } from "../look.js";
import { t } from "../words.js";

const find = id => document.getElementById("s-" + id);
const kinds = { plain: "orange", orthogonal: "muted", lstm: "blue", gru: "good" };
let chart, ask, found = null;

export function begin(asker) {
  ask = asker;
  chart = new Chart(find("lags"), Object.entries(kinds).map(([name, colour]) => ({ name, colour })), { log: true, label: () => t("lags") });
  for (const name of ["length", "units", "keep"]) find(name).addEventListener("input", start);
}

export function words() {
  find("lags-legend").replaceChildren(...Object.entries(kinds).map(([name, colour]) => make("span", {}, make("i", { class: "key-" + colour }), t("net-" + name))));
}

export function start() {
  for (const name of ["length", "units", "keep"]) find(name + "-value").textContent = find(name).value;
  ask("lags", { length: find("length").valueAsNumber, units: find("units").valueAsNumber, keep: find("keep").valueAsNumber });
}

export function hear(answer) {
  found = answer;
  show();
}

export function show() {
  if (found) chart.show([found.plain.map((_, lag) => lag), ...Object.keys(kinds).map(name => found[name])]);
}
