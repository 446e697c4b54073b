// The exhibit of any function: what the visitor chooses goes to the server, what the server shows comes onto the screen, at
// most once for each picture that the screen makes.
import { bytes, colour, context, make } from "../look.js";
import { apply, t } from "../words.js";
import { listen, send } from "../live.js";
import { Diagram } from "./diagram.js";
import { Result } from "./result.js";
import { Weights } from "./weights.js";
import * as address from "./address.js";

const find = id => document.getElementById("f-" + id);
const formulas = ["sin(3*x)", "abs(x)", "1/(1+25*x^2)", "exp(-x^2)*cos(6*x)", "sin(x)+sign(x)/2"];
const sets = ["circle", "xor", "gauss", "spiral"];
const choices = {
  rate: [0.0001, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10].map(rate => [rate, String(rate)]),
  activation: ["tanh", "relu", "sigmoid", "linear", "sin", "gaussian"].map(name => [name, name]),
  optimizer: [["adam", "Adam"], ["sgd", "SGD"], ["momentum", "SGD + momentum"], ["rmsprop", "RMSprop"], ["nadam", "Nadam"]],
  speed: [10, 100, 500, 2000, 0].map(speed => [speed, speed]),
};

let state = {
  lesson: { kind: "formula", formula: "sin(3*x)", from: -2, to: 2 },
  hidden: [8, 8], activation: "tanh", optimizer: "adam", rate: 0.01, seed: 1, epsilon: 0.05, speed: 500,
};
let frame = null, waiting = null, lesson = null, running = false, looking = null;
let diagram, result, weights;

/** Called once, with what stands behind the address' #. */
export function begin(query) {
  if (query.has("kind")) state = address.read(query, state);
  result = new Result(values => {
    state.lesson = { kind: "drawn", values, from: lesson.x[0], to: lesson.x.at(-1) };
    start();
  });
  diagram = new Diagram(find("diagram"), {
    widths: hidden => change({ hidden }),
    pick: (layer, neuron) => {
      weights.open(diagram.widths, layer, neuron);
      diagram.mark(layer, neuron);
    },
    look: (layer, neuron) => look({ layer, neuron }),
    unlook: () => look(null),
  });
  weights = new Weights(find("weights"), (place, value) => send("function", "put", { place, value }), () => diagram.mark(-1, -1));
  fill();
  controls();
  document.addEventListener("language", () => {
    fill();
    diagram.build(diagram.widths?.[0] ?? 1, state.hidden);
    weights.close();
    result.name();
    redraw();
  });
  document.addEventListener("theme", redraw);
  listen("function", hear, start);
}

export function opened() {
  redraw();
}

// ---- to the server

/** A new training: of the parameters in the address or, after a lost connection, those last seen; else drawn from the seed. */
function start() {
  const parameters = state.parameters ?? null;
  find("error").textContent = "";
  send("function", "begin", {
    lesson: state.lesson,
    network: { hidden: state.hidden, activation: state.activation, optimizer: state.optimizer, seed: state.seed },
    parameters, steps: parameters ? state.steps : 0,
    rate: state.rate, speed: state.speed, epsilon: state.epsilon,
  });
  if (running) send("function", "run");
}

/** Other settings, from which training begins anew. */
function change(settings) {
  state = { ...state, ...settings, parameters: null, steps: 0 };
  weights.close();
  fill();
  start();
}

// ---- from the server

function hear(message) {
  if (message.error) return refuse(message);
  if (message.lesson) {
    const goesOn = !!state.parameters;
    lesson = message.lesson;
    if (lesson.kind === "line" && state.lesson.from === undefined) Object.assign(state.lesson, { from: lesson.x[0], to: lesson.x.at(-1) });
    diagram.build(lesson.kind === "plane" ? 2 : 1, state.hidden);
    if (weights.picked) weights.close();
    result.begin(lesson, goesOn);
    find("parameters").textContent = t("parameters", { n: message.count });
    state.count = message.count;
    frame = null;
  }
  if (message.source) save(message.name, message.source);
  if (message.frame) {
    if (!waiting) requestAnimationFrame(redraw);
    waiting = message.frame;
  }
}

function refuse({ error, about = {} }) {
  const values = { ...about };
  for (const name of ["at", "value"]) if (typeof values[name] === "number") values[name] = Number(values[name].toPrecision(4));
  find("error").textContent = error === "formula"
    ? `${t("formula")}\n${state.lesson.formula}\n${" ".repeat(about.place)}↑ ${about.message ?? ""}`
    : t(error, values);
  find("error").classList.toggle("code", error === "formula");
}

function redraw() {
  if (waiting) [frame, waiting] = [waiting, null];
  if (!frame || !lesson || find("diagram").offsetParent === null) return;
  if (frame.parameters.length === state.count) [state.parameters, state.steps] = [frame.parameters, frame.steps];
  running = frame.status === "running";
  find("controls").classList.toggle("running", running);
  const name = t(running ? "pause" : "train");
  if (find("run").title !== name) {
    find("run").title = name;
    find("run").setAttribute("aria-label", name);
  }
  find("steps").textContent = frame.steps.toLocaleString("en");
  say(frame.status === "paused" && frame.steps === 0 ? "fresh" : frame.status);
  result.show(frame);
  const output = lesson.kind === "plane" ? thin(bytes(frame.field), lesson.side, lesson.small) : scaled(frame.curve);
  diagram.show(frame.neurons, output, frame.parameters, lesson.kind === "plane" ? lesson.small : 0);
  weights.show(frame.parameters);
  if (looking) look(looking);
}

function say(status) {
  const text = t("status-" + status, { steps: status === "running" ? "" : frame.steps, epsilon: state.epsilon });
  if (find("status").textContent !== text) find("status").textContent = text;
  find("status").className = "status" + ({ reached: " good", nan: " bad" }[status] ?? "");
}

function look(neuron) {
  looking = neuron;
  const picture = neuron && frame?.neurons[neuron.layer - 1]?.[neuron.neuron];
  result.look(picture ? bytes(picture) : null);
}

/** A curve as a neuron's little picture has it. */
function scaled(curve) {
  const [low, high] = [Math.min(...curve), Math.max(...curve)];
  const middle = (low + high) / 2, half = Math.max(1e-12, (high - low) / 2);
  return curve.filter((_, i) => i % 2 === 0).map(value => 127 + (127 * (value - middle)) / half);
}

function thin(field, side, small) {
  const stride = (side - 1) / (small - 1);
  return Uint8Array.from({ length: small * small }, (_, i) => field[Math.floor(i / small) * stride * side + (i % small) * stride]);
}

// ---- what the visitor does

/** The controls as the state has it, in the present language. */
function fill() {
  for (const [name, options] of Object.entries(choices)) {
    const shown = options.some(([value]) => String(value) === String(state[name])) ? options : [...options, [state[name], String(state[name])]];
    find(name).replaceChildren(...shown.map(([value, text]) =>
      make("option", { value }, name !== "speed" ? text : value ? t("per-second", { n: value }) : t("full-speed"))));
    find(name).value = state[name];
  }
  find("epsilon").value = state.epsilon;
  find("seed").value = state.seed;
  find("layers").textContent = state.hidden.length === 1 ? t("layers-1") : t("layers", { n: state.hidden.length });
  find("parameters").textContent = state.count ? t("parameters", { n: state.count }) : "";
  find("fewer").disabled = state.hidden.length === 0;
  find("more").disabled = state.hidden.length >= 6;
  const isPlane = state.lesson.kind === "plane";
  document.querySelector(`input[name=f-kind][value=${isPlane ? "plane" : "line"}]`).checked = true;
  find("line").hidden = isPlane;
  find("plane").hidden = !isPlane;
  if (state.lesson.kind === "formula") find("formula").value = state.lesson.formula;
  if (state.lesson.from !== undefined) [find("from").value, find("to").value] = [state.lesson.from, state.lesson.to];
  if (isPlane) find("noise").value = state.lesson.noise;
  for (const button of find("sets").children) button.setAttribute("aria-pressed", isPlane && button.value === state.lesson.set);
  apply(find("sets"));
}

function controls() {
  find("run").addEventListener("click", () => send("function", running ? "pause" : "run"));
  find("step").addEventListener("click", () => send("function", "step"));
  find("reset").addEventListener("click", () => {
    running = false;
    change({});
  });
  for (const name of ["rate", "speed", "epsilon"])
    find(name).addEventListener("change", () => {
      const value = Number(find(name).value);
      if (!Number.isFinite(value) || value < 0) return;
      state[name] = value;
      send("function", "set", { [name]: value });
    });
  for (const name of ["activation", "optimizer"]) find(name).addEventListener("change", () => change({ [name]: find(name).value }));
  find("seed").addEventListener("change", () => change({ seed: Math.max(0, Math.round(Number(find("seed").value) || 0)) }));
  find("dice").addEventListener("click", () => change({ seed: Math.floor(Math.random() * 10000) }));
  find("more").addEventListener("click", () => change({ hidden: [...state.hidden, state.hidden.at(-1) ?? 8] }));
  find("fewer").addEventListener("click", () => change({ hidden: state.hidden.slice(0, -1) }));
  find("share").addEventListener("click", share);
  for (const name of ["csharp", "fsharp"]) find(name).addEventListener("click", () => send("function", "source", { language: find(name).value }));
  find("controls").addEventListener("submit", event => event.preventDefault());
  lessons();
}

function lessons() {
  const typed = () => {
    stopDrawing();
    const [from, to] = [find("from").valueAsNumber, find("to").valueAsNumber];
    const kept = state.lesson.kind === "drawn" && find("formula").value === "" ? state.lesson : { kind: "formula", formula: find("formula").value };
    change({ lesson: { ...kept, from: Number.isFinite(from) ? from : -2, to: Number.isFinite(to) ? to : 2 } });
  };
  for (const name of ["formula", "from", "to"]) find(name).addEventListener("change", typed);
  find("line").addEventListener("submit", event => {
    event.preventDefault();
    if (find("formula").value !== state.lesson.formula) typed();
  });
  find("examples").replaceChildren(...formulas.map(formula => make("button", { type: "button", onclick: () => {
    find("formula").value = formula;
    typed();
  } }, formula)));
  find("draw").addEventListener("click", () => {
    const isOn = find("draw").getAttribute("aria-pressed") !== "true";
    find("draw").setAttribute("aria-pressed", isOn);
    find("plot").classList.toggle("drawing", isOn);
  });
  const plane = set => change({ lesson: { kind: "plane", set, noise: Number(find("noise").value), seed: 1 } });
  find("sets").replaceChildren(...sets.map(set => {
    const picture = make("canvas", { "aria-hidden": "true" });
    return make("button", { type: "button", value: set, "data-t-label": set, "aria-pressed": "false", onclick: () => plane(set) }, picture);
  }));
  find("noise").addEventListener("change", () => state.lesson.kind === "plane" && change({ lesson: { ...state.lesson, noise: Number(find("noise").value) } }));
  for (const radio of document.querySelectorAll("input[name=f-kind]"))
    radio.addEventListener("change", () => {
      if (radio.value === "plane") plane("circle");
      else {
        find("formula").value ||= formulas[0];
        typed();
      }
      drawSets();
    });
  find("csv").addEventListener("change", async () => {
    const file = find("csv").files[0];
    if (!file) return;
    if (file.size > 400_000) return refuse({ error: "file-too-large" });
    find("formula").value = "";
    change({ lesson: { kind: "table", table: await file.text() } });
  });
  fill();
  drawSets();
  document.addEventListener("theme", drawSets);
}

function stopDrawing() {
  find("draw").setAttribute("aria-pressed", "false");
  find("plot").classList.remove("drawing");
}

/** Little pictures of the sets, by rule of thumb. */
function drawSets() {
  const colours = [colour("orange"), colour("blue")];
  const shapes = {
    circle: i => (i % 2 ? [0.5 + 0.13 * Math.cos(i), 0.5 + 0.13 * Math.sin(i), 1] : [0.5 + 0.38 * Math.cos(i), 0.5 + 0.38 * Math.sin(i), 0]),
    xor: i => [((i * 0.618) % 1) * 0.34 + (i % 2 ? 0.58 : 0.08), ((i * 0.382) % 1) * 0.34 + (i % 4 < 2 ? 0.08 : 0.58), (i % 2 ? 1 : 0) ^ (i % 4 < 2 ? 1 : 0)],
    gauss: i => [(i % 2 ? 0.7 : 0.3) + 0.13 * Math.sin(i * 7), (i % 2 ? 0.3 : 0.7) + 0.13 * Math.cos(i * 5), i % 2],
    spiral: i => [0.5 + (i / 60) * 0.42 * Math.sin((i / 60) * 11 + (i % 2) * Math.PI), 0.5 + (i / 60) * 0.42 * Math.cos((i / 60) * 11 + (i % 2) * Math.PI), i % 2],
  };
  for (const button of find("sets").children) {
    const { pen, width, height } = context(button.firstChild);
    for (let i = 0; i < 60; i++) {
      const [x, y, label] = shapes[button.value](i);
      pen.fillStyle = colours[label];
      pen.beginPath();
      pen.arc(x * width, y * height, 1.6, 0, 7);
      pen.fill();
    }
  }
}

/** Hands a text to the browser as a file. */
function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

async function share() {
  const hash = address.write(state, frame);
  history.replaceState(null, "", location.pathname + location.search + hash);
  try {
    await navigator.clipboard.writeText(location.href);
    find("status").textContent = t("shared");
  } catch {
    find("status").textContent = t("share-failed");
  }
}
