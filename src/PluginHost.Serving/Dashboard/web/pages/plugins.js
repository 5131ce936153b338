// Plugins with versions, failures, verdicts; swap, quarantine and drain.

import { get, post } from "../api.js";
import { ask, button, h, number, table } from "../dom.js";

export async function plugins({ place, model, fail, again }) {
  const { plugins: all, text } = await get(`/admin/plugins?model=${encodeURIComponent(model)}`);
  const act = async (id, command, folder) => {
    try {
      const done = await post(`/admin/plugins/${encodeURIComponent(id)}/${command}`, { model, ...(folder ? { folder } : {}) });
      await again();
      document.getElementById("page").append(h("pre", { role: "status" }, done.text));
    } catch (error) {
      await fail(error);
    }
  };
  const swap = async (plugin) => {
    const answer = await ask(`Swap ${plugin.id}`, [h("p", null, "A new version is loaded beside this one, tried, and takes over between two requests. The old one is unloaded when its last answer has ended."), h("label", { for: "folder" }, "Folder of the new version"), h("p", { class: "hint", id: "folder-hint" }, `Empty: ${plugin.origin} again`), h("input", { id: "folder", name: "folder", "aria-describedby": "folder-hint" })], "Swap");
    if (answer) await act(plugin.id, "swap", answer.get("folder").trim());
  };
  if (!all) return place.append(h("pre", null, text));
  place.append(table("Plugins", ["plugin", "version", "state", "#calls", "#failures", "#ms", "actions"], all.map((plugin) => [
    h("span", null, h("strong", null, plugin.id), h("br"), h("span", { class: "quiet" }, plugin.summary)),
    h("span", null, plugin.version, h("br"), h("code", { class: "quiet" }, plugin.hash.slice(0, 12))),
    h("span", null, plugin.quarantine ? h("span", { class: "bad" }, `out: ${plugin.quarantine}`) : h("span", { class: "good" }, "serves"), plugin.pinned ? h("div", { class: "bad" }, `older version pinned by ${plugin.pinned}`) : null),
    number(plugin.calls), number(plugin.failures), number(plugin.milliseconds),
    h("div", { class: "row", style: "flex-wrap: nowrap" }, button("Swap…", () => swap(plugin), null, `Swap ${plugin.id}`),
      plugin.quarantine ? button("Restore", () => act(plugin.id, "restore"), null, `Restore ${plugin.id}`) : button("Quarantine", () => act(plugin.id, "quarantine"), null, `Quarantine ${plugin.id}`)),
  ])));
}
