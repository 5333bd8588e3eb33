//! The settings as whole thousandths, read once in the life of an instance, and the check whether they go together.

use heat_rule::{Interests, Kind, Settings, configured};

use crate::{GREATEST, ONE};

/// Names of the table `tiers`, in the order of the array that is made of it.
pub(crate) const TIERS: [&str; 4] = ["prime", "one", "two", "three"];

/// Names of the table `standing`, in the order of the array that is made of it.
pub(crate) const STANDING: [&str; 5] =
    ["broadcaster", "moderator", "vip", "first_message", "returning"];

/// A boost as the settings have it.
pub(crate) struct Boost {
    pub(crate) factor: i64,
    pub(crate) duration: u64,
    /// The least viewers, gifts or bits that start it.
    pub(crate) least: u64,
}

impl Boost {
    fn is_on(&self) -> bool {
        self.factor > ONE
    }
}

pub(crate) struct Configured {
    pub(crate) tiers: [i64; TIERS.len()],
    pub(crate) standing: [Option<i64>; STANDING.len()],
    /// The least bits and the factor, most bits first.
    pub(crate) bits: Vec<(u32, i64)>,
    pub(crate) cap: i64,
    pub(crate) raid: Boost,
    pub(crate) gift: Boost,
    pub(crate) gift_window: u64,
    pub(crate) sub: Boost,
    pub(crate) cheer: Boost,
    moderator_command: String,
}

configured!(Configured);

impl Configured {
    /// Reads the settings. An error says which contradict each other, and what would do.
    pub(crate) fn read(settings: &Settings) -> Result<Self, String> {
        let tiers = table(settings, "tiers", &TIERS)?;
        let window = settings.duration("gift_window");
        let gift = boost(settings, "gift", "gift_count")?;
        if gift.is_on() && window == 0 {
            return Err(
                "`gift_window` is \"0s\", so gifts would never count together; write \"30s\""
                    .to_owned(),
            );
        }
        Ok(Self {
            tiers: array(&tiers).map(|factor| factor.unwrap_or(ONE)),
            standing: array(&table(settings, "standing", &STANDING)?),
            bits: bits(settings)?,
            cap: thousandths(settings.number("cap")),
            raid: boost(settings, "raid", "raid_viewers")?,
            gift,
            gift_window: window,
            sub: boost(settings, "sub", "")?,
            cheer: boost(settings, "cheer", "cheer_bits")?,
            moderator_command: settings.text("moderator_command"),
        })
    }

    /// Whether a boost can ever be on, so that it is worth a look.
    pub(crate) fn any_boost(&self) -> bool {
        let causes = [&self.raid, &self.gift, &self.sub, &self.cheer];
        !self.moderator_command.is_empty() || causes.into_iter().any(Boost::is_on)
    }

    /// What the rule wants to be called for: only what can start a boost.
    pub(crate) fn interests(self) -> Interests {
        let mut interests = Interests::none().kind(Kind::Faves);
        for (boost, kind) in [
            (&self.raid, Kind::Raids),
            (&self.gift, Kind::Gifts),
            (&self.sub, Kind::Subscriptions),
            (&self.cheer, Kind::Cheers),
        ] {
            if boost.is_on() {
                interests = interests.kind(kind);
            }
        }
        match self.moderator_command {
            command if command.is_empty() => interests,
            command => interests.command(command),
        }
    }
}

fn boost(settings: &Settings, cause: &str, least: &str) -> Result<Boost, String> {
    let factor = settings.number(&format!("{cause}_boost"));
    let duration = settings.duration(&format!("{cause}_duration"));
    if factor < 1.0 {
        return Err(format!(
            "`{cause}_boost` is {factor}, and a boost never makes faves lighter; write 2, or 1 for none"
        ));
    }
    if factor > 1.0 && duration == 0 {
        return Err(format!(
            "`{cause}_boost` is {factor} for \"0s\", which is never; give `{cause}_duration` a length such as \"5m\", or write {cause}_boost = 1"
        ));
    }
    let least = match least {
        "" => 0,
        name => settings.integer(name).unsigned_abs(),
    };
    Ok(Boost { factor: thousandths(factor), duration, least })
}

/// The factors of a table whose names are known, in the order of those names.
fn table(
    settings: &Settings,
    name: &str,
    known: &[&'static str],
) -> Result<Vec<Option<i64>>, String> {
    let mut factors = vec![None; known.len()];
    for (key, number) in settings.numbers(name) {
        let Some(place) = known.iter().position(|known| *known == key) else {
            return Err(format!("`{name}` has no {key:?}; it may have {}", known.join(", ")));
        };
        factors[place] = Some(factor(name, &key, number)?);
    }
    Ok(factors)
}

fn array<const N: usize>(factors: &[Option<i64>]) -> [Option<i64>; N] {
    std::array::from_fn(|place| factors.get(place).copied().flatten())
}

fn bits(settings: &Settings) -> Result<Vec<(u32, i64)>, String> {
    let mut bits = Vec::new();
    for (key, number) in settings.numbers("bits") {
        let least: u32 = key.parse().ok().filter(|least| *least > 0).ok_or_else(|| {
            format!("`bits` has {key:?}, which is no number of bits; write it as \"100\" = 2")
        })?;
        if bits.iter().any(|(other, _)| *other == least) {
            return Err(format!("`bits` has {least} bits twice; leave one of them out"));
        }
        bits.push((least, factor("bits", &key, number)?));
    }
    bits.sort_by(|one, other| other.cmp(one));
    Ok(bits)
}

fn factor(table: &str, key: &str, number: f64) -> Result<i64, String> {
    let factor = thousandths(number);
    if number > GREATEST || factor <= 0 {
        return Err(format!(
            "`{table}` has a factor for {key} that is not from 0.001 to {GREATEST}; for faves that shall not count there is `deny` of the rule fave"
        ));
    }
    Ok(factor)
}

fn thousandths(number: f64) -> i64 {
    (number * ONE as f64).round() as i64
}
