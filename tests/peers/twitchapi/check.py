"""Listens to EventSub with twitchAPI and prints, as one line of JSON each, what it was told.

usage: python check.py API ID CLIENT TOKEN REFRESH USER SCOPE...
"""

import asyncio
import json
import logging
import sys

from twitchAPI.eventsub.websocket import EventSubWebsocket
from twitchAPI.helper import first
from twitchAPI.twitch import Twitch
from twitchAPI.type import AuthScope


def say(**seen):
    # The client calls back on another thread. `print` writes the end of a line by itself, and another line may come in between.
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


class Complaints(logging.Handler):
    def emit(self, record):
        say(event="log", level=record.levelname, message=record.getMessage())


async def main():
    api, server, client, token, refresh, user, *scopes = sys.argv[1:]
    logging.getLogger("twitchAPI").addHandler(Complaints(level=logging.ERROR))
    twitch = Twitch(client, base_url=f"http://{api}/helix/", auth_base_url=f"http://{server}/oauth2/", authenticate_app=False)
    await twitch.set_user_authentication(token, [AuthScope(scope) for scope in scopes], refresh)
    me = await first(twitch.get_users())
    say(event="me", user=me.id, text=me.login)

    def told(kind, user=lambda event: event.user_id, text=lambda event: None):
        async def take(data):
            say(event="told", type=kind, user=user(data.event), text=text(data.event))

        return take

    listener = EventSubWebsocket(twitch, connection_url=f"ws://{api}/ws", subscription_url=f"http://{api}/helix/")
    listener.start()
    await listener.listen_channel_follow_v2(user, user, told("follow"))
    await listener.listen_channel_subscribe(user, told("subscribe"))
    await listener.listen_channel_subscription_gift(user, told("gift", text=lambda event: str(event.total)))
    await listener.listen_channel_raid(told("raid", user=lambda event: event.from_broadcaster_user_id), to_broadcaster_user_id=user)
    await listener.listen_channel_points_custom_reward_redemption_add(user, told("redemption", text=lambda event: event.reward.title))
    await listener.listen_channel_chat_message(
        user, user, told("chat", user=lambda event: event.chatter_user_id, text=lambda event: event.message.text)
    )
    await listener.listen_stream_online(user, told("online", user=lambda event: None))
    await listener.listen_channel_update_v2(user, told("update", user=lambda event: None, text=lambda event: event.title))
    said = await twitch.send_chat_message(user, user, "hello from python")
    say(event="said", is_sent=said.is_sent)
    say(event="ready")
    await asyncio.Event().wait()


asyncio.run(main())
