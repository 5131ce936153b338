// What the server is doing now, from its own metrics.

import { send } from "../api.js";
import { h, number, table } from "../dom.js";

const every = 2000;

export async function traffic({ place, signal }) {
  let before = null;
  const show = async () => {
    const now = { at: performance.now(), samples: parse(await (await send("GET", "/metrics")).text()) };
    place.replaceChildren(...draw(now, before));
    before = now;
  };
  await show();
  const timer = setInterval(() => show().catch(() => clearInterval(timer)), every);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Prometheus' text format. */
function parse(text) {
  return text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => {
    const [, name, labels, value] = line.match(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/) ?? [];
    return { name, value: Number(value), labels: Object.fromEntries([...(labels ?? "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, held]) => [key, held])) };
  });
}

const sum = (samples, name, of = () => true) => samples.filter((sample) => sample.name === name && of(sample.labels)).reduce((total, sample) => total + sample.value, 0);

// The upper bound of the bucket in which a share of all lies.
function quantile(samples, name, model, share) {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket` && sample.labels.gen_ai_request_model === model).map((sample) => [Number(sample.labels.le.replace("+Inf", "Infinity")), sample.value]).sort((a, b) => a[0] - b[0]);
  const all = buckets.at(-1)?.[1] ?? 0;
  return all ? buckets.find((bucket) => bucket[1] >= share * all)[0] : null;
}

function draw({ at, samples }, before) {
  const rate = (name, of) => (before ? Math.max(0, ((sum(samples, name, of) - sum(before.samples, name, of)) * 1000) / (at - before.at)) : null);
  const card = (title, value) => h("div", { class: "card" }, title, h("b", null, value));
  const duration = "gen_ai_server_request_duration_seconds";
  const models = [...new Set(samples.filter((sample) => sample.name === `${duration}_count`).map((sample) => sample.labels.gen_ai_request_model))];
  const seconds = (value) => (value === null ? "–" : value === Infinity ? "more" : `≤ ${number(value * 1000)} ms`);
  return [
    h("div", { class: "cards" },
      card("Requests open", number(sum(samples, "pluginhost_requests_open"))),
      card("Answers a second", number(rate(`${duration}_count`))),
      card("Tokens a second", number(rate("gen_ai_client_token_usage_sum", (labels) => labels.gen_ai_token_type === "output"))),
      card("Memory, MB", number(sum(samples, "process_memory_usage_bytes") / 1e6))),
    h("h2", null, "Models"),
    models.length ? table("Models", ["model", "#answers", "#failed", "#first token, half", "#first token, 99 %", "#whole answer, 99 %"], models.map((model) => [
      model, number(sum(samples, `${duration}_count`, (labels) => labels.gen_ai_request_model === model)), number(sum(samples, `${duration}_count`, (labels) => labels.gen_ai_request_model === model && labels.error_type)),
      seconds(quantile(samples, "gen_ai_server_time_to_first_token_seconds", model, 0.5)), seconds(quantile(samples, "gen_ai_server_time_to_first_token_seconds", model, 0.99)), seconds(quantile(samples, duration, model, 0.99)),
    ])) : h("p", { class: "quiet" }, "Nothing has been asked yet."),
  ];
}
