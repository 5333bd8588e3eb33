"""The design of the original script on the stream PC: each message on `update-heat` is written into the file, which is truncated first.

writer.py PORT FILE
"""

import json
import sys

import paho.mqtt.client as mqtt


def main(port, file):
    def on_message(_client, _, message):
        count = json.loads(message.payload)["faveCount"]
        with open(file, "w", encoding="utf-8") as text:
            text.write("🔥 HEAT LEVEL RISING" if count == 0 else f"🔥 HEAT LEVEL: {count}")

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *_: client.subscribe("update-heat")
    client.on_subscribe = lambda *_: print("subscribed")
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
