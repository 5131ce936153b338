// Tools from wherever they come, each with a form made from its schema.

import { get, post, send } from "../api.js";
import { ask, button, h, table } from "../dom.js";
import { field, ofSchema, read } from "../form.js";

const states = { ready: "can be called", waiting: "waits for approval", refused: "cannot be called" };

export async function tools({ place, fail, again }) {
  const { data } = await get("/v1/tools");
  const guarded = (act) => async () => {
    try {
      await act();
    } catch (error) {
      await fail(error);
    }
  };
  const call = (tool) => guarded(async () => {
    const items = ofSchema(tool.parameters);
    const answer = await ask(`Call ${tool.name}`, [h("p", null, tool.description), items.map((item) => field(item, item.default))], "Call");
    if (!answer) return;
    const result = await post(`/v1/tools/${encodeURIComponent(tool.name)}/invoke`, { arguments: read(answer, items) });
    output.replaceChildren(h("h2", null, `${tool.name} gave, in ${result.duration_ms} ms`), h("pre", null, result.content));
  });
  const register = guarded(async () => {
    const answer = await ask("Register a tool", [h("label", { for: "json" }, "Registration as JSON"), h("p", { class: "hint", id: "json-hint" }, "name, description, parameters and the endpoint to call; or an OpenAPI document or an MCP server"), h("textarea", { id: "json", name: "json", rows: 10, "aria-describedby": "json-hint" }, '{\n  "name": "web_search",\n  "description": "",\n  "endpoint": "https://",\n  "parameters": {\n    "query": { "type": "string" }\n  },\n  "required": ["query"]\n}')], "Register");
    if (!answer) return;
    await post("/v1/tools", JSON.parse(answer.get("json")));
    await again();
  });
  const change = (tool, method, path) => guarded(async () => {
    await send(method, `/v1/tools/${encodeURIComponent(tool.name)}${path}`);
    await again();
  });
  const output = h("section", { "aria-label": "Result", "aria-live": "polite" });
  place.append(h("p", { class: "row" }, button("Register a tool…", register, "primary")),
    data.length ? table("Tools", ["tool", "from", "state", "actions"], data.map((tool) => [
      h("span", null, h("strong", null, tool.name), h("br"), h("span", { class: "quiet" }, tool.description)), tool.source, h("span", { class: tool.state === "ready" ? "good" : "bad" }, tool.reason ?? states[tool.state]),
      h("div", { class: "row" }, tool.state === "ready" ? button("Call…", call(tool), null, `Call ${tool.name}`) : null, tool.state === "waiting" ? button("Approve", change(tool, "POST", "/approve"), null, `Approve ${tool.name}`) : null, button("Remove", change(tool, "DELETE", ""), null, `Remove ${tool.name}`)),
    ])) : h("p", null, "There are no tools."), output);
}
