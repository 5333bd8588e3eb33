//! Takes over the login that the environment hands over, once: when no login of its account is kept.

use tracing::warn;

use super::accounts::Accounts;
use super::oauth::{Grant, OauthClient, OauthError, Validated};

impl Accounts {
    /// Takes over the tokens of the environment, if there are any and their account is not logged in. False: Twitch could not be asked whose they are.
    pub(super) async fn adopt(&self) -> bool {
        let Some(grant) = self.environment.grant() else { return true };
        let is_kept = |login: &str| self.kept.lock().find(login).is_some();
        if self.states().iter().all(|state| is_kept(&state.config.login)) {
            return true;
        }
        let Some(client) = self.client() else {
            warn!(
                "there is a Twitch token in the environment, and no client id: set TWITCH_CLIENT_ID"
            );
            return true;
        };
        match self.whose(&client, grant).await {
            Ok((_, known)) if is_kept(&known.login) => true,
            Ok((grant, known)) => {
                if let Err(why) = self.accept(&known.login, &client, grant).await {
                    let account = known.login;
                    warn!(account, why, "the Twitch token of the environment is not taken over");
                }
                true
            }
            Err(OauthError::Refused(why)) => {
                warn!(
                    why,
                    "Twitch does not take the token of the environment any more; heat login makes a new one"
                );
                true
            }
            Err(error) => {
                warn!(why = %error, "the Twitch token of the environment cannot be looked at yet");
                false
            }
        }
    }

    /// Whose tokens these are; an access token that has ended is refreshed.
    async fn whose(
        &self,
        client: &OauthClient,
        grant: Grant,
    ) -> Result<(Grant, Validated), OauthError> {
        let fresh = match (self.id.validate(&grant.access_token).await, &grant.refresh_token) {
            (Ok(known), _) => {
                let expires_in = known.expires_in;
                return Ok((Grant { expires_in, ..grant }, known));
            }
            (Err(OauthError::Refused(_)), Some(refresh)) => {
                self.id.refresh(client, refresh).await?
            }
            (Err(error), _) => return Err(error),
        };
        let known = self.id.validate(&fresh.access_token).await?;
        Ok((fresh, known))
    }
}
