// The exhibit of drawn digits: the drawing goes to the server as it is drawn, one question at a time, and what the network
// makes of it comes back.
import { bytes, colour, make } from "../look.js";
import { listen, send } from "../live.js";
import { t } from "../words.js";
import { Pad } from "./pad.js";

const find = id => document.getElementById("d-" + id);
let pad, sight = null, school = null, told = 0;
let asking = false, askAgain = false;

export function begin() {
  pad = new Pad(find("pad"), ask);
  find("clear").addEventListener("click", () => pad.clear());
  find("forget").addEventListener("click", () => {
    send("digit", "forget");
    ask();
  });
  find("bars").replaceChildren(...digits.map(digit => make("li", {}, String(digit), make("span", { class: "track" }, make("div", { class: "bar" })), make("span", { class: "share" }, "–"))));
  find("tell").replaceChildren(...digits.map(digit => make("button", { type: "button", onclick: () => tell(digit) }, String(digit))));
  document.addEventListener("language", words);
  document.addEventListener("theme", show);
  words();
  listen("digit", hear, () => {
    [asking, school, told] = [false, null, 0];
    send("digit", "look");
  });
}

const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

function hear(message) {
  if (message.progress !== undefined) {
    find("school").value = message.progress;
    find("school").hidden = false;
    find("status").textContent = t("school");
  }
  if (message.school) {
    school = message.school;
    find("school").hidden = true;
    words();
    ask();
  }
  if (message.told !== undefined) {
    told = message.told;
    words();
  }
  if (message.seen) {
    sight = message.seen;
    answered();
    requestAnimationFrame(show);
  }
  if (message.error) {
    answered();
    find("status").textContent = t(message.error, message.about ?? {});
  }
}

/** Asks what is on the pad; while an answer is awaited, the newest drawing waits. */
function ask() {
  if (!school) return;
  if (pad.isEmpty) {
    sight = null;
    return show();
  }
  if (asking) {
    askAgain = true;
    return;
  }
  asking = send("digit", "read", { image: pad.read() });
}

function answered() {
  asking = false;
  if (!askAgain) return;
  askAgain = false;
  ask();
}

function tell(digit) {
  if (pad.isEmpty) find("status").textContent = t("empty");
  else if (school && send("digit", "tell", { image: pad.read(), digit })) find("status").textContent = t("telling", { digit });
}

function words() {
  if (school) find("source").textContent = t(school.isMnist ? "source-mnist" : "source-drawn", { n: school.count.toLocaleString("en"), right: (100 * school.accuracy).toFixed(1) });
  find("status").textContent = school ? (told ? t("told", { n: told }) : t("draw-hint")) : t("school");
  find("forget").disabled = told === 0;
  find("tell").querySelectorAll("button").forEach((button, digit) => button.setAttribute("aria-label", t("it-is", { digit })));
  if (sight) nameLayers();
}

// ---- pictures

function show() {
  const bars = sight?.bars ?? digits.map(() => 0);
  const best = sight ? bars.indexOf(Math.max(...bars)) : -1;
  [...find("bars").children].forEach((row, digit) => {
    row.classList.toggle("best", digit === best);
    row.querySelector(".bar").style.transform = `scaleX(${bars[digit]})`;
    row.querySelector(".share").textContent = sight ? `${(100 * bars[digit]).toFixed(bars[digit] > 0.9995 ? 0 : 1)} %` : "–";
  });
  const answer = best < 0 ? "" : String(best);
  if (find("answer").textContent !== answer) find("answer").textContent = answer;
  find("layers").hidden = !sight;
  find("nothing").hidden = !!sight;
  if (!sight) return;
  if (find("maps").childElementCount !== sight.layers.length) buildLayers();
  picture(find("input"), bytes(sight.input), 28, 28);
  sight.layers.forEach((layer, i) => layer.images.forEach((image, k) =>
    picture(find("maps").children[i].querySelectorAll("canvas")[k], bytes(image), layer.width, layer.height)));
}

function buildLayers() {
  find("maps").replaceChildren(...sight.layers.map(layer => make("div", {},
    make("h3", {}),
    make("div", { class: "maps" + (layer.height === 1 ? " row" : layer.images.length > 8 ? " many" : "") }, ...layer.images.map(() => make("canvas", { "aria-hidden": "true" }))))));
  nameLayers();
}

function nameLayers() {
  sight.layers.forEach((layer, i) => {
    const heading = find("maps").children[i]?.querySelector("h3");
    if (heading) heading.textContent = t("layer-" + layer.name, { n: layer.height === 1 ? layer.width : layer.images.length, size: `${layer.height}×${layer.width}` });
  });
}

/** Numbers from nothing to the largest as colours from the ground to blue. */
function picture(canvas, values, width, height) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  const [zero, most] = ["zero", "accent"].map(name => colour(name).match(/[\d.]+/g).map(Number));
  for (let i = 0; i < values.length; i++) {
    for (let k = 0; k < 3; k++) image.data[4 * i + k] = zero[k] + ((most[k] - zero[k]) * values[i]) / 254;
    image.data[4 * i + 3] = 255;
  }
  pen.putImageData(image, 0, 0);
}
