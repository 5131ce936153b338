// A form made from a description of values: a plugin's options, or a tool's JSON Schema.

import { h } from "./dom.js";

/** One value: { name, type, choices, minimum, maximum, description, required, array }. */
export function field(item, value) {
  const id = `field-${item.name}`;
  const hint = [item.description, item.minimum !== null && item.minimum !== undefined ? `from ${item.minimum}` : null, item.maximum !== null && item.maximum !== undefined ? `to ${item.maximum}` : null].filter(Boolean).join(", ");
  const common = { id, name: item.name, "aria-describedby": hint ? `${id}-hint` : null, required: item.required };
  const shown = value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
  const numeric = item.type === "int" || item.type === "long" || item.type === "integer" || item.type === "double" || item.type === "number";
  let input;
  if (item.choices?.length || item.type === "bool" || item.type === "boolean") {
    const choices = item.choices?.length ? item.choices.map(String) : ["true", "false"];
    input = h("select", common, shown === "" || !item.required ? h("option", { value: "" }, "(default)") : null, choices.map((choice) => h("option", { value: choice, selected: choice === shown }, choice)));
  } else if (numeric && !item.array) {
    input = h("input", { ...common, type: "number", step: item.type === "double" || item.type === "number" ? "any" : "1", min: item.minimum, max: item.maximum, value: shown });
  } else input = h("input", { ...common, value: shown });
  return [h("label", { for: id }, item.name), hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null, input];
}

/** What was typed, as JSON's own types; what was left empty is left out. */
export function read(data, items) {
  const values = {};
  for (const item of items) {
    const text = data.get(item.name);
    if (text === null || text === "") continue;
    values[item.name] = item.array || item.type === "array" || item.type === "object" ? parse(text) : ["string", "enum"].includes(item.type) ? text : parse(text);
  }
  return values;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text; // the server says what is wrong with it
  }
}

/** The values of a JSON Schema of an object. */
export const ofSchema = (schema) =>
  Object.entries(schema?.properties ?? {}).map(([name, one]) => ({ name, type: Array.isArray(one.type) ? one.type[0] : one.type ?? "string", choices: one.enum, minimum: one.minimum, maximum: one.maximum, description: one.description, required: schema.required?.includes(name), default: one.default }));
