/** Makes and finds elements. Text only ever becomes text: nothing in this page is parsed as markup. */

/** A second press within so long is meant, in milliseconds. */
const SURE = 4000;

type Child = Node | string | null | undefined | false;

/** An element with attributes and children. Strings become text. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false) continue;
    element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) {
    if (child) element.append(child);
  }
  return element;
}

/** The element with this id, which stands in index.html. */
export function at<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as E;
}

/** Sets a text where it has changed, so that nothing is drawn or read out again for nothing. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A button that does something. */
export function button(label: string, act: () => void, attributes: Record<string, string> = {}): HTMLButtonElement {
  const made = h("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

/** A button that asks once whether it was meant. */
export function twice(button: HTMLElement, question: string, act: () => void): void {
  const label = button.textContent ?? "";
  let timer = 0;
  const calm = (): void => {
    clearTimeout(timer);
    timer = 0;
    say(button, label);
  };
  button.addEventListener("click", () => {
    if (timer !== 0) {
      calm();
      act();
      return;
    }
    say(button, question);
    timer = window.setTimeout(calm, SURE);
  });
}

/** A name from chat: what is in it cannot turn the text around it. */
export function name(text: string): HTMLElement {
  return h("bdi", {}, text);
}

/** Whether somebody is about to press something in it, or reads it with the keyboard. It keeps still then. */
export function busy(id: string): boolean {
  return at(id).contains(document.activeElement) || at(id).matches(":hover");
}
