/** How heatd does: its connections, its store, and words for what is wrong. */
import { words } from "./api.ts";
import { at, h, say } from "./dom.ts";
import { bytes, counted, duration, moment, number } from "./format.ts";
import type { Status } from "./types.ts";

type State = "good" | "bad" | "unknown";

/** The pill at the top, and the list. */
export function showHealth(status: Status, channel: string): void {
  const wrong = status.reasons;
  pill(wrong.length === 0 ? "good" : "bad", wrong.length === 0 ? "all connected" : wrong.join("; "));
  const { chat, mqtt } = status.connections;
  const chatUp = chat.up >= chat.wanted;
  const gaps = status.channels.find((it) => it.name === channel)?.gaps;
  const rows: [string, State, string][] = [
    [
      "Twitch chat",
      chatUp ? "good" : "bad",
      chatUp ? `connected, ${counted(chat.up, "connection")}` : `${chat.up} of ${chat.wanted} connections; heatd tries again by itself`,
    ],
    ["MQTT broker", mqtt.up ? "good" : "bad", mqtt.up ? "connected" : "not connected: the text on the stream stands still; heatd tries again by itself"],
    store(status),
    ["heatd", status.ready ? "good" : "bad", `${status.version}, up ${duration(status.uptime_seconds)}, ${number(status.chat_lines)} lines`],
  ];
  const { backup } = status;
  if (backup?.problem) rows.push(["Backup", "bad", backup.problem]);
  else if (backup?.at) rows.push(["Backup", "good", `made ${moment(backup.at)}`]);
  for (const it of status.unrecognized ?? []) {
    rows.push(["Not understood", "unknown", `${it.interface}: ${it.what}, ${counted(it.count, "time")}. Update heatd, or report: ${it.example}`]);
  }
  if (gaps) {
    const away = gaps.count === 0 ? "heard all the time" : `not heard for ${duration(gaps.seconds)}, in ${counted(gaps.count, "gap")}`;
    rows.push(["Last day", gaps.count === 0 ? "good" : "unknown", away]);
  }
  list(rows);
}

/** What keeps the engine from its work keeps it from the store: its own words are the best ones. */
function store(status: Status): [string, State, string] {
  const wrong = status.reasons.filter((it) => /engine|clock/.test(it));
  const waiting = status.queue > 0 ? `${counted(status.queue, "event")} waiting` : "nothing waits";
  return ["Store", wrong.length > 0 ? "bad" : "good", [bytes(status.store_bytes), ...wrong, waiting].join(", ")];
}

/** heatd does not answer. */
export function showSilence(error: unknown): void {
  pill("bad", "heatd does not answer");
  list([["heatd", "bad", words(error)]]);
}

function pill(state: State, text: string): void {
  const place = at("pill");
  place.dataset["state"] = state;
  say(place, text);
}

function list(rows: [string, State, string][]): void {
  const place = at("states");
  const key = JSON.stringify(rows);
  if (place.dataset["shown"] === key) return;
  place.dataset["shown"] = key;
  const lines = rows.map(([name, state, text]) =>
    h("div", { "data-state": state }, h("dt", {}, name), h("dd", {}, text, state === "bad" ? h("span", { class: "unseen" }, " (wrong)") : null)),
  );
  place.replaceChildren(...lines);
}
