// Vector stores: what is in them, whether it has been read, and what a search of them finds.

import { get, part, post, send } from "../api.js";
import { ask, button, h, number, table } from "../dom.js";

const every = 1000;

export async function documents({ place, rest, signal, fail, again }) {
  const stores = (await get("/v1/vector_stores?limit=100")).data;
  const store = stores.find(({ id }) => id === rest) ?? stores[0];
  const guarded = (act) => async () => {
    try {
      await act();
    } catch (error) {
      await fail(error);
    }
  };
  const create = guarded(async () => {
    const answer = await ask("Make a vector store", [h("label", { for: "name" }, "Name"), h("input", { id: "name", name: "name", required: true, maxlength: 200 })], "Make it");
    if (!answer) return;
    const { id } = await post("/v1/vector_stores", { name: answer.get("name") });
    open(id, again);
  });
  const remove = (path) => guarded(async () => {
    await send("DELETE", path);
    await again();
  });
  place.append(h("p", { class: "row" }, button("Make a vector store…", create, "primary")),
    stores.length ? table("Vector stores", ["vector store", "#files", "#read", "#not readable", "searched by", "actions"], stores.map(({ id, name, file_counts: count, retrieval }) => [
      h("a", { href: `#documents/${id}`, "aria-current": id === store.id ? "true" : null }, name || id), number(count.total), number(count.completed), number(count.failed),
      [retrieval.retriever, retrieval.encoder, retrieval.reranker].filter(Boolean).join(", "), button("Delete", remove(`/v1/vector_stores/${id}`), null, `Delete ${name || id}`),
    ])) : h("p", null, "There are no vector stores."));
  if (!store) return;
  const list = h("section", { "aria-label": "Files" });
  place.append(h("h2", null, store.name || store.id), search(store, guarded), adding(store, guarded, again), list);
  const show = async () => {
    const [attached, kept] = await Promise.all([get(`/v1/vector_stores/${store.id}/files?limit=100`), get("/v1/files")]);
    const names = new Map(kept.data.map((file) => [file.id, file.filename]));
    list.replaceChildren(attached.data.length ? table("Files", ["file", "state", "#bytes", "actions"], attached.data.map((file) => [
      names.get(file.id) ?? file.id, file.last_error ? h("span", { class: "bad" }, file.last_error.message) : file.status.replace("_", " "), number(file.usage_bytes),
      button("Remove", remove(`/v1/vector_stores/${store.id}/files/${file.id}`), null, `Remove ${names.get(file.id) ?? file.id}`),
    ])) : h("p", null, "There are no files in it."));
    return attached.data.some((file) => file.status === "in_progress");
  };
  if (!(await show())) return;
  const timer = setInterval(() => show().then((reading) => reading || (clearInterval(timer), signal.aborted || again())).catch((error) => { clearInterval(timer); fail(error); }), every);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function open(id, again) {
  const wanted = `#documents/${id}`;
  if (location.hash === wanted) again();
  else location.hash = wanted;
}

function adding(store, guarded, again) {
  const file = h("input", { id: "file", type: "file" });
  const add = guarded(async () => {
    if (!file.files[0]) return;
    const form = new FormData();
    form.append("purpose", "assistants");
    form.append("file", file.files[0]);
    const { id } = await (await send("POST", "/v1/files", form)).json();
    await post(`/v1/vector_stores/${store.id}/files`, { file_id: id });
    await again();
  });
  return h("form", { onsubmit: (event) => event.preventDefault() }, h("label", { for: "file" }, "Text, Markdown, HTML, PDF or a picture"), h("div", { class: "row" }, file, button("Add the file", add)));
}

function search(store, guarded) {
  const query = h("input", { id: "query", type: "search", required: true });
  const picture = h("input", { id: "picture", type: "file", accept: "image/png,image/jpeg,image/webp" });
  const results = h("div", { "aria-live": "polite" });
  const find = (wanted) => guarded(async () => {
    const query = await wanted();
    if (!query) return;
    const { data } = await post(`/v1/vector_stores/${store.id}/search`, { query });
    results.replaceChildren(...(data.length ? data.map((found) => h("article", { class: "turn" },
      h("h3", null, `${found.filename}${found.place ? `, ${found.place}` : ""} `, h("span", { class: "quiet" }, number(found.score))), h("p", null, found.content.map(({ text }) => text).join("\n")))) : [h("p", null, "Nothing was found.")]));
  });
  const byWords = find(() => query.value.trim());
  const byPicture = find(() => picture.files[0] && part(picture.files[0]));
  return h("div", { role: "search" },
    h("form", { onsubmit: (event) => { event.preventDefault(); byWords(); } }, h("label", { for: "query" }, "Search"), h("div", { class: "row" }, query, button("Search", byWords, "primary"))),
    store.retrieval.pictures && h("form", { onsubmit: (event) => event.preventDefault() }, h("label", { for: "picture" }, "Search by a picture"), h("div", { class: "row" }, picture, button("Find what is near it", byPicture))),
    results);
}
