// Elements are made here, so that no text is ever taken for markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (name in element && !(element instanceof SVGElement) && name !== "list" && name !== "form")
      element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((c) => c !== undefined && c !== null && c !== false));
  return element;
}

/** Makes an HTML element. A property that begins with "on" is a listener. */
export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);

/** Makes an SVG element. */
export const svg = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

/** Writes a text if it is another; the browser then lays out only what has changed. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Says a sentence to those who listen to the page instead of looking at it. */
export function say(sentence) {
  const region = document.getElementById("said");
  region.textContent = "";
  requestAnimationFrame(() => {
    region.textContent = sentence;
  });
}

let count = 0;

/** Returns an id that no other element has. */
export const fresh = (word) => `${word}-${++count}`;
