// Joins a channel and prints, as one line of JSON each, what the client made of every line that the server sent.
//
// usage: node check.mjs HOST PORT CHANNEL [LOGIN TOKEN]

import { ChatClient } from "@mastondzn/dank-twitch-irc";

const [host, port, channel, username, password] = process.argv.slice(2);

// The client cuts some texts in the middle of a character; half a character is no JSON for most readers.
const whole = (_key, value) => (typeof value === "string" ? value.toWellFormed() : value);

const print = (seen) => process.stdout.write(`${JSON.stringify(seen, whole)}\n`);

const client = new ChatClient({
  ...(username && { username, password }),
  connection: { type: "tcp", host, port: Number(port), secure: false },
});

client.on("message", (message) => print({ event: "message", type: message.constructor.name, message }));
client.on("error", (error) => print({ event: "error", text: `${error}`, cause: `${error.cause ?? ""}` }));
client.on("close", () => print({ event: "close" }));

await client.connect();
await client.join(channel);
print({ event: "joined", channel });
