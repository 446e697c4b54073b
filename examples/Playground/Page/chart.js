// Curves, by uPlot: a thin layer that gives all charts of the page the same axes, in the colours of the theme.
import { colour, short } from "./look.js";

const font = "12px system-ui, sans-serif";

/** A chart in an element. Series are { name, colour, width, dash, points }; options are { log, x, y, label }: whether values are
 * shown by their logarithms, the axes' ranges, and what the chart is called. */
export class Chart {
  constructor(element, series, options = {}) {
    this.element = element;
    this.series = series;
    this.options = options;
    this.data = [[0, 1], ...series.map(() => [null, null])];
    this.build();
    document.addEventListener("theme", () => this.build());
    new ResizeObserver(() => this.fit()).observe(element);
  }

  build() {
    this.plot?.destroy();
    const axis = () => ({
      stroke: colour("muted"), font, size: 38, gap: 4,
      grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 4 },
    });
    const { log, x, y } = this.options;
    const yAxis = { ...axis(), size: 52 };
    if (log) {
      // logarithms on an even axis, marked at whole powers of ten
      yAxis.incrs = [1, 2, 5, 10, 20, 50, 100];
      yAxis.values = (_, values) => values.map(value => short(10 ** value));
    }
    this.plot = new uPlot({
      width: Math.max(100, this.element.clientWidth),
      height: Math.max(80, this.element.clientHeight),
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: { time: false, ...(x ? { range: x } : {}) },
        y: y ? { range: y } : {},
      },
      axes: [axis(), yAxis],
      series: [{}, ...this.series.map(s => ({
        label: s.name,
        stroke: colour(s.colour),
        width: s.points ? 0 : (s.width ?? 2),
        dash: s.dash,
        spanGaps: true,
        points: { show: !!s.points, size: 6, fill: colour(s.colour), width: 0 },
        paths: s.points ? () => null : undefined,
      }))],
    }, this.data, this.element);
    const canvas = this.element.querySelector("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", this.options.label?.() ?? this.series.map(s => s.name).join(", "));
  }

  fit() {
    const [width, height] = [this.element.clientWidth, this.element.clientHeight];
    if (width && height && (width !== this.plot.width || height !== this.plot.height)) this.plot.setSize({ width, height });
  }

  /** The places, then the values of each series. */
  show(data) {
    const [x, ...values] = data;
    this.data = this.options.log ? [x, ...values.map(list => list.map(value => (value > 0 ? Math.log10(value) : null)))] : data;
    this.plot.setData(this.data);
  }
}
