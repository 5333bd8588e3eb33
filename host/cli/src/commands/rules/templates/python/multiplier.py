"""`{{name}}`: the fave of somebody who chats for the first time weighs more.

What a rule can be told and can answer stands in wit/, from rule.wit on; heat.py makes it short to write.
"""

import wit_world
from wit_world.imports.events import Happening_Fave

from heat import Kind, Role, description, integer, interests, refuse, safely, setting, weigh

# Each with a default. People set them in heatd's configuration.
SETTINGS = [integer("factor", 2, (1, 100), "What a newcomer's fave is multiplied with.")]


class WitWorld(wit_world.WitWorld):
    def describe(self):
        """What the rule says of itself."""
        summary = "Multiplies the faves of people who chat for the first time."
        return description(Role.MULTIPLIER, "{{name}}", "0.1.0", summary, SETTINGS)

    @safely
    def takes(self, settings):
        """What the rule is called for. What is not asked for costs nothing. `raise refuse("...")` refuses the settings."""
        return interests(kinds=[Kind.FAVES])

    @safely
    def handle(self, now, event):
        """Called for each fave before it is counted. An empty list leaves it as it is.

        A rule that has to remember something does so with `put` and `get`, and never in a variable: an instance lives for at
        most 64 events.
        """
        if not isinstance(event.what, Happening_Fave):
            return []
        fave = event.what.value
        if not (fave.standing and fave.standing.first_message):
            return []
        return [weigh(fave.weight * setting("factor"))]

    def migrate(self, from_version, key, value):
        """Called for each stored value once the state's version has risen."""
        raise refuse("there is no older version")
