"""The bot of the original protocol, in our own words: it answers `?fave` in chat with the title of the song that plays.

bot.py CHAT_PORT CHANNEL MQTT_PORT SONG_FILE

The title is what the file has, byte for byte, sent to `new-heat` with QoS 0 and not retained. `!next` in chat stands for
a song that changes: then the title is sent without a fave.
"""

import socket
import sys

import paho.mqtt.client as mqtt

chat_port, channel, mqtt_port, song_file = sys.argv[1:5]


def say(line):
    """Prints a whole line at once: paho has a thread of its own."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def on_connect(_client, _userdata, _flags, code):
    say(f"broker says {code}")


broker = mqtt.Client()
broker.on_connect = on_connect
broker.connect("127.0.0.1", int(mqtt_port), 60)
broker.loop_start()

chat = socket.create_connection(("127.0.0.1", int(chat_port)))
chat.sendall(f"PASS SCHMOOPIIE\r\nNICK justinfan77\r\nJOIN #{channel}\r\n".encode())
for line in chat.makefile(encoding="utf-8", errors="replace", newline="\r\n"):
    if line.startswith("PING"):
        chat.sendall(line.replace("PING", "PONG", 1).encode())
    if " 366 " in line:
        say("joined")
    said = line.split(f" PRIVMSG #{channel} :", 1)
    if len(said) == 2 and said[1].split()[0] in ("?fave", "!next"):
        with open(song_file, "rb") as file:
            title = file.read()
        broker.publish("new-heat", title)
        say(f"published {len(title)}")
