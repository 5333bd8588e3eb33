//! Says lines in chat, one after the other for each account: within Twitch's rates, and none that is older than ten seconds.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use heat_engine::Say;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::rates::Rates;
use super::speakers::Speakers;
use crate::clock::now;
use crate::config::AccountConfig;
use crate::helix::{Helix, HelixError};
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;
use crate::view::feed::{Feed, Summary};
use crate::view::removals::Removals;

/// For how long a line may wait, in milliseconds: the contract promises it.
const LONGEST_WAIT: u64 = 10_000;

/// How many lines wait at most, for all accounts together.
const MOST_WAITING: usize = 1_000;

/// How often the log names a rule whose lines are dropped.
const TOLD_EVERY: Duration = Duration::from_secs(60);

/// Why a line was not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SayError {
    /// The configuration has no account that speaks there.
    NoSpeaker,
    /// It could not be said within ten seconds: too much is said, or Twitch does not answer.
    TooLate,
    /// Moderators have removed the line that it answers.
    Removed,
    /// Twitch has not taken it, and why: its AutoMod, a ban, a repetition.
    Refused(String),
    /// Twitch could not be asked, or there is no login.
    Failed(String),
}

impl fmt::Display for SayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSpeaker => f.write_str(
                "no account speaks there: it wants a [[twitch.account]] with the feature \"say\", and heat login",
            ),
            Self::TooLate => f.write_str("it could not be said within 10 seconds"),
            Self::Removed => f.write_str("the line that it answers was removed"),
            Self::Refused(why) => write!(f, "Twitch has not sent it: {why}"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl SayError {
    /// The word for it in metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::NoSpeaker => "no_account",
            Self::TooLate => "too_late",
            Self::Removed => "removed",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }
}

/// A line, and who waits to hear what became of it.
struct Wish {
    say: Say,
    answer: Option<oneshot::Sender<Result<String, SayError>>>,
}

/// Where lines are handed in. Cheap to clone. It never waits.
#[derive(Clone)]
pub(crate) struct Says {
    wishes: mpsc::Sender<Wish>,
    metrics: Metrics,
}

impl Says {
    /// A line of a rule, or of heatd itself.
    pub(crate) fn put(&self, say: Say) {
        if let Err(mpsc::error::TrySendError::Full(wish)) =
            self.wishes.try_send(Wish { say, answer: None })
        {
            self.metrics.said(SayError::TooLate.name());
            debug!(rule = &*wish.say.slot, "too many lines wait to be said; this one is dropped");
        }
    }

    /// A line of a person. Returns Twitch's id of it, once it is said.
    pub(crate) async fn ask(&self, say: Say) -> Result<String, SayError> {
        let (answer, told) = oneshot::channel();
        let stopping = || SayError::Failed("heatd is stopping".to_owned());
        let sent = self.wishes.try_send(Wish { say, answer: Some(answer) });
        sent.map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => SayError::TooLate,
            mpsc::error::TrySendError::Closed(_) => stopping(),
        })?;
        told.await.map_err(|_| stopping())?
    }
}

/// The task that says lines.
pub(crate) struct Mouth {
    wishes: mpsc::Receiver<Wish>,
    speech: Speech,
}

/// What saying needs.
#[derive(Clone)]
struct Speech {
    helix: Arc<Helix>,
    speakers: Speakers,
    removals: Arc<Removals>,
    metrics: Metrics,
    feed: Feed,
}

impl Mouth {
    pub(crate) fn new(
        helix: Arc<Helix>,
        speakers: Speakers,
        removals: Arc<Removals>,
        metrics: Metrics,
        feed: Feed,
    ) -> (Says, Self) {
        let (handed_in, wishes) = mpsc::channel(MOST_WAITING);
        let says = Says { wishes: handed_in, metrics: metrics.clone() };
        let speech = Speech { helix, speakers, removals, metrics, feed };
        (says, Self { wishes, speech })
    }

    /// Says lines until the shutdown. Each account has a task of its own: one that waits does not keep another from speaking.
    pub(crate) async fn run(mut self, mut shutdown: Shutdown) -> Result<()> {
        let mut accounts: HashMap<String, mpsc::Sender<Wish>> = HashMap::new();
        let mut tasks = JoinSet::new();
        loop {
            let wish = tokio::select! {
                wish = self.wishes.recv() => wish,
                () = shutdown.begun() => None,
            };
            let Some(wish) = wish else { return Ok(()) };
            let Some(speaker) = self.speech.speakers.speaker(&wish.say.channel).cloned() else {
                self.speech.done(wish, Err(SayError::NoSpeaker), &mut ToldDrops::default());
                continue;
            };
            let handed = accounts.entry(speaker.login.clone()).or_insert_with(|| {
                let (handed, wishes) = mpsc::channel(MOST_WAITING);
                tasks.spawn(speak(self.speech.clone(), speaker, wishes));
                handed
            });
            if let Err(error) = handed.try_send(wish) {
                let told = &mut ToldDrops::default();
                self.speech.done(error.into_inner(), Err(SayError::TooLate), told);
            }
        }
    }
}

/// Says the lines of one account.
async fn speak(speech: Speech, speaker: AccountConfig, mut wishes: mpsc::Receiver<Wish>) {
    let mut waiting: VecDeque<Wish> = VecDeque::new();
    let (mut rates, mut told) = (Rates::default(), ToldDrops::default());
    let mut busy_until = Instant::now();
    loop {
        while waiting.len() < MOST_WAITING
            && let Ok(wish) = wishes.try_recv()
        {
            waiting.push_back(wish);
        }
        speech.drop_old(&mut waiting, &mut told);
        let (place, wait) = next(&mut rates, &speaker, &waiting, busy_until);
        if let (Some(place), None) = (place, wait)
            && let Some(wish) = waiting.remove(place)
        {
            let said = speech.say(&speaker.login, &wish.say).await;
            if let Err(HelixError::Busy(wait)) = said {
                // It waits on, as long as it may.
                busy_until = Instant::now() + wait;
                waiting.push_front(wish);
                continue;
            }
            rates.said(Instant::now(), &wish.say.channel);
            speech.done(
                wish,
                said.unwrap_or_else(|error| Err(SayError::Failed(error.to_string()))),
                &mut told,
            );
            continue;
        }
        // No longer than the oldest may wait.
        let wait = wait.map(|wait| wait.min(Duration::from_millis(500)));
        tokio::select! {
            wish = wishes.recv(), if waiting.len() < MOST_WAITING => match wish {
                Some(wish) => waiting.push_back(wish),
                None => return,
            },
            () = sleep(wait.unwrap_or_default()), if wait.is_some() => {}
        }
    }
}

/// The first line that may be said now; or else how long it takes until one may.
fn next(
    rates: &mut Rates,
    speaker: &AccountConfig,
    waiting: &VecDeque<Wish>,
    busy_until: Instant,
) -> (Option<usize>, Option<Duration>) {
    let now = Instant::now();
    let busy = busy_until.saturating_duration_since(now);
    if !busy.is_zero() {
        return (None, Some(busy).filter(|_| !waiting.is_empty()));
    }
    let mut shortest: Option<Duration> = None;
    // Lines of one channel keep their order.
    let mut seen: Vec<&str> = Vec::new();
    for (place, wish) in waiting.iter().enumerate() {
        let channel = &*wish.say.channel;
        if seen.contains(&channel) {
            continue;
        }
        seen.push(channel);
        match rates.wait(now, channel, speaker.login == channel) {
            None => return (Some(place), None),
            Some(wait) => shortest = Some(shortest.map_or(wait, |it| it.min(wait))),
        }
    }
    (None, shortest)
}

impl Speech {
    /// Says a line. The inner error is Twitch's word on the line, the outer one that there is none.
    async fn say(&self, account: &str, say: &Say) -> Result<Result<String, SayError>, HelixError> {
        let Some(sender) = self.helix.accounts().user_id(account) else {
            return Err(HelixError::NoLogin(format!(
                "nobody is logged in as {account}: heat login mends it"
            )));
        };
        let channel = match account == &*say.channel {
            true => sender.clone(),
            false => match self.helix.person(account, &say.channel).await? {
                Some(channel) => channel.id,
                None => {
                    return Ok(Err(SayError::Refused(format!(
                        "there is no channel {}",
                        say.channel
                    ))));
                }
            },
        };
        let reply_to = say.cause.as_ref().filter(|it| say.is_reply && !it.message.is_empty());
        let reply_to = reply_to.map(|it| it.message.as_str());
        match self.helix.say(account, (&channel, &sender), &say.text, reply_to).await {
            Ok(sent) => Ok(match sent.problem() {
                None => Ok(sent.message_id),
                Some(why) => Err(SayError::Refused(why)),
            }),
            Err(HelixError::Refused { why, .. }) => Ok(Err(SayError::Refused(why))),
            Err(error) => Err(error),
        }
    }

    /// Drops lines that have waited too long, and answers to lines that are gone.
    fn drop_old(&self, waiting: &mut VecDeque<Wish>, told: &mut ToldDrops) {
        let now = now();
        for _ in 0..waiting.len() {
            let Some(wish) = waiting.pop_front() else { break };
            let say = &wish.say;
            let is_removed = say
                .cause
                .as_ref()
                .is_some_and(|it| self.removals.has(&say.channel, &it.message, &it.login, say.at));
            if say.at + LONGEST_WAIT < now {
                self.done(wish, Err(SayError::TooLate), told);
            } else if is_removed {
                self.done(wish, Err(SayError::Removed), told);
            } else {
                waiting.push_back(wish);
            }
        }
    }

    /// Tells what became of a line.
    fn done(&self, wish: Wish, said: Result<String, SayError>, told: &mut ToldDrops) {
        let Say { channel, slot, text, .. } = &wish.say;
        self.metrics.said(said.as_ref().map_or_else(SayError::name, |_| "said"));
        if let Err(why) = &said {
            let text = format!("not said in chat: {text:?}: {why}");
            self.feed.tell(channel, Summary::Event { event: "not-said", at: now(), text });
            if let Some(more) = told.due(slot, why) {
                warn!(channel = &**channel, rule = &**slot, text = wish.say.text, %why, more, "a line of this rule is not said in chat");
            }
        }
        if let Some(answer) = wish.answer {
            // The caller may be gone.
            let _ = answer.send(said);
        }
    }
}

/// Which drops the log has told, so that a rule that says too much is named once a minute, with how many more there were.
#[derive(Default)]
struct ToldDrops(HashMap<(Arc<str>, &'static str), (Instant, u64)>);

impl ToldDrops {
    /// How many more were not told since the last time; none: it is not told now.
    fn due(&mut self, slot: &Arc<str>, why: &SayError) -> Option<u64> {
        let now = Instant::now();
        let key = (Arc::clone(slot), why.name());
        match self.0.get_mut(&key) {
            Some((at, more)) if now.duration_since(*at) < TOLD_EVERY => {
                *more += 1;
                None
            }
            Some((at, more)) => {
                *at = now;
                Some(std::mem::take(more))
            }
            None => {
                self.0.insert(key, (now, 0));
                Some(0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_that_says_too_much_is_named_once_a_minute() {
        let (mut told, slot) = (ToldDrops::default(), Arc::from("loud"));
        assert_eq!(told.due(&slot, &SayError::TooLate), Some(0));
        assert_eq!(told.due(&slot, &SayError::TooLate), None);
        assert_eq!(told.due(&slot, &SayError::Removed), Some(0));
    }
}
