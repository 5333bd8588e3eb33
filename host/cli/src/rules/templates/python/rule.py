"""`{{name}}`: counts how often viewers type a command, and shows the number.

A working rule to begin with: change what you like. heat.py has what else a rule can ask for.
"""

import wit_world
from wit_world.imports.events import Happening_Command, Happening_StreamStart

from heat import Kind, Role, description, get, integer, interests, plain, put, refuse, safely, say, setting, show, text

# What its user can set in heatd.toml.
SETTINGS = [
    text("command", "?{{name}}", 50, "The command that is counted."),
    text("output", "{{name}}", 64, "The name of the output that shows the number."),
    integer("every", 10, (0, 1_000_000), "At each so many it is said in chat too; 0 for never."),
]


class WitWorld(wit_world.WitWorld):
    def describe(self):
        """What the rule is."""
        return description(Role.FORMULA, "{{name}}", "0.1.0", "Counts how often viewers type a command.", SETTINGS)

    @safely
    def takes(self, settings):
        """What the rule wants to be told of. Anything else does not reach it."""
        command = plain(dict(settings)["command"])
        if not command or " " in command:
            raise refuse(f'the command "{command}" must be one word, such as "?{{name}}"')
        return interests(commands=[command], kinds=[Kind.STREAMS])

    @safely
    def handle(self, now, event):
        """Called for each event, with the time in milliseconds. It returns what shall happen."""
        match event.what:
            case Happening_Command(value=command):
                return counted(command.line.person)
            case Happening_StreamStart():
                return [put("count", 0), show(setting("output"), 0)]
        return []

    def migrate(self, from_version, key, value):
        """Called for each stored value when the state's version has risen. As long as it has not, this is never called."""
        raise refuse("there is no older version")


def counted(person):
    # Not in a variable: an instance of the rule lives for a few events only. What is put is there the next time.
    count = get("count", 0) + 1
    effects = [put("count", count), show(setting("output"), count)]
    every = setting("every")
    if every > 0 and count % every == 0:
        effects.append(say(f"{person.name} makes it {count}!"))
    return effects
