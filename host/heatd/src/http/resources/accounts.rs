//! Twitch accounts: how they stand, logging in and out, and the page to which a browser comes back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::account::{AccountState, Begun, LoginProblem};
use crate::control::MessageAnswer;
use crate::eventsub::HearingState;
use crate::http::api::Api;
use crate::http::form::answer::JsonAnswer;
use crate::http::form::body::JsonBody;
use crate::http::form::problem::Problem;
use crate::http::form::query::Query;
use crate::secret::Secret;

/// The path to which a browser comes back. It is registered with the client at Twitch.
pub(crate) const CALLBACK: &str = "/login";

#[derive(Serialize)]
struct AccountPage {
    /// Whether it is known with which program to log in.
    has_client_id: bool,
    accounts: Vec<AccountRow>,
}

/// An account of the configuration.
#[derive(Serialize)]
struct AccountRow {
    login: String,
    /// Whether it speaks in every channel, and is not that of a channel.
    bot: bool,
    /// `logged-out`, `logged-in`, `unsure` or `lapsed`.
    state: &'static str,
    /// What is wrong, in a sentence with the command that mends it.
    problem: Option<String>,
    features: Vec<FeatureRow>,
    /// What it hears by EventSub; none where that is nothing yet.
    eventsub: Option<HearingState>,
    /// The last login that has begun since heatd runs.
    begun: Option<Begun>,
}

/// Something that the account is wanted for.
#[derive(Serialize)]
struct FeatureRow {
    name: &'static str,
    /// What heatd does with it.
    why: &'static str,
    /// What Twitch calls it.
    scopes: &'static [&'static str],
    /// Whether the login covers it.
    covered: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginRequest {
    /// The client id, where the configuration has none.
    client_id: Option<String>,
    /// In a browser on heatd's machine, instead of with a code.
    #[serde(default)]
    browser: bool,
}

fn row(state: &AccountState, begun: &[Begun], eventsub: Option<HearingState>) -> AccountRow {
    let covered = state.covered();
    let features = state.config.features.iter().map(|feature| {
        let need = feature.need();
        let (name, why, scopes) = (need.name, need.why, need.scopes);
        FeatureRow { name, why, scopes, covered: covered.contains(feature) }
    });
    let login = state.config.login.clone();
    AccountRow {
        begun: begun.iter().find(|it| it.login == login).cloned(),
        login,
        bot: state.config.is_bot,
        state: state.standing.name(),
        problem: state.problem(),
        features: features.collect(),
        eventsub,
    }
}

/// `GET /accounts`
pub(crate) async fn list(State(api): State<Arc<Api>>) -> impl IntoResponse {
    let begun = api.accounts.begun();
    let states = api.accounts.states();
    let accounts = states
        .iter()
        .map(|state| row(state, &begun, api.hearing.of(&state.config.login)))
        .collect();
    let has_client_id = api.accounts.has_client();
    JsonAnswer(AccountPage { has_client_id, accounts })
}

/// `POST /accounts/{login}/login`
pub(crate) async fn begin(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
    JsonBody(request): JsonBody<LoginRequest>,
) -> Result<impl IntoResponse, Problem> {
    let client_id = request.client_id.as_deref();
    let begun = match request.browser {
        true => {
            let redirect = format!("http://localhost:{}{CALLBACK}", api.port);
            api.accounts.begin_in_browser(&name, client_id, &redirect)
        }
        false => api.accounts.begin_with_code(&name, client_id).await,
    };
    begun.map(JsonAnswer).map_err(|problem| told(&problem, &name, api.port))
}

/// `DELETE /accounts/{login}/login`
pub(crate) async fn end(
    State(api): State<Arc<Api>>,
    Path(name): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    match api.accounts.log_out(&name).await {
        Ok(true) => Ok(JsonAnswer(MessageAnswer::new(format!(
            "{name} is logged out, and Twitch has ended the login"
        )))),
        Ok(false) => {
            Err(Problem::new(StatusCode::CONFLICT, format!("nobody is logged in as {name}")))
        }
        Err(problem) => Err(told(&problem, &name, api.port)),
    }
}

fn told(problem: &LoginProblem, name: &str, port: u16) -> Problem {
    let conflict = |detail: String| Problem::new(StatusCode::CONFLICT, detail);
    match problem {
        LoginProblem::NoAccount => Problem::new(
            StatusCode::NOT_FOUND,
            format!(
                "the configuration has no account {name}; it wants a [[twitch.account]] with channel = \"{name}\" and features, see docs/login.md"
            ),
        ),
        LoginProblem::NoClient => conflict(
            "there is no client id: register an application at dev.twitch.tv/console (Category: Chat Bot; Client Type: Public; \
             OAuth Redirect URL: http://localhost), and give its client id"
                .to_owned(),
        ),
        LoginProblem::NoSecret => conflict(format!(
            "a login in a browser needs a client of type Confidential with the redirect URL http://localhost:{port}{CALLBACK}, and client_secret_file in \
             [twitch]; a login with a code needs neither"
        )),
        LoginProblem::Stale => conflict("nothing waits for this login; begin again".to_owned()),
        LoginProblem::Failed(why) => conflict(why.clone()),
    }
}

/// `GET /login`: the browser comes back from Twitch.
pub(crate) async fn come_back(State(api): State<Arc<Api>>, mut query: Query) -> Response {
    let mut one = |name: &'static str| query.one(name).ok().flatten();
    let (state, code) = (one("state"), one("code"));
    let why = one("error_description").or_else(|| one("error"));
    let code = match (code, why) {
        (Some(code), _) => Ok(Secret::new(code)),
        (None, Some(why)) => Err(format!("Twitch says: {why}")),
        (None, None) => Err("Twitch has sent no code".to_owned()),
    };
    let done = api.accounts.complete(&state.unwrap_or_default(), code).await;
    let (status, title, text) = match done {
        Ok(login) => (
            StatusCode::OK,
            "Logged in",
            format!("heatd is logged in as {login}. You can close this page."),
        ),
        Err(problem) => {
            let why = told(&problem, "", api.port).detail().to_owned();
            (StatusCode::BAD_REQUEST, "Not logged in", why)
        }
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <body style=\"font: 1.1rem/1.5 sans-serif; max-width: 36rem; margin: 15vh auto; padding: 0 1rem\"><h1>{title}</h1><p>{}</p></body></html>",
        escaped(&text)
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        // The address has a code in it.
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, page).into_response()
}

/// A text as HTML shows it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
