/** Dark, light, or as the system has it. */
import { at, say } from "./dom.ts";
import { store, stored } from "./storage.ts";

const CHOICES = ["system", "light", "dark"];

/** Sets the switch up; `changed` is called when colours are others. */
export function themes(changed: () => void): void {
  const button = at("theme");
  let choice = stored("heat-theme") ?? "system";
  const show = (): void => {
    if (choice === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = choice;
    say(button, `Theme: ${choice}`);
  };
  button.addEventListener("click", () => {
    choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? "system";
    store("heat-theme", choice);
    show();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  show();
}

/** A colour of the style sheet. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
