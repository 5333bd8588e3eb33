/** Emotes: their names, and their pictures unless those are switched off. */
import { at, h, name as nameOf } from "./dom.ts";
import { store, stored } from "./storage.ts";

export interface Emote {
  name: string;
  provider: string;
  id: string;
}

const KEY = "heat-pictures";

const PROVIDERS = ["7tv", "bttv", "ffz", "twitch"];

/** The address of an emote's picture; null where there is none. */
export function picture(provider: string, id: string): string | null {
  // Ids have no other characters; others could name another file.
  if (!/^[\w-]{1,64}$/.test(id)) return null;
  switch (provider) {
    case "twitch":
      return `https://static-cdn.jtvnw.net/emoticons/v2/${id}/default/dark/1.0`;
    case "7tv":
      return `https://cdn.7tv.app/emote/${id}/1x.webp`;
    case "bttv":
      return `https://cdn.betterttv.net/emote/${id}/1x`;
    case "ffz":
      return `https://cdn.frankerfacez.com/emote/${id}/1`;
    default:
      return null;
  }
}

/** Pictures that could not be loaded: nobody is asked for them again. */
const missing = new Set<string>();

/** Known ids, so that an emote of a link gets its picture too. */
const ids = new Map<string, string>();

let learned = (): void => undefined;

/** Calls back when ids are known that were not before. */
export function whenLearned(callback: () => void): void {
  learned = callback;
}

export function learn(emotes: Emote[]): void {
  const before = ids.size;
  for (const emote of emotes) ids.set(`${emote.provider}:${emote.name}`, emote.id);
  if (ids.size > before) learned();
}

/** An emote's picture, in a box that is there without it as well, and its name. */
export function shown(emote: { name: string; provider: string }): HTMLElement {
  const label = h("span", { class: "emote" });
  const id = ids.get(`${emote.provider}:${emote.name}`);
  const address = id && wanted() ? picture(emote.provider, id) : null;
  if (address && !missing.has(address)) {
    const image = h("img", { src: address, alt: "", width: "28", height: "28", loading: "lazy", referrerpolicy: "no-referrer" });
    const box = h("span", { class: "picture" }, image);
    image.addEventListener("error", () => {
      // What was taken away while it was loaded says nothing of the picture.
      if (!image.isConnected) return;
      missing.add(address);
      box.remove();
    });
    label.append(box);
  }
  label.append(nameOf(emote.name));
  return label;
}

/** A text, with the picture of the emote that has this name. */
export function withPicture(text: string): HTMLElement {
  const provider = PROVIDERS.find((it) => ids.has(`${it}:${text}`));
  return provider ? shown({ name: text, provider }) : nameOf(text);
}

export function wanted(): boolean {
  return stored(KEY) !== "off";
}

/** Sets the switch up; `changed` is called when it was used. */
export function pictures(changed: () => void): void {
  const button = at("pictures");
  const show = (): void => {
    button.setAttribute("aria-pressed", String(wanted()));
    button.title = wanted()
      ? "Pictures of emotes come from Twitch, 7TV, BetterTTV and FrankerFaceZ, who then know your address"
      : "No pictures are loaded";
  };
  button.addEventListener("click", () => {
    store(KEY, wanted() ? "off" : "on");
    show();
    changed();
  });
  show();
}
