// The frame: which page, which model, which key.

import { get, key } from "./api.js";
import { ask, h } from "./dom.js";
import { beforeStart } from "./fluent.js";
import { documents } from "./pages/documents.js";
import { graph } from "./pages/graph.js";
import { playground } from "./pages/playground.js";
import { plugins } from "./pages/plugins.js";
import { runs } from "./pages/runs.js";
import { tools } from "./pages/tools.js";
import { traffic } from "./pages/traffic.js";

const pages = { graph, plugins, runs, playground, tools, documents, traffic };
const titles = { graph: "Graph", plugins: "Plugins", runs: "Runs", playground: "Playground", tools: "Tools", documents: "Documents", traffic: "Traffic" };

const main = document.getElementById("page");
const nav = document.querySelector("nav");
const models = document.getElementById("model");
const messages = document.getElementById("messages");
let leave = new AbortController();

nav.append(...Object.keys(pages).map((name) => h("a", { href: `#${name}` }, titles[name])));

/** Says what went wrong; a missing key is asked for. */
async function fail(error) {
  if (error.name === "AbortError") return;
  if (error.status === 401 || error.status === 403) {
    if (await askKey(error.message)) return show();
  }
  messages.textContent = error.message;
  setTimeout(() => (messages.textContent = ""), 8000);
}

async function askKey(why) {
  const answer = await ask("Key", [h("p", null, why ?? "The key that requests of this page are sent with; it is forgotten with the tab."), h("label", { for: "secret" }, "Key"), h("input", { id: "secret", name: "key", type: "password", autocomplete: "off", value: key.get() })], "Use it");
  if (answer) key.set(answer.get("key").trim());
  return answer !== null;
}

async function loadModels() {
  const list = (await get("/v1/models")).data;
  const chosen = models.value;
  models.replaceChildren(...list.map((model) => h("option", { value: model.id }, model.id)));
  if (list.some((model) => model.id === chosen)) models.value = chosen;
  const model = list.find((item) => item.id === models.value);
  document.getElementById("state").textContent = model?.state ?? "";
}

async function show() {
  leave.abort();
  leave = new AbortController();
  const [asked, rest] = location.hash.slice(1).split("/");
  const name = pages[asked] ? asked : "graph";
  document.title = `${titles[name]} · PluginHost`;
  for (const link of nav.children) link.toggleAttribute("aria-current", false);
  nav.querySelector(`[href="#${name}"]`).setAttribute("aria-current", "page");
  const place = h("div");
  main.replaceChildren(h("h1", null, titles[name]), place);
  const signal = leave.signal;
  try {
    await loadModels();
    await pages[name]({ place, model: models.value, rest: rest && decodeURIComponent(rest), signal, fail, again: show });
  } catch (error) {
    if (!signal.aborted) await fail(error);
  } finally {
    main.dataset.shown = name;
  }
}

document.getElementById("key").addEventListener("click", async () => (await askKey()) && show());
models.addEventListener("change", show);
addEventListener("hashchange", () => { show(); main.focus(); });
beforeStart({});
show();
