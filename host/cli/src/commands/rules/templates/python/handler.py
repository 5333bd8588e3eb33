"""`{{name}}`: what follows a command in chat becomes a fave.

What a rule can be told and can answer stands in wit/, from rule.wit on; heat.py makes it short to write.
"""

import wit_world
from wit_world.imports.events import Happening_Command

from heat import Role, description, duration, fave, get, interests, put, refuse, safely, setting, text, values

# Each with a default. People set them in heatd's configuration.
SETTINGS = [
    text("command", "?{{name}}", 40, "What viewers type."),
    duration("cooldown", 60_000, (0, 3_600_000), "How long a person waits for the next fave."),
]


class WitWorld(wit_world.WitWorld):
    def describe(self):
        """What the rule says of itself."""
        summary = "Makes a fave of what follows a command, once a minute for each person."
        return description(Role.HANDLER, "{{name}}", "0.1.0", summary, SETTINGS)

    @safely
    def takes(self, settings):
        """What the rule is called for. What is not asked for costs nothing. `raise refuse("...")` refuses the settings."""
        return interests(commands=[values(settings)["command"]])

    @safely
    def handle(self, now, event):
        """Called for each command. There is no clock: `now` is the time of the event, in milliseconds. What it returns happens."""
        if not isinstance(event.what, Happening_Command):
            return []
        command = event.what.value
        # What has to last is kept as state, and never in a variable: an instance lives for at most 64 events.
        last = f"last/{command.line.person.id}"
        if now < get(last, 0) + setting("cooldown"):
            return []
        return [put(last, now), fave(command.line, command.arguments)]

    def migrate(self, from_version, key, value):
        """Called for each stored value once the state's version has risen."""
        raise refuse("there is no older version")
