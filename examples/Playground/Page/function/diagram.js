// The network as people know it from TensorFlow Playground: every neuron a little picture of what it makes of the inputs,
// every weight a line, orange below zero and blue above it, the wider the larger.
import { bytes, colour, context, drawField, make } from "../look.js";
import { t } from "../words.js";

/** At most so many lines are drawn, the strongest. */
const mostLines = 600;

export class Diagram {
  /** `act` is told what the visitor does: widths(hidden), pick(layer, neuron), look(layer, neuron) and unlook(). */
  constructor(element, act) {
    this.element = element;
    this.act = act;
    this.lines = make("canvas", { "aria-hidden": "true" });
    new ResizeObserver(() => this.drawLines()).observe(element);
  }

  /** Makes the cells of a network anew. */
  build(inputs, hidden) {
    this.widths = [inputs, ...hidden, 1];
    this.cells = [];
    const largest = Math.max(...hidden, 2);
    this.element.style.setProperty("--cell", largest <= 8 ? "40px" : largest <= 12 ? "30px" : largest <= 16 ? "22px" : "13px");
    const columns = this.widths.map((width, layer) => {
      const cells = Array.from({ length: width }, (_, neuron) => this.cell(layer, neuron, inputs));
      this.cells.push(cells);
      return make("div", { class: "layer" }, this.head(layer, hidden), make("div", { class: "cells" }, ...cells));
    });
    this.element.replaceChildren(this.lines, ...columns);
  }

  cell(layer, neuron, inputs) {
    if (layer === 0) return make("span", { class: "cell fixed" }, inputs === 1 ? "x" : ["x₁", "x₂"][neuron]);
    const isOutput = layer === this.widths.length - 1;
    const picture = make("canvas", { "aria-hidden": "true" });
    return make("button", {
      type: "button", class: "cell", "aria-pressed": "false",
      "aria-label": isOutput ? t("output") : t("neuron", { n: neuron + 1, layer }),
      onclick: () => this.act.pick(layer, neuron),
      onpointerenter: () => isOutput || this.act.look(layer, neuron),
      onpointerleave: () => this.act.unlook(),
      onfocus: () => isOutput || this.act.look(layer, neuron),
      onblur: () => this.act.unlook(),
    }, picture);
  }

  head(layer, hidden) {
    if (layer === 0 || layer === this.widths.length - 1) return make("div", { class: "width" }, layer === 0 ? "" : "F");
    const change = by => this.act.widths(hidden.map((width, i) => (i === layer - 1 ? width + by : width)));
    const button = (sign, by, key) => make("button", { type: "button", class: "quiet icon", "aria-label": t(key, { layer }), title: t(key, { layer }), onclick: () => change(by) }, sign);
    const [less, more] = [button("−", -1, "fewer-neurons"), button("+", 1, "more-neurons")];
    less.disabled = hidden[layer - 1] <= 1;
    more.disabled = hidden[layer - 1] >= 32;
    return make("div", { class: "width" }, less, String(hidden[layer - 1]), more);
  }

  /** Marks the neuron whose weights are being edited. */
  mark(layer, neuron) {
    this.cells?.forEach((cells, i) => cells.forEach((cell, k) => i > 0 && cell.setAttribute("aria-pressed", i === layer && k === neuron)));
  }

  /** Shows a frame: `neurons` has the pictures of every hidden layer, `output` that of the answer. */
  show(neurons, output, parameters, side) {
    if (!this.cells || this.cells.length !== neurons.length + 2) return;
    [...neurons, [output]].forEach((layer, i) => layer.forEach((picture, k) => {
      const cell = this.cells[i + 1][k];
      if (cell) draw(cell.firstChild, typeof picture === "string" ? bytes(picture) : picture, side);
    }));
    this.parameters = parameters;
    this.drawLines();
  }

  drawLines() {
    const { pen } = context(this.lines);
    if (!this.parameters || !this.cells) return;
    const home = this.lines.getBoundingClientRect();
    const spots = this.cells.map(cells => cells.map(cell => {
      const box = cell.getBoundingClientRect();
      return { left: box.left - home.left, right: box.right - home.left, y: (box.top + box.bottom) / 2 - home.top };
    }));
    const lines = [];
    let place = 0;
    for (let layer = 0; layer + 1 < this.widths.length; layer++) {
      const [from, to] = [this.widths[layer], this.widths[layer + 1]];
      for (let i = 0; i < from; i++)
        for (let k = 0; k < to; k++) lines.push({ a: spots[layer][i], b: spots[layer + 1][k], weight: this.parameters[place + i * to + k] });
      place += from * to + to;
    }
    if (lines.length > mostLines) lines.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).length = mostLines;
    const [plus, minus] = [colour("blue"), colour("orange")];
    for (const { a, b, weight } of lines) {
      const size = Math.min(1, Math.abs(weight) / 3);
      pen.strokeStyle = weight < 0 ? minus : plus;
      pen.globalAlpha = 0.18 + 0.82 * Math.sqrt(size);
      pen.lineWidth = 0.6 + 5 * size;
      const bend = (b.left - a.right) * 0.45;
      pen.beginPath();
      pen.moveTo(a.right, a.y);
      pen.bezierCurveTo(a.right + bend, a.y, b.left - bend, b.y, b.left, b.y);
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }
}

/** A neuron's picture: a curve where there is one variable, a field where there are two (then `side` is its side). */
function draw(canvas, values, side) {
  const { pen, width, height } = context(canvas);
  if (side) return drawField(pen, values, side, 0, 0, width, height);
  pen.strokeStyle = colour("line");
  pen.beginPath();
  pen.moveTo(0, height / 2);
  pen.lineTo(width, height / 2);
  pen.stroke();
  const y = value => height / 2 - ((value - 127) / 127) * (height / 2 - 3);
  const [plus, minus] = [colour("blue"), colour("orange")];
  pen.lineWidth = width > 24 ? 2 : 1.5;
  for (let i = 0; i + 1 < values.length; i++) {
    pen.strokeStyle = values[i] + values[i + 1] >= 254 ? plus : minus;
    pen.beginPath();
    pen.moveTo((i / (values.length - 1)) * width, y(values[i]));
    pen.lineTo(((i + 1) / (values.length - 1)) * width, y(values[i + 1]));
    pen.stroke();
  }
}
