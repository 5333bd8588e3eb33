// Listens to EventSub with twurple and prints, as one line of JSON each, what it was told.
//
// usage: TWURPLE_MOCK_API_PORT=PORT node check.mjs CLIENT TOKEN USER SCOPE...

import { ApiClient } from "@twurple/api";
import { StaticAuthProvider } from "@twurple/auth";
import { EventSubWsListener } from "@twurple/eventsub-ws";

const [client, token, user, ...scopes] = process.argv.slice(2);

const print = (seen) => process.stdout.write(`${JSON.stringify(seen)}\n`);

const authProvider = new StaticAuthProvider(client, token, scopes);
const listener = new EventSubWsListener({
  apiClient: new ApiClient({ authProvider, logger: { minLevel: "error" } }),
  logger: { minLevel: "warning", custom: (level, message) => print({ event: "log", level, message }) },
});

listener.onUserSocketReady((id, session) => print({ event: "ready", session }));
listener.onUserSocketDisconnect((_id, error) => print({ event: "disconnect", error: error && `${error}` }));
listener.onSubscriptionCreateSuccess((subscription) => print({ event: "subscribed", id: subscription.id }));
listener.onSubscriptionCreateFailure((subscription, error) => print({ event: "error", id: subscription.id, error: `${error}` }));
listener.onRevoke((subscription, status) => print({ event: "revoked", id: subscription.id, status }));

const told = (type) => (event) =>
  print({ event: "told", type, user: event.userId ?? event.chatterId ?? event.raidingBroadcasterId ?? null, text: event.messageText ?? event.rewardTitle ?? null });

listener.onChannelFollow(user, user, told("follow"));
listener.onChannelSubscription(user, told("subscribe"));
listener.onChannelSubscriptionGift(user, (event) => print({ event: "told", type: "gift", user: event.gifterId, text: `${event.amount}` }));
listener.onChannelRaidTo(user, told("raid"));
listener.onChannelRedemptionAdd(user, told("redemption"));
listener.onChannelHypeTrainProgressV2(user, (event) => print({ event: "told", type: "hype-train", user: event.id, text: `${event.level}` }));
listener.onChannelChatMessage(user, user, told("chat"));
listener.onStreamOnline(user, () => print({ event: "told", type: "online", user: null, text: null }));
listener.onChannelUpdate(user, (event) => print({ event: "told", type: "update", user: null, text: event.streamTitle }));

listener.start();
