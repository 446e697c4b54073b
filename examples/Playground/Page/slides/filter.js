// A filter of nine numbers moves over an image: the slide's own, a picture of a few shapes, or the visitor's picture.
import { colour, context, make } from "../look.js";
import { t } from "../words.js";

const find = id => document.getElementById("s-" + id);

// the talk's image, of which its filter makes the talk's map
const slide = [
  3, 5, 6, 0, 5, 4, 5, 4, 1, 0, 5, 1, 2, 2, 3, 2, 4, 3, 1, 5, 5, 4, 1, 6, 3, 3, 4, 3, 2, 1, 3, 4,
  6, 2, 1, 0, 1, 1, 1, 3, 6, 5, 1, 1, 2, 6, 3, 1, 2, 5, 0, 3, 0, 1, 1, 4, 2, 4, 5, 2, 6, 5, 1, 6,
];
const kernels = {
  slide: [1, 0, 1, 2, 1, 3, 1, 1, 2],
  "edges-across": [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  "edges-down": [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  outline: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
  blur: [1, 1, 1, 1, 1, 1, 1, 1, 1].map(() => 0.11),
  sharpen: [0, -1, 0, -1, 5, -1, 0, -1, 0],
};
let image = { height: 8, width: 8, values: slide };
let kernel = kernels.slide, found = null, ask;

export function begin(asker) {
  ask = asker;
  find("kernel").replaceChildren(...kernel.map((value, i) => make("input", { type: "number", step: "any", value, "data-i": i, onchange: typed })));
  find("kernels").replaceChildren(...Object.keys(kernels).map(name => make("option", { value: name })), make("option", { value: "own" }));
  find("kernels").addEventListener("change", () => {
    kernel = kernels[find("kernels").value] ?? kernel;
    [...find("kernel").children].forEach((input, i) => (input.value = kernel[i]));
    start();
  });
  find("images").replaceChildren(...["slide", "shapes", "own"].map(name => make("option", { value: name })));
  find("images").addEventListener("change", () => {
    const name = find("images").value;
    if (name === "own") return find("picture").click();
    image = name === "slide" ? { height: 8, width: 8, values: slide } : shapes();
    start();
  });
  find("picture").addEventListener("change", () => find("picture").files[0] && load(find("picture").files[0]));
  document.addEventListener("theme", show);
}

export function words() {
  for (const option of [...find("kernels").options, ...find("images").options]) option.textContent = t("image-" + option.value);
  [...find("kernel").children].forEach((input, i) => input.setAttribute("aria-label", t("kernel-cell", { row: Math.floor(i / 3) + 1, column: (i % 3) + 1 })));
}

export const start = () => ask("filter", { image: image.values, height: image.height, width: image.width, kernel });

export function hear(answer) {
  found = answer;
  show();
}

export function show() {
  draw(find("image"), image);
  if (!found) return;
  draw(find("map"), found.map);
  draw(find("pooled"), found.pooled);
}

function typed() {
  kernel = [...find("kernel").children].map(input => (Number.isFinite(input.valueAsNumber) ? input.valueAsNumber : 0));
  find("kernels").value = "own";
  start();
}

/** An image in shades of blue for what is above zero and orange for what is below; with its numbers where they are few. */
function draw(canvas, { height, width, values }) {
  const { pen, width: wide, height: high } = context(canvas);
  if (!wide) return;
  const largest = Math.max(1e-9, ...values.map(Math.abs));
  const [plus, minus, ink] = [colour("blue"), colour("orange"), colour("ink")];
  const size = Math.min(wide / width, high / height);
  const isFew = height <= 8 && size > 13;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = `${Math.round(size * 0.42)}px system-ui, sans-serif`;
  values.forEach((value, i) => {
    const [x, y] = [(i % width) * size, Math.floor(i / width) * size];
    pen.globalAlpha = (isFew ? 0.45 : 1) * Math.abs(value) / largest;
    pen.fillStyle = value < 0 ? minus : plus;
    pen.fillRect(x, y, size + 0.5, size + 0.5);
    pen.globalAlpha = 1;
    pen.fillStyle = ink;
    if (isFew) pen.fillText(String(Math.round(value * 10) / 10), x + size / 2, y + size / 2 + 1);
  });
}

/** A ring, a square and a bar. */
function shapes() {
  const side = 64;
  const values = Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    const ring = Math.abs(Math.hypot(x - 22, y - 22) - 13) < 3;
    const square = x > 38 && x < 57 && y > 36 && y < 55;
    const bar = Math.abs(x + y - 70) < 3 && x > 6 && y > 8;
    return ring || square ? 1 : bar ? 0.6 : 0;
  });
  return { height: side, width: side, values };
}

/** The visitor's picture, small and without colours. It does not leave this machine. */
async function load(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = 80 / Math.max(bitmap.width, bitmap.height);
    const [width, height] = [bitmap.width, bitmap.height].map(size => Math.max(4, Math.round(size * scale)));
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const pen = canvas.getContext("2d");
    pen.drawImage(bitmap, 0, 0, width, height);
    const { data } = pen.getImageData(0, 0, width, height);
    const values = Array.from({ length: width * height }, (_, i) => Math.round((0.3 * data[4 * i] + 0.59 * data[4 * i + 1] + 0.11 * data[4 * i + 2]) / 2.55) / 100);
    image = { height, width, values };
    find("filter-error").textContent = "";
    start();
  } catch {
    find("filter-error").textContent = t("no-picture");
  }
}
