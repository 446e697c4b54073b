// The weights of one neuron as numbers to be edited, while it trains or not.
import { make } from "../look.js";
import { t } from "../words.js";

/** Where a neuron's weights and its bias lie among all parameters. */
function places(widths, layer, neuron) {
  let start = 0;
  for (let i = 0; i + 1 < layer; i++) start += (widths[i] + 1) * widths[i + 1];
  const [from, to] = [widths[layer - 1], widths[layer]];
  return [...Array.from({ length: from }, (_, i) => start + i * to + neuron), start + from * to + neuron];
}

export class Weights {
  /** `put(place, value)` is called for a number that the visitor has changed, `closed()` when the editor goes. */
  constructor(element, put, closed) {
    this.element = element;
    this.put = put;
    this.closed = closed;
  }

  open(widths, layer, neuron) {
    this.picked = { layer, neuron };
    const isOutput = layer === widths.length - 1;
    const name = t("weights-of", { neuron: isOutput ? t("output") : t("neuron", { n: neuron + 1, layer }) });
    this.inputs = places(widths, layer, neuron).map((place, i, all) => {
      const from = i === all.length - 1 ? t("bias") : layer === 1 ? (widths[0] === 1 ? "x" : ["x₁", "x₂"][i]) : `${layer - 1}·${i + 1}`;
      const input = make("input", { type: "number", step: "0.1", onchange: () => Number.isFinite(input.valueAsNumber) && this.put(place, input.valueAsNumber) });
      return { place, input, label: make("label", {}, make("span", {}, from), input) };
    });
    const close = make("button", { type: "button", class: "quiet icon", "aria-label": t("close"), title: t("close"), onclick: () => this.close() }, "×");
    this.element.replaceChildren(make("h3", {}, name, make("span", { class: "fill" }), close), ...this.inputs.map(item => item.label));
    this.element.hidden = false;
    if (this.parameters) this.show(this.parameters);
  }

  close() {
    this.picked = null;
    this.element.hidden = true;
    this.closed();
  }

  /** The numbers as they are now, but for the one that is being typed. */
  show(parameters) {
    this.parameters = parameters;
    if (!this.picked) return;
    for (const { place, input } of this.inputs) {
      const value = parameters[place];
      if (value === undefined) return;
      input.classList.toggle("plus", value >= 0);
      input.classList.toggle("minus", value < 0);
      if (document.activeElement !== input) input.value = Number(value.toPrecision(4));
    }
  }
}
