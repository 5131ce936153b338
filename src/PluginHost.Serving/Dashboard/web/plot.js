// A line plot with axes.

import { number, svg } from "./dom.js";

const [width, height, left, bottom] = [420, 200, 52, 24];
const dashes = [null, "7 3", "2 3", "9 3 2 3"]; // not by colour alone

/** How the line of a series is drawn. */
export const stroke = (index) => ({ stroke: `var(--series${index % dashes.length})`, "stroke-dasharray": dashes[index % dashes.length], "stroke-width": 1.8, fill: "none" });

/** Series { name, points: [[x, y], ...] } as a drawing with a text for those who do not see it. */
export function plot(title, series) {
  const all = series.flatMap(({ points }) => points);
  const [xs, ys] = [all.map((point) => point[0]), all.map((point) => point[1])];
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  let [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  if (y0 === y1) [y0, y1] = [y0 - 1, y1 + 1];
  const x = (value) => left + ((value - x0) / (x1 - x0 || 1)) * (width - left - 10);
  const y = (value) => 10 + (1 - (value - y0) / (y1 - y0)) * (height - bottom - 14);
  const line = (points) => points.map((point, i) => `${i ? "L" : "M"}${x(point[0]).toFixed(1)} ${y(point[1]).toFixed(1)}`).join("");
  const told = series.filter(({ points }) => points.length).map(({ name, points }) => `${name}: from ${number(points[0][1])} to ${number(points.at(-1)[1])} over steps ${points[0][0]} to ${points.at(-1)[0]}`);
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}. ${told.join("; ")}`, width: "100%" },
    [y0, (y0 + y1) / 2, y1].map((value) => [svg("line", { class: "axis", x1: left, x2: width - 10, y1: y(value), y2: y(value) }), svg("text", { class: "quiet", x: left - 6, y: y(value) + 4, "text-anchor": "end" }, number(value))]),
    [x0, x1].map((value, i) => svg("text", { class: "quiet", x: x(value), y: height - 6, "text-anchor": i ? "end" : "start" }, number(value))),
    series.map(({ points }, i) => svg("path", { d: line(points), ...stroke(i) })));
}
