"""The design of the original checker: for each title that arrives on `new-heat`, count the distinct people who have it among their
faves, and say so on `update-heat`. QoS 0 and nothing retained, as it was. The database is SQLite instead of MongoDB, on this machine
and filled before: 200 songs with 25 people each; nothing is written to it here, as the original's bot did that.

checker.py PORT DATABASE
"""

import json
import sqlite3
import sys

import paho.mqtt.client as mqtt

LEFT_OUT = ("duke_ferdinand", "seasidefm")


def fill(database):
    database.execute("CREATE TABLE saved_songs (user TEXT, song TEXT)")
    database.execute("CREATE INDEX by_song ON saved_songs (song)")
    rows = ((f"person{user}", f"song number {song}") for song in range(200) for user in range(25))
    database.executemany("INSERT INTO saved_songs VALUES (?, ?)", rows)
    database.commit()


def main(port, file):
    database = sqlite3.connect(file, check_same_thread=False)
    fill(database)

    def on_message(client, _, message):
        name = message.payload.decode().strip()
        query = "SELECT COUNT(DISTINCT user) FROM saved_songs WHERE song = ? AND user NOT IN (?, ?)"
        (count,) = database.execute(query, (name, *LEFT_OUT)).fetchone()
        client.publish("update-heat", json.dumps({"name": name, "faveCount": count}))

    client = mqtt.Client()
    client.on_connect = lambda client, *_: client.subscribe("new-heat")
    client.on_subscribe = lambda *_: print("subscribed")
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
