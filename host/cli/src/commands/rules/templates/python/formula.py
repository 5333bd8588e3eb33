"""`{{name}}`: one degree for each fave.

What a rule can be told and can answer stands in wit/, from rule.wit on; heat.py makes it short to write.
"""

import wit_world
from wit_world.imports.events import Happening_Fave

from heat import Kind, Role, description, get, integer, interests, put, refuse, safely, setting, show, text

# Each with a default. People set them in heatd's configuration.
SETTINGS = [
    integer("per_fave", 1, (1, 1000), "Degrees for each fave."),
    text("output", "{{name}}", 32, "The name of the output that shows the number."),
]


class WitWorld(wit_world.WitWorld):
    def describe(self):
        """What the rule says of itself."""
        return description(Role.FORMULA, "{{name}}", "0.1.0", "Shows one degree for each fave.", SETTINGS)

    @safely
    def takes(self, settings):
        """What the rule is called for. What is not asked for costs nothing. `raise refuse("...")` refuses the settings."""
        return interests(kinds=[Kind.FAVES])

    @safely
    def handle(self, now, event):
        """Called for each fave, after it was counted, with the time in milliseconds. What it returns happens."""
        if not isinstance(event.what, Happening_Fave):
            return []
        # What has to last is kept as state, and never in a variable: an instance lives for at most 64 events.
        degrees = get("degrees", 0) + setting("per_fave")
        return [put("degrees", degrees), show(setting("output"), degrees)]

    def migrate(self, from_version, key, value):
        """Called for each stored value once the state's version has risen."""
        raise refuse("there is no older version")
