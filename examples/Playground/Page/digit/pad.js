// A pad to draw on by mouse, touch or pen; or by keyboard: the arrows move the pen, space puts it down and lifts it.
import { colour, context } from "../look.js";

/** The drawing is kept at this many places along each side, whatever the screen's. */
const side = 112;

export class Pad {
  /** `changed()` is called whenever there is more, or nothing, on it. */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.ink = Object.assign(document.createElement("canvas"), { width: side, height: side });
    this.pen = this.ink.getContext("2d", { willReadFrequently: true });
    Object.assign(this.pen, { lineCap: "round", lineJoin: "round", lineWidth: side * 0.085, strokeStyle: "#000", fillStyle: "#000" });
    this.cursor = { x: side / 2, y: side / 2, down: false, shown: false };
    this.strokes = 0;
    this.byHand();
    this.byKeys();
    document.addEventListener("theme", () => this.show());
    new ResizeObserver(() => this.show()).observe(canvas);
  }

  clear() {
    this.pen.clearRect(0, 0, side, side);
    this.strokes = 0;
    this.show();
    this.changed();
  }

  get isEmpty() {
    return this.strokes === 0;
  }

  /** The ink at every place, a byte each, as base64. */
  read() {
    const { data } = this.pen.getImageData(0, 0, side, side);
    let text = "";
    for (let i = 3; i < data.length; i += 4) text += String.fromCharCode(data[i]);
    return btoa(text);
  }

  line(from, to) {
    this.pen.beginPath();
    this.pen.moveTo(from.x, from.y);
    this.pen.lineTo(to.x + 0.01, to.y);
    this.pen.stroke();
    this.strokes++;
    this.show();
    this.changed();
  }

  show() {
    const { pen, width, height } = context(this.canvas);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(this.ink, 0, 0, width, height);
    pen.globalCompositeOperation = "source-in";
    pen.fillStyle = colour("ink");
    pen.fillRect(0, 0, width, height);
    pen.globalCompositeOperation = "source-over";
    if (!this.cursor.shown) return;
    pen.strokeStyle = colour(this.cursor.down ? "orange" : "accent");
    pen.lineWidth = 2;
    pen.beginPath();
    pen.arc((this.cursor.x / side) * width, (this.cursor.y / side) * height, 9, 0, 7);
    pen.stroke();
  }

  byHand() {
    let before = null;
    const spot = event => {
      const box = this.canvas.getBoundingClientRect();
      return { x: ((event.clientX - box.left) / box.width) * side, y: ((event.clientY - box.top) / box.height) * side };
    };
    this.canvas.addEventListener("pointerdown", event => {
      if (event.button !== 0) return;
      this.canvas.setPointerCapture(event.pointerId);
      before = spot(event);
      this.cursor.shown = false;
      this.line(before, before);
    });
    this.canvas.addEventListener("pointermove", event => {
      if (!before) return;
      for (const item of event.getCoalescedEvents?.() ?? [event]) {
        const now = spot(item);
        this.line(before, now);
        before = now;
      }
    });
    for (const end of ["pointerup", "pointercancel"]) this.canvas.addEventListener(end, () => (before = null));
  }

  byKeys() {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    this.canvas.addEventListener("keydown", event => {
      if (event.key === " ") {
        this.cursor.down = !this.cursor.down;
        if (this.cursor.down) this.line(this.cursor, this.cursor);
      } else if (moves[event.key]) {
        const [dx, dy] = moves[event.key];
        const before = { ...this.cursor };
        const keep = value => Math.min(side - 8, Math.max(8, value));
        Object.assign(this.cursor, { x: keep(before.x + 4 * dx), y: keep(before.y + 4 * dy) });
        if (this.cursor.down) this.line(before, this.cursor);
      } else return;
      event.preventDefault();
      this.show();
    });
    this.canvas.addEventListener("focus", () => {
      this.cursor.shown = this.canvas.matches(":focus-visible");
      this.show();
    });
    this.canvas.addEventListener("blur", () => {
      Object.assign(this.cursor, { down: false, shown: false });
      this.show();
    });
  }
}
