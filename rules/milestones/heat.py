"""What makes a rule short to write: settings, effects and state in plain values. The contract itself is wit/rule.wit.

Times are milliseconds, and weights thousandths of a fave. Both are whole numbers.
"""

import json

from componentize_py_types import Err
from wit_world.imports import about, config, counts, effects, log, outputs, state
from wit_world.imports.about import Ability, Interests, Kind, Role

# ---- What a rule says of itself -------------------------------------------------------------------------------------------


def description(role, name, version, summary, settings=()):
    """What `describe` returns."""
    return about.Description(name, version, summary, role, 1, list(settings))


def boolean(name, default, help):
    return about.Setting(name, about.SettingKind_Boolean(default), help)


def integer(name, default, bounds, help):
    return about.Setting(name, about.SettingKind_Integer(about.IntegerSetting(default, *bounds)), help)


def number(name, default, bounds, help):
    return about.Setting(name, about.SettingKind_Number(about.NumberSetting(default, *bounds)), help)


def duration(name, default, bounds, help):
    """A length of time in milliseconds; the configuration writes it as "90s"."""
    return about.Setting(name, about.SettingKind_Duration(about.DurationSetting(default, *bounds)), help)


def text(name, default, max_length, help):
    return about.Setting(name, about.SettingKind_Text(about.TextSetting(default, max_length)), help)


def choice(name, choices, help):
    """One of several texts; the first is the default."""
    return about.Setting(name, about.SettingKind_Choice(about.ChoiceSetting(choices)), help)


def texts(name, default, help):
    return about.Setting(name, about.SettingKind_Texts(default), help)


def numbers(name, default, help):
    """A table of names and numbers, given and read as a dict."""
    return about.Setting(name, about.SettingKind_Numbers(list(default.items())), help)


def interests(commands=(), words=(), topics=(), kinds=(), needs=()):
    """What `takes` returns."""
    return Interests(list(commands), list(words), list(topics), list(kinds), list(needs))


def values(settings):
    """The settings that `takes` is given, as a dict: `values(settings)["output"]`."""
    return {name: plain(value) for name, value in settings}


def refuse(reason):
    """Refuses the settings, in `takes`: `raise refuse("...")`."""
    return Err(reason)


# ---- What a rule reads ----------------------------------------------------------------------------------------------------


def plain(value):
    """The value of a setting: a table of names and numbers is a dict."""
    return dict(value.value) if isinstance(value, about.SettingValue_Numbers) else value.value


def setting(name):
    """The value of one of the rule's settings."""
    return plain(config.get(name))


def get(key, otherwise=None):
    """What `put` has stored under a key, as it stood before this call; `otherwise` when there is nothing."""
    value = state.get(key)
    return otherwise if value is None else json.loads(value)


def scan(prefix="", after=None, limit=100):
    """All keys that begin so, with their values, in order: `for key, value in scan("song/")`. At most so many, after `after`."""
    return [(entry.key, json.loads(entry.value)) for entry in state.scan(prefix, after, limit)]


def shown(name):
    """What a rule of this channel shows under a name, this one or another; None when none does."""
    return outputs.get(name)


# What has been counted in the channel: `counts.of_channel().faves`, and `.weight`, `.people`; `of_item(item)`, `of_person(id)`,
# `of_person_item(id, item)`, and `top_items(limit)`, `top_people(limit)`, which read everything: ask for them rarely.


# ---- What a rule answers with ---------------------------------------------------------------------------------------------


def put(key, value):
    """Keeps a value: a number, a text, a list, a dict, as JSON has them."""
    return effects.Effect_Put(effects.Entry(key, json.dumps(value).encode()))


def delete(key):
    return effects.Effect_Delete(key)


def show(name, value):
    """Formulas: shows a text under a name. An empty text takes it back."""
    return effects.Effect_Show(effects.Output(name, str(value)))


def notice(name, value):
    """Any role: a state that people have to know of. The page and `heat status` tell it until an empty text takes it back."""
    return show(f"notice-{name}", value)


def say(line):
    return effects.Effect_Say(line)


def reply(line):
    """As say, as a reply to the line of chat that is being answered."""
    return effects.Effect_Reply(line)


def publish(topic, payload, at_most_once=False):
    """Formulas: one MQTT message, to a topic that the configuration grants."""
    delivery = effects.Delivery.AT_MOST_ONCE if at_most_once else effects.Delivery.AT_LEAST_ONCE
    payload = payload if isinstance(payload, bytes) else str(payload).encode()
    return effects.Effect_Publish(effects.Message(topic, payload, delivery))


def clip(title, seconds=30):
    """Formulas: asks for a clip of the last seconds, from 5 to 60."""
    return effects.Effect_Clip(effects.ClipRequest(title, seconds))


def wake(name, at):
    """Calls the rule again at this time, with the event `timer` and this name; None cancels it."""
    return effects.Effect_Wake(effects.Alarm(name, at))


def weigh(weight):
    """Multipliers, in answer to a fave: its new weight."""
    return effects.Effect_Weigh(weight)


def drop():
    """Multipliers, in answer to a fave: it is not counted."""
    return effects.Effect_Drop()


def fave(line, item="", weight=1000):
    """Handlers: a fave of whoever wrote a line of chat. A whole fave has the weight 1000."""
    return effects.Effect_Fave(effects.NewFave(line.person, line.standing, line.bits, item, weight))


# ---- Mistakes -------------------------------------------------------------------------------------------------------------


def safely(called):
    """Stands before `takes` and `handle`, so that a mistake in them stands in heatd's log, with its place."""

    def watched(*given):
        try:
            return called(*given)
        except Err:
            raise
        except Exception as error:
            log.write(log.Level.WARN, f"{error!r}, {places(error)}")
            raise Err(repr(error)) from error

    return watched


def places(error):
    """Where a mistake was made, the innermost first. The module `traceback` looks for the files, and there are none here."""
    lines, at = [], error.__traceback__
    while at:
        lines.insert(0, f"in {at.tb_frame.f_code.co_name} at {at.tb_frame.f_code.co_filename}:{at.tb_lineno}")
        at = at.tb_next
    return ", ".join(lines)
