// Colours as the theme has them, and small helpers for drawing.

/** The present value of a colour of page.css, as the browser computes it. */
export function colour(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

const probe = document.createElement("span");
probe.hidden = true;
document.documentElement.append(probe);

let ramp = null;
document.addEventListener("theme", () => (ramp = null));

/** 255 colours from orange (−1) by the ground (0) to blue (1), as TensorFlow Playground has them. */
export function diverging() {
  if (ramp) return ramp;
  const parts = ["orange", "zero", "blue"].map(name => colour(name).match(/[\d.]+/g).slice(0, 3).map(Number));
  ramp = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const value = Math.max(-1, Math.min(1, (i - 127) / 127));
    const end = value < 0 ? parts[0] : parts[2];
    const share = Math.abs(value);
    const [r, g, b] = parts[1].map((zero, k) => Math.round(zero + (end[k] - zero) * share));
    ramp[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return ramp;
}

/** Bytes from a text of base64. */
export const bytes = text => Uint8Array.from(atob(text), character => character.charCodeAt(0));

/** A context of a canvas whose pixels are the screen's, measured in CSS pixels. */
export function context(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

const scratch = document.createElement("canvas");

/** A square field of bytes, the first row below, drawn over a canvas with smooth colours. */
export function drawField(pen, field, side, left, top, width, height, flip = true) {
  [scratch.width, scratch.height] = [side, side];
  const small = scratch.getContext("2d");
  const image = small.createImageData(side, side);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = diverging();
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++)
      pixels[(flip ? side - 1 - row : row) * side + column] = colours[field[row * side + column]];
  small.putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = true;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(scratch, left, top, width, height);
}

/** An element with attributes, listeners (names that begin with "on") and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A number in few characters. */
export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1).replace(".0", "").replaceAll("-", "−").replace("+", "");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}
