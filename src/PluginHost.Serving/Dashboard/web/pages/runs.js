// Runs with their results; those that are chosen side by side: curves as they grow, and the settings in which they differ.

import { get } from "../api.js";
import { h, number, svg, table } from "../dom.js";
import { plot, stroke } from "../plot.js";

const every = 3000;
const most = 4; // lines that can be told apart

export async function runs({ place, rest, signal, fail }) {
  const { data } = await get("/admin/runs");
  if (!data.length) return place.append(h("p", null, "There are no runs yet: start one with POST /v1/fine_tuning/jobs, or with 'pluginhost run PROJECT'."));
  const asked = rest?.split(",").filter((name) => data.some((run) => run.name === name)) ?? [];
  const chosen = asked.length ? asked : [data[0].name];
  const choose = (name, wanted) => {
    const names = wanted ? [...chosen, name].slice(-most) : chosen.filter((other) => other !== name);
    location.hash = `#runs/${names.map(encodeURIComponent).join(",")}`;
  };
  const scores = (run) => (run.evaluations ?? []).slice(0, 4).map((item) => `${item.metric} ${number(item.value)}${item.blind === null ? "" : ` (blind ${number(item.blind)})`}`).join(", ");
  place.append(
    table("Runs", ["shown", "run", "project", "status", "#parameters", "#seconds", "#first loss", "#last loss", "results"], data.map((run) => [
      h("input", { type: "checkbox", checked: chosen.includes(run.name), "aria-label": `Show ${run.name}`, onchange: (event) => choose(run.name, event.target.checked) }),
      h("a", { href: `#runs/${encodeURIComponent(run.name)}` }, run.name), run.project ?? "", run.status, number(run.parameters),
      number(run.stages?.reduce((sum, stage) => sum + stage.seconds, 0)), number(run.stages?.[0]?.firstLoss), number(run.stages?.at(-1)?.lastLoss),
      scores(run),
    ])));
  const detail = h("section", { "aria-label": "Chosen runs" });
  place.append(detail);
  const show = async () => {
    const shown = await Promise.all(chosen.map((name) => get(`/admin/runs/${encodeURIComponent(name)}`)));
    detail.replaceChildren(...curves(shown), ...(shown.length > 1 ? differences(shown) : []));
    return shown.some((run) => run.status === "training");
  };
  if (!(await show())) return;
  const timer = setInterval(() => show().then((growing) => growing || clearInterval(timer)).catch((error) => { clearInterval(timer); fail(error); }), every);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function curves(shown) {
  const tags = [...new Set(shown.flatMap((run) => Object.keys(run.curves)))];
  const plots = tags.map((tag) => [tag, shown.map((run) => ({ name: run.name, points: run.curves[tag] ?? [] }))]).filter(([, series]) => series.some(({ points }) => points.length > 1));
  return [
    h("h2", null, shown.length > 1 ? "Curves" : `${shown[0].name} (${shown[0].status})`),
    shown.length > 1 && h("p", { class: "row" }, shown.map((run, i) => h("span", null, svg("svg", { width: 32, height: 10, "aria-hidden": "true" }, svg("line", { x1: 0, x2: 32, y1: 5, y2: 5, ...stroke(i) })), ` ${run.name} (${run.status})`))),
    plots.length ? h("div", { class: "cards wide" }, plots.map(([tag, series]) => h("figure", { class: "card" }, h("figcaption", null, tag), plot(tag, series)))) : h("p", { class: "quiet" }, "No curves yet."),
  ].filter(Boolean);
}

function differences(shown) {
  const settings = shown.map((run) => new Map(leaves(run.project ?? {}, "")));
  const differing = [...new Set(settings.flatMap((own) => [...own.keys()]))].filter((path) => new Set(settings.map((own) => own.get(path))).size > 1);
  return [h("h2", null, "Settings in which they differ"),
    differing.length ? table("Settings in which they differ", ["setting", ...shown.map((run) => run.name)], differing.map((path) => [path, ...settings.map((own) => own.get(path) ?? "–")])) : h("p", { class: "quiet" }, "None.")];
}

function leaves(value, path) {
  if (value === null || typeof value !== "object") return [[path, JSON.stringify(value)]];
  const own = Object.entries(value);
  return own.length ? own.flatMap(([name, held]) => leaves(held, path ? `${path}.${name}` : name)) : [[path, Array.isArray(value) ? "[]" : "{}"]];
}
