// The graph of the loaded project, and each node's settings.

import { get, post } from "../api.js";
import { ask, button, h, number, svg, table } from "../dom.js";
import { field, read } from "../form.js";

const [boxWidth, boxHeight, gapX, gapY] = [190, 62, 70, 26];

export async function graph({ place, model, rest, fail, again }) {
  const shown = await get(`/admin/graph?model=${encodeURIComponent(model)}`);
  const inspector = h("section", { "aria-label": "Node" }, h("p", { class: "quiet" }, "Choose a node to see its ports and settings."));
  const nodes = new Map(shown.nodes.map((node) => [node.name, node]));
  const choose = (name) => {
    history.replaceState(null, "", `#graph/${encodeURIComponent(name)}`);
    for (const box of place.querySelectorAll(".node")) box.setAttribute("aria-pressed", String(box.dataset.node === name));
    inspector.replaceChildren(...inspect(nodes.get(name), model, fail, again));
  };
  place.append(
    h("p", { class: "quiet" }, `Data from ${shown.sources.join(", ") || "nowhere"}; text by ${shown.tokenizer ?? "nothing"}${shown.vocabulary ? ` (${number(shown.vocabulary)} tokens)` : ""}. ${shown.stages.map((stage) => `Stage ${stage.name}: ${number(stage.steps)} steps of ${stage.objectives.join(", ")}${stage.tuning ? ` by ${stage.tuning}` : ""}`).join(". ")}.`),
    h("div", { class: "columns" }, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Graph" }, draw(shown.nodes, choose)), inspector));
  if (nodes.has(rest)) choose(rest);
}

// Nodes stand right of what they read from.
function draw(nodes, choose) {
  const sources = [...new Set(nodes.flatMap((node) => node.inputs.map((input) => input.source).filter((source) => source?.startsWith("sample."))))];
  const depth = new Map(sources.map((source) => [source, 0]));
  const before = (node) => node.inputs.filter((input) => input.source).map((input) => (input.source.startsWith("sample.") ? input.source : input.source.split(".")[0]));
  for (const node of nodes) depth.set(node.name, 1 + Math.max(0, ...before(node).map((name) => depth.get(name) ?? 0)));
  const columns = [];
  for (const [name, column] of depth) (columns[column] ??= []).push(name);
  const at = new Map();
  columns.forEach((names, column) => names.forEach((name, row) => at.set(name, { x: 4 + column * (boxWidth + gapX), y: 4 + row * (boxHeight + gapY) })));
  const [width, height] = [columns.length * (boxWidth + gapX) - gapX + 8, Math.max(...columns.map((names) => names.length)) * (boxHeight + gapY) - gapY + 8];
  const edges = nodes.flatMap((node) => node.inputs.filter((input) => input.source).map((input) => {
    const from = at.get(input.source.startsWith("sample.") ? input.source : input.source.split(".")[0]);
    const to = at.get(node.name);
    const [x1, y1, x2, y2] = [from.x + boxWidth, from.y + boxHeight / 2, to.x, to.y + boxHeight / 2];
    return svg("path", { class: "edge", d: `M${x1} ${y1}C${x1 + gapX / 2} ${y1} ${x2 - gapX / 2} ${y2} ${x2} ${y2}`, "marker-end": "url(#arrow)" }, svg("title", null, `${input.source} → ${node.name}.${input.name} ${input.shape}`));
  }));
  const text = (x, y, value, quiet) => svg("text", { x, y, class: quiet ? "quiet" : null }, value.length > 27 ? `${value.slice(0, 26)}…` : value);
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` },
    svg("defs", null, svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 8, markerHeight: 8, orient: "auto" }, svg("path", { d: "M0 0L8 4L0 8z", fill: "var(--quiet)" }))),
    edges,
    sources.map((source) => svg("g", { transform: `translate(${at.get(source).x} ${at.get(source).y})` }, svg("rect", { width: boxWidth, height: boxHeight, rx: 20, fill: "none", stroke: "var(--line)" }), text(14, boxHeight / 2 + 4, source))),
    nodes.map((node) => {
      const press = (event) => {
        if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(node.name);
      };
      return svg("g", { class: "node", "data-node": node.name, transform: `translate(${at.get(node.name).x} ${at.get(node.name).y})`, tabindex: 0, role: "button", "aria-pressed": "false", onclick: press, onkeydown: press },
        svg("rect", { width: boxWidth, height: boxHeight, rx: 6 }), text(10, 19, node.name), text(10, 36, `${node.plugin} ${node.version}`, true), text(10, 52, node.outputs.map((output) => `${output.name} ${output.shape}`).join("  "), true));
    }));
}

function inspect(node, model, fail, again) {
  const form = h("form", { onsubmit: (event) => event.preventDefault() },
    h("label", { for: "use" }, "Plugin"),
    h("select", { id: "use", name: "use" }, node.alternatives.map((id) => h("option", { value: id, selected: id === node.plugin }, id))),
    node.options.map((option) => field(option, node.settings[option.name])));
  const change = async () => {
    const data = new FormData(form);
    const use = data.get("use");
    // Settings of another plugin are its defaults; those that are as they would be anyway are not written down.
    const settings = use === node.plugin ? Object.fromEntries(Object.entries(read(data, node.options)).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(node.options.find((option) => option.name === name).default))) : {};
    const body = { model, use, settings };
    try {
      const preview = await post(`/admin/graph/${encodeURIComponent(node.name)}`, body);
      const diff = preview.changes.length
        ? table("Changes", ["value", "before", "after", "effect"], preview.changes.map((item) => [item.path, item.old ?? "(none)", item.new ?? "(none)", item.effect]))
        : h("p", null, "Nothing would change.");
      if ((await ask(`Change ${node.name}?`, diff, "Apply")) === null || !preview.changes.length) return;
      const done = await post(`/admin/graph/${encodeURIComponent(node.name)}`, { ...body, apply: true });
      await again();
      document.getElementById("page").append(h("pre", { role: "status" }, done.text));
    } catch (error) {
      await fail(error);
    }
  };
  return [
    h("h2", null, node.name),
    h("p", null, h("strong", null, node.plugin), ` ${node.version}`, node.parameters === null ? "" : `, ${number(node.parameters)} parameters`),
    h("p", { class: "quiet" }, node.summary),
    table("Ports", ["port", "from", "shape"], [...node.inputs.map((input) => [`← ${input.name}`, input.source ?? "(nothing)", input.shape]), ...node.outputs.map((output) => [`→ ${output.name}`, "", output.shape])]),
    h("h2", null, "Settings"), form,
    h("p", { class: "row" }, button("Preview change…", change, "primary")),
  ];
}
