// Runs with their results side by side, and the curves of each as they grow.

import { get } from "../api.js";
import { h, number, table } from "../dom.js";
import { plot } from "../plot.js";

const every = 3000;

export async function runs({ place, rest, signal }) {
  const { data } = await get("/admin/runs");
  if (!data.length) return place.append(h("p", null, "There are no runs yet: start one with POST /v1/fine_tuning/jobs, or with 'pluginhost run PROJECT'."));
  const scores = (run) => (run.evaluations ?? []).slice(0, 4).map((item) => `${item.metric} ${number(item.value)}${item.blind === null ? "" : ` (blind ${number(item.blind)})`}`).join(", ");
  place.append(
    table("Runs", ["run", "project", "status", "#parameters", "#seconds", "#first loss", "#last loss", "results"], data.map((run) => [
      h("a", { href: `#runs/${encodeURIComponent(run.name)}`, "aria-current": run.name === rest ? "true" : null }, run.name), run.project ?? "", run.status, number(run.parameters),
      number(run.stages?.reduce((sum, stage) => sum + stage.seconds, 0)), number(run.stages?.[0]?.firstLoss), number(run.stages?.at(-1)?.lastLoss),
      scores(run),
    ])));
  const detail = h("section", { "aria-label": "Curves" });
  place.append(detail);
  const name = rest ?? data[0].name;
  const show = async () => {
    const run = await get(`/admin/runs/${encodeURIComponent(name)}`);
    const curves = Object.entries(run.curves).filter(([, points]) => points.length > 1);
    detail.replaceChildren(h("h2", null, `${run.name} (${run.status})`),
      curves.length ? h("div", { class: "cards", style: "grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr))" }, curves.map(([tag, points]) => h("figure", { class: "card", style: "margin: 0" }, h("figcaption", null, tag), plot(tag, points)))) : h("p", { class: "quiet" }, "No curves yet."));
    return run.status;
  };
  const status = await show();
  const timer = status === "training" ? setInterval(() => show().catch(() => clearInterval(timer)), every) : null;
  signal.addEventListener("abort", () => clearInterval(timer));
}
