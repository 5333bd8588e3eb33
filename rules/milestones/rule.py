"""`milestones`: celebrates when the faves of the stream pass 100, 250, 500, 1000 ..."""

import wit_world
from wit_world.imports import counts
from wit_world.imports.events import Happening_Fave, Happening_StreamStart, Happening_Timer

from heat import (
    Kind, Role, boolean, description, duration, get, interests, numbers, put, refuse, safely, say, setting, show, text, values, wake,
)

MILESTONES = {
    "100 faves!": 100,
    "250 faves!": 250,
    "500 faves!": 500,
    "1000 faves!": 1000,
    "2500 faves!": 2500,
    "5000 faves!": 5000,
    "10000 faves!": 10000,
}

SETTINGS = [
    numbers("milestones", MILESTONES, "What is shown, and at which sum of weights; 1 is one plain fave."),
    duration("lasts", 10_000, (1_000, 3_600_000), "How long a celebration is shown."),
    boolean("per_stream", True, "Whether each stream begins at nothing. Otherwise all faves count that there ever were."),
    boolean("say", False, "Whether it is said in chat too."),
    text("output", "milestone", 64, "The name of the output that shows the celebration."),
]


class WitWorld(wit_world.WitWorld):
    def describe(self):
        summary = "Celebrates when the faves pass 100, 250, 500, 1000 and so on."
        return description(Role.FORMULA, "milestones", "1.0.0", summary, SETTINGS)

    @safely
    def takes(self, settings):
        given = values(settings)
        steps = given["milestones"]
        if not steps:
            raise refuse("`milestones` is empty: give at least one text and its number")
        for shown, at in steps.items():
            if at <= 0:
                raise refuse(f"the milestone {shown!r} is at {at:g}: a milestone is above 0")
            if not shown or len(shown) > 200 or any(ord(char) < 32 for char in shown):
                raise refuse(f"the milestone at {at:g} needs a text of one line, 1 to 200 characters long")
        output = given["output"]
        if not output or not all(char in "abcdefghijklmnopqrstuvwxyz0123456789-_" for char in output):
            raise refuse(f"the output {output!r} must be named with lower-case letters, digits, - and _")
        return interests(kinds=[Kind.FAVES, Kind.STREAMS])

    @safely
    def handle(self, now, event):
        match event.what:
            case Happening_Fave():
                return passed(now)
            case Happening_Timer():
                return [show(setting("output"), "")]
            case Happening_StreamStart() if setting("per_stream"):
                return [put("begun", counts.of_channel().weight), put("reached", 0)]
        return []

    def migrate(self, from_version, key, value):
        raise NotImplementedError  # The state has had one version only.


def passed(now):
    """Of several milestones passed at once the last counts. One that was reached is not reached again by way of fewer faves."""
    weight = (counts.of_channel().weight - get("begun", 0)) / 1000
    reached = get("reached", 0)
    steps = {at: shown for shown, at in setting("milestones").items() if reached < at <= weight}
    if not steps:
        return []
    best = max(steps)
    effects = [
        put("reached", best),
        show(setting("output"), steps[best]),
        wake("over", now + setting("lasts")),
    ]
    if setting("say"):
        effects.append(say(steps[best]))
    return effects
