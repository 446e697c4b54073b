// What the network has learnt: the curve over f, or the decision field with its points; the errors; the learning curve.
import { bytes, colour, context, drawField, make, short } from "../look.js";
import { Chart } from "../chart.js";
import { t } from "../words.js";

const mostHistory = 600;
const find = id => document.getElementById("f-" + id);

export class Result {
  /** `drawn(values)` is called with a function that was drawn by hand. */
  constructor(drawn) {
    this.drawn = drawn;
    this.lesson = null;
    this.history = [[], [], []];
    this.plot = new Chart(find("plot"), [
      { name: "f", colour: "strong", width: 5 },
      { name: "points", colour: "muted", points: true },
      { name: "neuron", colour: "blue", width: 1.5, dash: [5, 4] },
      { name: "F", colour: "orange", width: 2.5 },
    ], { x: () => this.rangeX(), y: () => this.rangeY(), label: () => t("chart-result") });
    this.curve = new Chart(find("history"), [
      { name: "loss", colour: "blue", width: 1.5 },
      { name: "sup", colour: "orange", width: 1.5 },
    ], { log: true, x: (_, low, high) => [0, Math.max(100, high)], label: () => t("chart-history") });
    this.letDraw(find("plot"));
    new ResizeObserver(() => this.isPlane && this.drawPlane()).observe(find("field"));
    document.addEventListener("theme", () => this.isPlane && this.drawPlane());
  }

  get isPlane() {
    return this.lesson?.kind === "plane";
  }

  rangeX() {
    const x = this.lesson?.x ?? [0, 1];
    return [x[0], x.at(-1)];
  }

  /** Room for f and the points, not for a network that is far off. */
  rangeY() {
    const lesson = this.lesson;
    if (!lesson || this.isPlane) return [-1, 1];
    const values = [...(lesson.f ?? []), ...(lesson.points ?? []).filter((_, i) => i % 2 === 1)];
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = high > low ? 0.18 * (high - low) : 1;
    return [low - room, high + room];
  }

  /** A new lesson; the learning curve begins anew unless it goes on. */
  begin(lesson, goesOn) {
    this.lesson = lesson;
    this.frame = null;
    if (!goesOn) this.history = [[], [], []];
    find("plot").hidden = this.isPlane;
    find("field").hidden = !this.isPlane;
    find("field").setAttribute("aria-label", t("chart-field"));
    this.name();
    this.draw();
  }

  name() {
    find("sup-name").textContent = t(this.isPlane ? "right" : "sup-norm");
    find("l2-name").textContent = this.isPlane ? "" : t("l2");
    const key = (name, text) => make("span", {}, make("i", { class: "key-" + name }), text);
    const keys = this.isPlane ? [key("blue", "1"), key("orange", "−1")] : [key("f", this.lesson?.f ? t("curve-f") : t("points")), key("orange", t("curve-net"))];
    find("legend").replaceChildren(...keys);
    find("history-legend").replaceChildren(key("blue", t("loss")), ...(this.isPlane ? [] : [key("orange", t("sup-norm"))]));
  }

  show(frame) {
    this.frame = frame;
    const [steps, loss, sup] = this.history;
    if (frame.loss !== null && (steps.length === 0 || frame.steps > steps.at(-1))) {
      steps.push(frame.steps);
      loss.push(frame.loss || null);
      sup.push(frame.sup || null);
      if (steps.length > mostHistory) this.history = this.history.map(list => list.filter((_, i) => i % 2 === 0));
      this.curve.show(this.history);
    }
    find("sup").textContent = this.isPlane ? `${(100 * frame.right).toFixed(1)} %` : short(frame.sup);
    find("l2").textContent = this.isPlane ? "" : short(frame.l2);
    find("loss").textContent = short(frame.loss);
    this.draw();
  }

  /** A neuron to be looked at in the large picture; null for none. */
  look(values) {
    this.neuron = values;
    this.draw();
  }

  draw() {
    if (!this.lesson) return;
    if (this.isPlane) this.drawPlane();
    else this.drawCurves();
  }

  drawCurves() {
    const { x, f, points } = this.lesson;
    const nothing = x.map(() => null);
    const [low, high] = this.rangeY();
    const last = this.neuron?.length - 1;
    const neuron = this.neuron
      ? x.map((_, i) => {
        const place = (i / (x.length - 1)) * last, left = Math.min(Math.floor(place), last - 1);
        const value = this.neuron[left] + (place - left) * (this.neuron[left + 1] - this.neuron[left]);
        return (low + high) / 2 + ((value - 127) / 127) * (high - low) * 0.45;
      })
      : nothing;
    const curves = [x, f ?? nothing, nothing, neuron, this.frame?.curve ?? nothing];
    this.plot.show(points ? merge(curves, points) : curves);
  }

  drawPlane() {
    const { pen, width, height } = context(find("field"));
    const { box, points, fresh, side, small } = this.lesson;
    if (this.neuron) drawField(pen, this.neuron, small, 0, 0, width, height);
    else if (this.frame?.field) {
      // paler than the points
      pen.globalAlpha = 0.7;
      drawField(pen, bytes(this.frame.field), side, 0, 0, width, height);
      pen.globalAlpha = 1;
    }
    const colours = [colour("orange"), colour("blue")];
    const dots = (list, size, rim) => {
      for (let i = 0; i < list.length; i += 3) {
        pen.beginPath();
        pen.arc(((list[i] - box[0]) / (box[1] - box[0])) * width, height - ((list[i + 1] - box[2]) / (box[3] - box[2])) * height, size, 0, 7);
        pen.fillStyle = colours[list[i + 2] > 0 ? 1 : 0];
        pen.fill();
        pen.strokeStyle = rim;
        pen.stroke();
      }
    };
    pen.lineWidth = 1;
    dots(fresh, 2.5, colour("ink"));
    dots(points, 3.5, colour("card"));
  }

  /** Drawing by hand: every stroke changes f where it goes. */
  letDraw(element) {
    let before = null;
    const spot = event => {
      const over = element.querySelector(".u-over").getBoundingClientRect();
      const part = Math.min(1, Math.max(0, (event.clientX - over.left) / over.width));
      const value = this.plot.plot.posToVal(Math.min(over.height, Math.max(0, event.clientY - over.top)), "y");
      return { place: Math.round(part * (this.lesson.x.length - 1)), value };
    };
    element.addEventListener("pointerdown", event => {
      if (!element.classList.contains("drawing") || this.isPlane) return;
      element.setPointerCapture(event.pointerId);
      this.lesson = { ...this.lesson, points: null, f: [...(this.lesson.f ?? this.lesson.x.map(() => 0))] };
      before = spot(event);
      event.preventDefault();
    });
    element.addEventListener("pointermove", event => {
      if (!before) return;
      for (const item of event.getCoalescedEvents?.() ?? [event]) {
        const now = spot(item);
        const steps = Math.max(1, Math.abs(now.place - before.place));
        for (let i = 0; i <= steps; i++)
          this.lesson.f[before.place + Math.round(((now.place - before.place) * i) / steps)] = before.value + ((now.value - before.value) * i) / steps;
        before = now;
      }
      this.drawCurves();
    });
    const end = () => {
      if (before) this.drawn(this.lesson.f.map(value => Number(value.toPrecision(5))));
      before = null;
    };
    element.addEventListener("pointerup", end);
    element.addEventListener("pointercancel", end);
  }
}

/** Curves and points (x, y, x, y, …) over all their places together. */
function merge([x, f, , neuron, net], points) {
  const rows = x.map((place, i) => [place, f[i], null, neuron[i], net[i]]);
  for (let i = 0; i < points.length; i += 2) rows.push([points[i], null, points[i + 1], null, null]);
  rows.sort((a, b) => a[0] - b[0]);
  return [0, 1, 2, 3, 4].map(column => rows.map(row => row[column]));
}
