// Elements, numbers and dialogs.

const space = "http://www.w3.org/2000/svg";

function build(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element: h("td", { class: "number", onclick: f }, "text", child). Text is text: nothing is ever read as markup. */
export const h = (tag, properties, ...children) => build(document.createElement(tag), properties, children);

/** The same for drawings. */
export const svg = (tag, properties, ...children) => build(document.createElementNS(space, tag), properties, children);

export const number = (value, digits = 3) =>
  value === null || value === undefined ? "–" : Number(value).toLocaleString("en", { maximumSignificantDigits: Math.abs(value) >= 1000 ? 21 : digits, maximumFractionDigits: 4 });

export const table = (caption, heads, rows) =>
  h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", null, h("caption", { class: "skip" }, caption),
      h("thead", null, h("tr", null, heads.map((head) => h("th", { scope: "col", class: head.startsWith("#") ? "number" : null }, head.replace(/^#/, ""))))),
      h("tbody", null, rows.map((cells) => h("tr", null, cells.map((cell, i) => h("td", { class: heads[i].startsWith("#") ? "number" : null }, cell)))))));

export const button = (text, act, appearance, label) =>
  h("fluent-button", { appearance, "aria-label": label, onclick: act }, text);

/** Shows a dialog; resolves to the form's data, or null when it was dismissed. */
export function ask(title, content, accept) {
  const dialog = document.getElementById("dialog");
  const body = dialog.querySelector("fluent-dialog-body");
  return new Promise((resolve) => {
    let answer = null;
    const form = h("form", { onsubmit: (event) => { event.preventDefault(); answer = new FormData(form); dialog.hide(); } }, content);
    body.replaceChildren(
      h("h2", { slot: "title" }, title), form,
      h("fluent-button", { slot: "action", onclick: () => dialog.hide() }, "Cancel"),
      h("fluent-button", { slot: "action", appearance: "primary", onclick: () => form.requestSubmit() }, accept));
    dialog.setAttribute("aria-label", title);
    dialog.addEventListener("toggle", function closed(event) {
      if ((event.detail?.newState ?? event.newState) !== "closed") return;
      dialog.removeEventListener("toggle", closed);
      resolve(answer);
    });
    dialog.show();
  });
}
