// Builds elements. No text of a mail ever becomes markup: strings are text nodes.

/** The element of this id, which index.html has. */
export const byId = (id) => document.getElementById(id);

/** An element; a property that is a function listens, `true` is an attribute without value, and what is missing is left out. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (typeof value === "function") {
      made.addEventListener(property, value);
    } else if (value === true) {
      made.setAttribute(property, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(property, value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A list of terms and what is said of them. */
export const pairs = (list) => list.flatMap(([term, said]) => [element("dt", {}, term), element("dd", {}, said)]);

/** Text that scrolls by itself, which the keyboard can reach. */
export const scrolled = (label, text) =>
  element("pre", { class: "octets", tabindex: "0", role: "region", "aria-label": label }, text);

/** Says something in a live region, unless that was the last thing it said. */
export function say(region, sentence) {
  if (region.textContent !== sentence) {
    region.textContent = sentence;
  }
}
