// The server's own routes, with the key that was given on this page.

const held = "pluginhost.key";

export const key = { get: () => sessionStorage.getItem(held) ?? "", set: (value) => (value ? sessionStorage.setItem(held, value) : sessionStorage.removeItem(held)) };

export class Refused extends Error {
  constructor(status, error) {
    super(error?.message ?? `the server answered ${status}`);
    this.status = status;
    this.code = error?.code;
  }
}

export async function send(method, path, body, options = {}) {
  const headers = key.get() ? { Authorization: `Bearer ${key.get()}` } : {};
  const form = body instanceof FormData; // names its own type, with what stands between its parts
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body === undefined || form ? body : JSON.stringify(body), ...options });
  if (response.ok) return response;
  throw new Refused(response.status, (await response.json().catch(() => null))?.error);
}

export const get = async (path) => (await send("GET", path)).json();

export const post = async (path, body = {}) => (await send("POST", path, body)).json();

/** The events of a stream, parsed. */
export async function* stream(path, body, signal) {
  const response = await send("POST", path, body, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    kept += value;
    const events = kept.split("\n\n");
    kept = events.pop();
    for (const event of events) {
      const data = event.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (data === "[DONE]") return;
      if (!data) continue;
      const parsed = JSON.parse(data);
      if (parsed.error) throw new Refused(response.status, parsed.error);
      yield parsed;
    }
  }
}

/** A picture or a sound as a part of a message. */
export async function part(file) {
  const url = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  if (file.type.startsWith("image/")) return { type: "image_url", image_url: { url } };
  return { type: "input_audio", input_audio: { data: url.slice(url.indexOf(",") + 1), format: file.name.split(".").pop().toLowerCase() } };
}
