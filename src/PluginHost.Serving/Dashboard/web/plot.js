// A line plot with axes.

import { number, svg } from "./dom.js";

const [width, height, left, bottom] = [420, 200, 52, 24];

/** Points [[x, y], ...] as a drawing with a text for those who do not see it. */
export function plot(title, points) {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  if (y0 === y1) [y0, y1] = [y0 - 1, y1 + 1];
  const x = (value) => left + ((value - x0) / (x1 - x0 || 1)) * (width - left - 10);
  const y = (value) => 10 + (1 - (value - y0) / (y1 - y0)) * (height - bottom - 14);
  const line = points.map((point, i) => `${i ? "L" : "M"}${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`).join("");
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: from ${number(ys[0])} to ${number(ys.at(-1))} over steps ${x0} to ${x1}`, width: "100%" },
    [y0, (y0 + y1) / 2, y1].map((value) => [svg("line", { class: "axis", x1: left, x2: width - 10, y1: y(value), y2: y(value) }), svg("text", { class: "quiet", x: left - 6, y: y(value) + 4, "text-anchor": "end" }, number(value))]),
    [x0, x1].map((value, i) => svg("text", { class: "quiet", x: x(value), y: height - 6, "text-anchor": i ? "end" : "start" }, number(value))),
    svg("path", { d: line, fill: "none", stroke: "var(--accent)", "stroke-width": 1.8 }));
}
