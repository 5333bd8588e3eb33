//! The accounts of the configuration, how they stand, and tokens that are good.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_rustls::rustls::ClientConfig;
use tracing::{info, warn};

use super::environment::Environment;
use super::file::{Login, LoginFile};
use super::oauth::{IdServer, OauthClient, OauthError};
use super::pending::PendingLogin;
use super::standing::{AccountState, Standing};
use crate::clock::now;
use crate::config::{AccountConfig, AccountSettings, Feature};
use crate::secret::Secret;
use crate::view::raw_log::RawLog;
use crate::web::Web;

/// The largest answer of the server for logins, in bytes.
const LARGEST: usize = 64 << 10;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The accounts of the configuration, and their logins.
pub(crate) struct Accounts {
    wanted: Vec<WantedAccount>,
    pub(super) id: IdServer,
    /// What the configuration says.
    pub(super) client: Option<OauthClient>,
    /// The secret of a confidential client.
    pub(super) client_secret: Option<Secret>,
    pub(super) kept: Mutex<LoginFile>,
    pub(super) pending: Mutex<Vec<PendingLogin>>,
    /// Tokens of the environment.
    pub(super) environment: Environment,
    states: watch::Sender<Arc<Vec<AccountState>>>,
    /// Nothing secret may stand there.
    raw_log: RawLog,
}

/// What a request of an account to Twitch is made with.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) token: Secret,
    /// The program that the token was given to.
    pub(crate) client_id: String,
}

/// One account of the configuration.
pub(super) struct WantedAccount {
    pub(super) config: AccountConfig,
    /// Held while its token is refreshed: two at once would use one refresh token twice.
    pub(super) refreshing: tokio::sync::Mutex<()>,
}

impl Accounts {
    /// Reads the logins that are kept. A file that others can read is an error.
    pub(crate) fn open(
        settings: &AccountSettings,
        data: &Path,
        tls: Option<Arc<ClientConfig>>,
        raw_log: &RawLog,
    ) -> Result<Self> {
        let (kept, environment) = (LoginFile::open(data)?, Environment::read()?);
        // What the configuration says comes before the environment.
        let secret = settings.client_secret.clone().or_else(|| environment.client_secret.clone());
        let id = settings.client_id.clone().or_else(|| environment.client_id.clone());
        let client = id.map(|id| OauthClient { id, secret: secret.clone() });
        let wanted = settings.wanted.iter().map(|config| WantedAccount {
            config: config.clone(),
            refreshing: tokio::sync::Mutex::default(),
        });
        let accounts = Self {
            wanted: wanted.collect(),
            id: IdServer::new(Web::new(tls, LARGEST, PATIENCE), &settings.id),
            client,
            client_secret: secret,
            kept: Mutex::new(kept),
            pending: Mutex::default(),
            environment,
            states: watch::Sender::default(),
            raw_log: raw_log.clone(),
        };
        accounts.client_secret.iter().for_each(|it| raw_log.hide(it));
        accounts.environment.secrets().for_each(|it| raw_log.hide(it));
        let states = accounts.wanted.iter().map(|it| accounts.first_state(&it.config));
        accounts.states.send_replace(Arc::new(states.collect()));
        Ok(accounts)
    }

    /// How all accounts stand, in the order of the configuration.
    pub(crate) fn states(&self) -> Arc<Vec<AccountState>> {
        Arc::clone(&self.states.borrow())
    }

    /// Resolves each change of how accounts stand.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Vec<AccountState>>> {
        self.states.subscribe()
    }

    /// The account of this login.
    pub(super) fn wanted(&self, login: &str) -> Option<&WantedAccount> {
        self.wanted.iter().find(|it| it.config.login == login)
    }

    /// The program that asks: as configured, or as somebody has typed it.
    pub(super) fn client(&self) -> Option<OauthClient> {
        self.client.clone().or_else(|| {
            let id = self.kept.lock().client_id()?.to_owned();
            Some(OauthClient { id, secret: self.client_secret.clone() })
        })
    }

    /// Before anything is validated: what the file says.
    fn first_state(&self, config: &AccountConfig) -> AccountState {
        let standing = match self.kept.lock().find(&config.login) {
            Some(login) => {
                self.hide(login);
                Standing::logged_in(login, config)
            }
            None => Standing::LoggedOut,
        };
        AccountState { config: config.clone(), standing }
    }

    /// Keeps the tokens of a login out of the raw log.
    pub(super) fn hide(&self, login: &Login) {
        self.raw_log.hide(&login.access_token);
        login.refresh_token.iter().for_each(|it| self.raw_log.hide(it));
    }

    /// Twitch's id of an account that is logged in.
    pub(crate) fn user_id(&self, login: &str) -> Option<String> {
        self.kept.lock().find(login).map(|it| it.user_id.clone())
    }

    /// The accounts that are logged in, and what the login of each covers.
    pub(crate) fn able(&self) -> Vec<(AccountConfig, Vec<Feature>)> {
        let states = self.states();
        let able = states.iter().filter(|state| state.standing.is_good());
        able.map(|state| (state.config.clone(), state.covered())).collect()
    }

    /// What a request is made with. `rejected`: Twitch does not take this token any more.
    pub(crate) async fn credential(
        &self,
        login: &str,
        rejected: Option<&Secret>,
    ) -> Result<Credential, OauthError> {
        let token = self.token(login, rejected).await?;
        let kept = self.kept.lock().find(login).cloned();
        let gone = || OauthError::Refused("nobody is logged in".to_owned());
        Ok(Credential { token, client_id: kept.ok_or_else(gone)?.client_id })
    }

    fn standing(&self, login: &str) -> Option<Standing> {
        let states = self.states.borrow();
        states.iter().find(|it| it.config.login == login).map(|it| it.standing.clone())
    }

    pub(super) fn set(&self, login: &str, standing: Standing) {
        self.states.send_if_modified(|states| {
            let Some(at) = states.iter().position(|it| it.config.login == login) else {
                return false;
            };
            if states[at].standing == standing {
                return false;
            }
            Arc::make_mut(states)[at].standing = standing;
            true
        });
    }

    /// A token that is good for a while. `rejected`: Twitch does not take this one any more, whatever its time is.
    pub(crate) async fn token(
        &self,
        login: &str,
        rejected: Option<&Secret>,
    ) -> Result<Secret, OauthError> {
        let logged_out = || OauthError::Refused("nobody is logged in".to_owned());
        let wanted = self.wanted(login).ok_or_else(logged_out)?;
        let _one = wanted.refreshing.lock().await;
        let kept = self.kept.lock().find(login).cloned().ok_or_else(logged_out)?;
        // Twitch was asked and has said no. Only another login helps.
        if let Some(Standing::Lapsed { why }) = self.standing(login) {
            return Err(OauthError::Refused(why));
        }
        // Somebody else may have refreshed it meanwhile.
        let is_good = kept.refresh_at > now();
        if is_good && rejected.is_none_or(|rejected| *rejected != kept.access_token) {
            return Ok(kept.access_token);
        }
        self.refresh(wanted, kept).await
    }

    async fn refresh(&self, wanted: &WantedAccount, kept: Login) -> Result<Secret, OauthError> {
        let login = &wanted.config.login;
        let done = match (self.client(), &kept.refresh_token) {
            (Some(client), Some(token)) if client.id == kept.client_id => {
                self.id.refresh(&client, token).await
            }
            (Some(_), Some(_)) => {
                Err(OauthError::Refused("the login is of another client id".to_owned()))
            }
            (_, None) => Err(OauthError::Refused("the login has no refresh token".to_owned())),
            (None, _) => Err(OauthError::Refused("there is no client id".to_owned())),
        };
        let grant = match done {
            Ok(grant) => grant,
            Err(error) => {
                self.failed(login, &kept, &error);
                return Err(error);
            }
        };
        let refreshed = Login {
            refresh_at: grant.refresh_at(now()),
            ends_at: grant.ends_at(now()),
            access_token: grant.access_token,
            refresh_token: grant.refresh_token.or(kept.refresh_token),
            ..kept
        };
        self.hide(&refreshed);
        let written = self.kept.lock().keep(refreshed.clone());
        if let Err(error) = written {
            let why = format!("the new token cannot be written: {error:#}");
            warn!(login, why, "a Twitch login is used until heatd ends, and is lost then");
        }
        info!(login, "a Twitch login is refreshed");
        self.set(login, Standing::logged_in(&refreshed, &wanted.config));
        Ok(refreshed.access_token)
    }

    /// A question about a login had no good answer.
    pub(super) fn failed(&self, login: &str, kept: &Login, error: &OauthError) {
        match error {
            OauthError::Refused(why) => {
                warn!(login, why, "a Twitch login is not good any more; heat login mends it");
                self.set(login, Standing::Lapsed { why: why.clone() });
            }
            // The token that is there may be good for a while.
            other if kept.ends_at <= now() => {
                self.set(login, Standing::Unsure { why: other.to_string() });
            }
            other => warn!(login, why = %other, "a Twitch login cannot be looked after at present"),
        }
    }
}
