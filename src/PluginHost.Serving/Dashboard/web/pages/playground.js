// Chat with pictures and sounds; calls of tools and what they gave are shown where they happen, and the passages that an answer cites below it.

import { part, stream } from "../api.js";
import { button, h } from "../dom.js";

const turns = []; // of this tab

export function playground({ place, model, signal, fail }) {
  const log = h("div", { role: "log", "aria-label": "Conversation", "aria-live": "polite" });
  const text = h("textarea", { id: "say", required: true });
  const file = h("input", { id: "medium", type: "file", accept: "image/*,audio/*" });
  const temperature = h("input", { id: "temperature", type: "number", min: 0, max: 2, step: 0.1, value: 0 });
  const most = h("input", { id: "most", type: "number", min: 1, max: 4096, value: 64 });
  let running = null;
  signal.addEventListener("abort", () => running?.abort());

  const draw = () => log.replaceChildren(...turns.map(turn));
  const ask = async () => {
    if (running || !text.value.trim()) return;
    try {
      const medium = file.files[0] ? await part(file.files[0]) : null;
      turns.push({ role: "user", content: medium ? [medium, { type: "text", text: text.value }] : text.value });
      [text.value, file.value] = ["", ""];
      const answer = { role: "assistant", content: "", steps: [], cited: [] };
      turns.push(answer);
      draw();
      running = new AbortController();
      actions.append(stop);
      const body = { model, messages: turns.slice(0, -1).map(({ role, content }) => ({ role, content })), temperature: Number(temperature.value), max_tokens: Number(most.value), stream: true };
      for await (const chunk of stream("/v1/chat/completions", body, running.signal)) {
        const delta = chunk.choices?.[0]?.delta ?? {};
        answer.content += delta.content ?? "";
        for (const call of delta.tool_calls ?? []) answer.steps.push({ call });
        for (const result of delta.tool_results ?? []) answer.steps.push({ result });
        answer.cited = delta.annotations?.map((annotation) => annotation.file_citation).filter(Boolean) ?? answer.cited;
        draw();
      }
    } catch (error) {
      await fail(error);
    } finally {
      running = null;
      stop.remove();
    }
  };
  const stop = button("Stop", () => running?.abort());
  const actions = h("p", { class: "row" }, button("Send", ask, "primary"), button("Begin anew", () => { turns.length = 0; draw(); }));
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      ask();
    }
  });
  place.append(log,
    h("form", { onsubmit: (event) => event.preventDefault() },
      h("label", { for: "say" }, "Message"), text,
      h("div", { class: "cards" },
        h("div", null, h("label", { for: "medium" }, "Picture or sound"), file),
        h("div", null, h("label", { for: "temperature" }, "Temperature"), temperature),
        h("div", null, h("label", { for: "most" }, "Most tokens"), most))),
    actions);
  draw();
}

function turn({ role, content, steps, cited }) {
  const parts = typeof content === "string" ? [{ type: "text", text: content }] : content;
  return h("article", { class: `turn ${role}` }, h("h3", null, role === "user" ? "You" : "Model"),
    (steps ?? []).map(({ call, result }) => h("pre", null, call ? `calls ${call.function?.name}(${call.function?.arguments ?? ""})` : `${result.name} ${result.error ? "failed" : "gave"}: ${result.content}`)),
    parts.map((item) => (item.type === "text" ? h("p", null, item.text) : item.type === "image_url" ? h("img", { src: item.image_url.url, alt: "The picture that was sent" }) : h("audio", { controls: true, src: `data:audio/${item.input_audio.format};base64,${item.input_audio.data}` }))),
    cited?.length ? sources(content, steps, cited) : null);
}

/** Each cited passage once, under the mark that the answer has for it. */
function sources(text, steps, cited) {
  const found = new Map(steps.flatMap(({ result }) => passages(result?.content)).map((passage) => [passage.id, passage.text]));
  const once = new Map(cited.map((citation) => [citation.passage_id, citation]));
  return h("section", { "aria-label": "Sources" }, h("h4", null, "Sources"), [...once.values()].map((citation) =>
    h("details", null, h("summary", null, `${text.slice(citation.start_index, citation.end_index)} ${citation.filename}${citation.place ? `, ${citation.place}` : ""}`), h("p", null, found.get(citation.passage_id)))));
}

function passages(content) {
  try {
    return JSON.parse(content).passages ?? [];
  } catch {
    return []; // of another tool
  }
}
