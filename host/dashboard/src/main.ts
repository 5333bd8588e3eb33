/** The page: signing in, and the parts of the page. */
import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/top.css";
import "./style/grid.css";
import "./style/graph.css";
import "./style/picker.css";
import "./style/panels.css";
import "./style/said.css";
import "./style/small.css";
import { Accounts } from "./accounts.ts";
import { Api, Problem } from "./api.ts";
import { Channels } from "./channels.ts";
import { at, say } from "./dom.ts";
import { pictures, whenLearned } from "./emotes.ts";
import { Chips } from "./chips.ts";
import { Filters } from "./filters.ts";
import { Graph } from "./graph.ts";
import { showHealth, showSilence } from "./health.ts";
import * as storage from "./storage.ts";
import { Moderate } from "./moderate.ts";
import { Now } from "./now.ts";
import { Regularly, type Parts } from "./parts.ts";
import { Rules } from "./rules.ts";
import { Said } from "./said.ts";
import { Selection } from "./selection.ts";
import { themes } from "./theme.ts";
import type { Status } from "./types.ts";
import { Tops } from "./tops.ts";
import { read, takeToken, Views } from "./view.ts";
import { Why } from "./why.ts";

/** The role of every token where heatd has no roles. */
const OWNER = { role: "owner" };

let repaint = (): void => undefined;
themes(() => repaint());
menu();
takeFromLink();
addEventListener("hashchange", () => takeFromLink() && location.reload());
at("leave").addEventListener("click", () => {
  storage.forgetToken();
  location.reload();
});
at("skip").addEventListener("click", (event) => {
  // The part of the address behind # is what is shown.
  event.preventDefault();
  at("graph").focus();
});
void open();

/** The token of the link goes where only this page finds it, and out of the address. */
function takeFromLink(): boolean {
  const { token, rest } = takeToken(location.hash);
  if (!token) return false;
  storage.setToken(token, storage.isRemembered());
  history.replaceState(null, "", location.pathname + location.search + rest);
  return true;
}

function ask(refused: string): void {
  at("page").hidden = true;
  at("door").hidden = false;
  at("leave").hidden = at("remember").hidden = true;
  at("refused").hidden = refused === "";
  say(at("refused"), refused);
  const form = at<HTMLFormElement>("ask");
  form.onsubmit = (event) => {
    event.preventDefault();
    storage.setToken(at<HTMLInputElement>("token").value.trim(), at<HTMLInputElement>("keep").checked);
    location.reload();
  };
  at("token").focus();
}

async function open(): Promise<void> {
  const token = storage.token();
  if (!token) return ask("");
  const api = new Api(token, (why) => {
    storage.forgetToken();
    ask(why);
  });
  at("page").hidden = false;
  at("leave").hidden = at("remember").hidden = false;
  remember(token);
  const parts: Parts = { api, views: new Views(read(location.hash)) };
  addEventListener("popstate", () => parts.views.set({ ...read(location.hash), channel: read(location.hash).channel || parts.views.now.channel }));
  await build(parts);
}

/** The menu closes by the Escape key, and by a click beside it. */
function menu(): void {
  const details = document.querySelector<HTMLDetailsElement>(".menu");
  if (!details) return;
  document.addEventListener("click", (event) => {
    if (!details.contains(event.target as Node)) details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    details.open = false;
    details.querySelector("summary")?.focus();
  });
}

function remember(token: string): void {
  const button = at("remember");
  const show = (): void => button.setAttribute("aria-pressed", String(storage.isRemembered()));
  button.title = "Keeps the token in this browser, beyond this tab";
  button.addEventListener("click", () => {
    storage.setToken(token, !storage.isRemembered());
    show();
  });
  show();
}

async function build(parts: Parts): Promise<void> {
  const { api, views } = parts;
  const channels = new Channels();
  const filters = new Filters(parts, channels);
  const chips = new Chips(parts, channels);
  const graph = new Graph(
    parts,
    (readings) => chips.show(readings),
    (entry) => now.took(entry),
  );
  whenLearned(() => chips.picture());
  filters.wire(graph);
  const moderate = new Moderate(parts, () => graph.range());
  const selection = new Selection((picked) => moderate.takeBack.choose(picked));
  const tops = new Tops(parts, (series) => chips.add(series), selection);
  const rules = new Rules(parts, (list, marks) => {
    graph.setRules(list, marks);
    moderate.show(list);
  });
  const said = new Said(parts, () => graph.range());
  const why = new Why(parts, () => now.output, selection);
  const news = (what: "fave" | "rules" | "output"): void => {
    if (what === "fave") tops.faved();
    else if (what === "rules") rules.failed();
    else why.reset();
  };
  const now: Now = new Now(parts, graph, news, (stream) => moderate.showStream(stream));
  pictures(() => {
    chips.list();
    tops.begin();
  });
  repaint = () => graph.recolour();

  let begun = false;
  const status = new Regularly(async () => {
    let answer: Status;
    try {
      answer = await api.get<Status>("status");
    } catch (error) {
      showSilence(error);
      throw error;
    }
    channels.know(answer.channels.map((it) => it.name));
    if (!begun && (views.now.channel || answer.channels.length > 0)) {
      begun = true;
      begin(answer);
    }
    showHealth(answer, views.now.channel);
    now.know(answer.channels.find((it) => it.name === views.now.channel));
  }, 10_000);

  const begin = ({ channels: all }: Status): void => {
    // Everything that follows the view begins by this, unless the link had named the channel already. One that heatd has not, or
    // not any more, stays: what is asked of it is answered with what is there, or with why not.
    const named = views.now.channel !== "";
    now.know(all.find((it) => it.name === (views.now.channel || all[0]?.name)));
    if (!named) views.go({ channel: all[0]?.name ?? "" }, "replace");
    if (named) {
      graph.begin();
      now.begin();
      tops.begin();
      rules.soon();
    }
    void role(api).then((mine) => {
      if (mine.role === "viewer") return;
      moderate.begin(mine !== OWNER);
      selection.allow();
      why.begin();
      said.begin();
      if (mine.role !== "owner") return;
      rules.allow();
      // A heatd without roles has no accounts either.
      if (mine !== OWNER) new Accounts(parts).begin();
    });
  };
  views.follow((view, before) => view.channel !== before.channel && selection.clear());
  views.follow((view) => (document.title = view.channel ? `#${view.channel} – Heat Level` : "Heat Level"));
  status.soon();
}

async function role(api: Api): Promise<{ role: string }> {
  try {
    return await api.get<{ role: string }>("whoami");
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return OWNER;
    return { role: "viewer" };
  }
}
