//! Takes a person through a login: with a code that is typed on another device, or in a browser on this machine.

use std::sync::Arc;
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::time::sleep;
use tracing::{info, warn};

use super::accounts::Accounts;
use super::file::Login;
use super::oauth::{Grant, OauthClient, OauthError};
use super::pending::{Begun, Browser, LoginStage, PendingLogin};
use super::standing::Standing;
use crate::clock::now;
use crate::config::feature::scopes;
use crate::secret::Secret;
use crate::tls;

/// How long a login in a browser may take, in milliseconds.
const LONGEST: u64 = 30 * 60_000;

/// How much longer is waited when Twitch wants to be asked less often (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// Why a login does not begin, or does not end well. For people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LoginProblem {
    /// The configuration has no such account.
    NoAccount,
    /// Nobody has said with which program to log in.
    NoClient,
    /// A login in a browser needs a confidential client.
    NoSecret,
    /// Nothing waits for this: it was done, is too old, or is a forgery.
    Stale,
    Failed(String),
}

impl Accounts {
    /// Begins a login with a code, and waits for it in the background.
    pub(crate) async fn begin_with_code(
        self: &Arc<Self>,
        login: &str,
        client_id: Option<&str>,
    ) -> Result<Begun, LoginProblem> {
        let wanted = self.wanted(login).ok_or(LoginProblem::NoAccount)?;
        let client = self.client_for(client_id)?;
        let scopes = scopes(&wanted.config.features);
        let failed = |error: OauthError| LoginProblem::Failed(explain(&error));
        let code = self.id.begin(&client, &scopes).await.map_err(failed)?;
        self.keep_client(client_id)?;
        let begun = Begun {
            login: login.to_owned(),
            address: code.verification_uri.clone(),
            code: Some(code.user_code.clone()),
            expires_at: now() + code.expires_in.saturating_mul(1_000),
            state: LoginStage::Waiting,
            problem: None,
        };
        self.put(PendingLogin { begun: begun.clone(), browser: None });
        let (accounts, begun_at) = (Arc::clone(self), begun.clone());
        tokio::spawn(async move {
            let mut interval = Duration::from_secs(code.interval.clamp(1, 60));
            while now() < begun_at.expires_at {
                sleep(interval).await;
                // Another login of the account has begun: nobody waits for this one.
                if !accounts.waits_for(&begun_at) {
                    return;
                }
                match accounts.id.poll(&client, &scopes, &code.device_code).await {
                    Ok(grant) => {
                        let done = accounts.accept(&begun_at.login, &client, grant).await;
                        return accounts.end(&begun_at, done);
                    }
                    Err(OauthError::SlowDown) => interval += SLOWER,
                    Err(OauthError::Refused(why)) => return accounts.end(&begun_at, Err(why)),
                    Err(OauthError::Pending | OauthError::Unreachable(_)) => {}
                }
            }
            accounts.end(&begun_at, Err("the code has expired; begin again".to_owned()));
        });
        Ok(begun)
    }

    /// Begins a login in a browser, which comes back to `redirect`.
    pub(crate) fn begin_in_browser(
        &self,
        login: &str,
        client_id: Option<&str>,
        redirect: &str,
    ) -> Result<Begun, LoginProblem> {
        let wanted = self.wanted(login).ok_or(LoginProblem::NoAccount)?;
        let client = self.client_for(client_id)?;
        if client.secret.is_none() {
            return Err(LoginProblem::NoSecret);
        }
        self.keep_client(client_id)?;
        let state = tls::secret().map_err(|error| LoginProblem::Failed(error.to_string()))?;
        let scopes = scopes(&wanted.config.features);
        let begun = Begun {
            login: login.to_owned(),
            address: self.id.authorization(&client, &scopes, redirect, &state),
            code: None,
            expires_at: now() + LONGEST,
            state: LoginStage::Waiting,
            problem: None,
        };
        let browser = Some(Browser { state, redirect: redirect.to_owned() });
        self.put(PendingLogin { begun: begun.clone(), browser });
        Ok(begun)
    }

    /// A browser has come back with a code. Returns the login of the account.
    pub(crate) async fn complete(
        &self,
        state: &str,
        code: Result<Secret, String>,
    ) -> Result<String, LoginProblem> {
        let (begun, redirect) = self.browser(state).ok_or(LoginProblem::Stale)?;
        let client = self.client_for(None)?;
        let done = match code {
            Err(why) => Err(why),
            Ok(code) => match self.id.exchange(&client, &code, &redirect).await {
                Ok(grant) => self.accept(&begun.login, &client, grant).await,
                Err(error) => Err(explain(&error)),
            },
        };
        self.end(&begun, done.clone());
        done.map(|()| begun.login).map_err(LoginProblem::Failed)
    }

    /// Whether it is known with which program to log in.
    pub(crate) fn has_client(&self) -> bool {
        self.client().is_some()
    }

    /// The last login of each account that has begun since heatd runs.
    pub(crate) fn begun(&self) -> Vec<Begun> {
        self.pending.lock().iter().map(|it| it.begun.clone()).collect()
    }

    /// Ends a login at Twitch, and forgets it. False: there was none.
    pub(crate) async fn log_out(&self, login: &str) -> Result<bool, LoginProblem> {
        let wanted = self.wanted(login).ok_or(LoginProblem::NoAccount)?;
        let _one = wanted.refreshing.lock().await;
        let Some(kept) = self.kept.lock().find(login).cloned() else { return Ok(false) };
        let written = self.kept.lock().remove(login);
        written.map_err(|error| LoginProblem::Failed(format!("{error:#}")))?;
        self.set(login, Standing::LoggedOut);
        info!(login, "a Twitch login is forgotten");
        let client = OauthClient { id: kept.client_id, secret: None };
        let tokens = (&kept.access_token, kept.refresh_token.as_ref());
        self.revoke(&client, tokens).await.map_err(|error| {
            LoginProblem::Failed(format!(
                "it is forgotten here, but not revoked at Twitch: {error}; twitch.tv/settings/connections ends it there"
            ))
        })?;
        Ok(true)
    }

    /// Ends both tokens of a login at Twitch.
    async fn revoke(
        &self,
        client: &OauthClient,
        (access, refresh): (&Secret, Option<&Secret>),
    ) -> Result<(), OauthError> {
        self.id.revoke(client, access).await?;
        match refresh {
            Some(refresh) => self.id.revoke(client, refresh).await,
            None => Ok(()),
        }
    }

    /// Whose token it is, and what it covers; then it is kept. The error is for people.
    pub(super) async fn accept(
        &self,
        login: &str,
        client: &OauthClient,
        grant: Grant,
    ) -> Result<(), String> {
        let known = self.id.validate(&grant.access_token).await;
        let known = known.map_err(|error| explain(&error))?;
        let wanted = self.wanted(login).ok_or("the configuration has no such account")?;
        if known.login != login {
            let tokens = (&grant.access_token, grant.refresh_token.as_ref());
            if let Err(error) = self.revoke(client, tokens).await {
                let other = known.login;
                return Err(format!(
                    "you agreed as {other}, and this is the login of {login}; that was not taken back at Twitch ({error}): twitch.tv/settings/connections ends it"
                ));
            }
            return Err(format!(
                "you agreed as {}, and this is the login of {login}: log in to Twitch as {login}, and begin again",
                known.login
            ));
        }
        let kept = Login {
            user_id: known.user_id,
            login: known.login,
            client_id: client.id.clone(),
            scopes: known.scopes.unwrap_or_default(),
            refresh_at: grant.refresh_at(now()),
            ends_at: grant.ends_at(now()),
            access_token: grant.access_token,
            refresh_token: grant.refresh_token,
        };
        let _one = wanted.refreshing.lock().await;
        self.hide(&kept);
        let written = self.kept.lock().keep(kept.clone());
        written.map_err(|error| format!("{error:#}"))?;
        info!(login, "logged in to Twitch");
        self.set(login, Standing::logged_in(&kept, &wanted.config));
        Ok(())
    }

    fn client_for(&self, typed: Option<&str>) -> Result<OauthClient, LoginProblem> {
        let secret = || self.client_secret.clone();
        let typed = typed.map(|id| OauthClient { id: id.to_owned(), secret: secret() });
        // The configuration has the last word.
        self.client.clone().or(typed).or_else(|| self.client()).ok_or(LoginProblem::NoClient)
    }

    fn keep_client(&self, typed: Option<&str>) -> Result<(), LoginProblem> {
        let Some(id) = typed.filter(|_| self.client.is_none()) else { return Ok(()) };
        let kept = self.kept.lock().set_client_id(id);
        kept.map_err(|error| LoginProblem::Failed(format!("{error:#}")))
    }

    /// One login of an account at a time: a new one ends what waits.
    fn put(&self, new: PendingLogin) {
        let mut pending = self.pending.lock();
        pending.retain(|it| it.begun.login != new.begun.login);
        pending.push(new);
    }

    fn waits_for(&self, begun: &Begun) -> bool {
        self.pending.lock().iter().any(|it| it.begun == *begun)
    }

    fn browser(&self, state: &str) -> Option<(Begun, String)> {
        let pending = self.pending.lock();
        let found = pending.iter().find(|it| {
            let expected = it.browser.as_ref().map(|browser| browser.state.as_bytes());
            let is_it =
                expected.is_some_and(|expected| bool::from(expected.ct_eq(state.as_bytes())));
            is_it && it.begun.state == LoginStage::Waiting && it.begun.expires_at > now()
        })?;
        let redirect = found.browser.as_ref().map(|it| it.redirect.clone())?;
        Some((found.begun.clone(), redirect))
    }

    fn end(&self, begun: &Begun, done: Result<(), String>) {
        if let Err(why) = &done {
            warn!(login = begun.login, why, "a login to Twitch has failed");
        }
        let mut pending = self.pending.lock();
        if let Some(found) = pending.iter_mut().find(|it| it.begun == *begun) {
            found.begun.state = if done.is_ok() { LoginStage::Done } else { LoginStage::Failed };
            found.begun.problem = done.err();
        }
    }
}

/// What helps, where that is known.
fn explain(error: &OauthError) -> String {
    match error {
        OauthError::Refused(why) if why.to_lowercase().contains("client") => {
            format!(
                "Twitch refuses the client id ({why}): dev.twitch.tv/console shows the right one"
            )
        }
        other => other.to_string(),
    }
}
