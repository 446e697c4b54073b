// Gradient descent on a surface: a click says where it begins, the slider how large its steps are.
import { colour, context, make, short } from "../look.js";
import { t } from "../words.js";

const find = id => document.getElementById("s-" + id);
const surfaces = {
  bowl: ["x^2 + 3*y^2", 2, 0.1], ravine: ["(1-x)^2 + 20*(y-x^2)^2", 2, 0.005], himmelblau: ["((x^2+y-11)^2 + (x+y^2-7)^2)/10", 5, 0.05],
  saddle: ["x^2 - y^2 + y^4/4", 2.5, 0.1], waves: ["x^2/10 + y^2/10 - cos(2*x)*cos(2*y)", 4, 0.1],
};
let reach = 2, place = { x: -1.4, y: 1.2 }, found = null, ask;

export function begin(asker) {
  ask = asker;
  find("surfaces").replaceChildren(...Object.keys(surfaces).map(name => make("option", { value: name })), make("option", { value: "own" }));
  find("surfaces").addEventListener("change", () => choose(find("surfaces").value));
  find("surface-formula").addEventListener("change", () => {
    find("surfaces").value = "own";
    start();
  });
  find("descent-rate").addEventListener("input", start);
  find("descent-kind").addEventListener("change", start);
  find("surface").addEventListener("click", event => {
    const box = find("surface").getBoundingClientRect();
    place = { x: reach * (2 * (event.clientX - box.left) / box.width - 1), y: reach * (1 - 2 * (event.clientY - box.top) / box.height) };
    start();
  });
  find("surface").addEventListener("keydown", event => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!move) return;
    event.preventDefault();
    const keep = value => Math.max(-reach, Math.min(reach, value));
    place = { x: keep(place.x + (move[0] * reach) / 20), y: keep(place.y + (move[1] * reach) / 20) };
    start();
  });
  document.addEventListener("theme", show);
  new ResizeObserver(show).observe(find("surface"));
  choose("bowl");
}

function choose(name) {
  if (!surfaces[name]) return;
  const [formula, size, rate] = surfaces[name];
  [find("surface-formula").value, reach] = [formula, size];
  find("descent-rate").value = Math.log10(rate);
  place = { x: -0.7 * reach, y: 0.6 * reach };
  start();
}

export function words() {
  for (const option of find("surfaces").options) option.textContent = t("surface-" + option.value);
  say();
}

export function start() {
  const rate = Number((10 ** find("descent-rate").valueAsNumber).toPrecision(2));
  find("descent-rate-value").textContent = rate;
  ask?.("descent", { formula: find("surface-formula").value, reach, ...place, rate, optimizer: find("descent-kind").value });
}

export function hear(answer) {
  found = answer;
  find("error").textContent = "";
  say();
  show();
}

export function refuse({ error, about }) {
  const formula = find("surface-formula").value;
  find("error").textContent = error === "formula" ? `${t("formula")}\n${formula}\n${" ".repeat(about.place)}↑` : t(error, about);
}

function say() {
  if (!found?.path.length) return;
  const [x, y, height] = found.path.at(-1).map(value => (Math.abs(value) < 1e-6 ? 0 : value));
  find("descent-said").textContent = found.path.length > 150
    ? t("descent-end", { x: short(x), y: short(y), height: short(height), steps: found.path.length - 1 })
    : t("descent-away", { steps: found.path.length - 1 });
}

export function show() {
  const { pen, width, height } = context(find("surface"));
  if (!found || !width) return;
  heights(pen, width, height);
  const spot = ([x, y]) => [((x / found.reach + 1) / 2) * width, ((1 - y / found.reach) / 2) * height];
  pen.strokeStyle = colour("orange");
  pen.fillStyle = colour("orange");
  pen.lineWidth = 2;
  pen.beginPath();
  for (const point of found.path) pen.lineTo(...spot(point));
  pen.stroke();
  found.path.forEach((point, i) => {
    pen.beginPath();
    pen.arc(...spot(point), i === 0 ? 6 : 3, 0, 7);
    pen.fill();
  });
}

/** Heights in bands, low ones dark: by their rank, so that valleys show whatever the scale. */
function heights(pen, width, height) {
  const { side } = found;
  const known = found.heights.filter(value => value !== null).sort((a, b) => a - b);
  const [low, high] = ["zero", "blue"].map(name => colour(name).match(/[\d.]+/g).map(Number));
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const small = canvas.getContext("2d");
  const image = small.createImageData(side, side);
  const rank = value => {
    let [from, to] = [0, known.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (known[middle] < value) from = middle + 1;
      else to = middle;
    }
    return from / known.length;
  };
  found.heights.forEach((value, i) => {
    const part = value === null ? 0 : 1 - Math.round(rank(value) * 14) / 14;
    const pixel = 4 * ((side - 1 - Math.floor(i / side)) * side + (i % side));
    for (let k = 0; k < 3; k++) image.data[pixel + k] = low[k] + (high[k] - low[k]) * part * 0.85;
    image.data[pixel + 3] = 255;
  });
  small.putImageData(image, 0, 0);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(canvas, 0, 0, width, height);
}
