"""The file writer of the original protocol, in our own words: it sets the text of a file to what `update-heat` says.

writer.py MQTT_PORT FILE
"""

import json
import sys

import paho.mqtt.client as mqtt

port, path = sys.argv[1:3]


def say(line):
    """Prints a whole line at once: paho has a thread of its own."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def on_connect(client, _userdata, _flags, code):
    say(f"broker says {code}")
    client.subscribe("update-heat")


def on_subscribe(_client, _userdata, _id, granted):
    say(f"subscribed {granted}")


def on_message(_client, _userdata, message):
    level = json.loads(message.payload)["faveCount"]
    text = "🔥 HEAT LEVEL RISING" if level == 0 else f"🔥 HEAT LEVEL: {level}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    say(f"heat level {level}")


client = mqtt.Client()
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect("127.0.0.1", int(port), 60)
client.loop_forever()
