//! The table of routes: method, path, who may use it, the largest body, and the handler. The router, the check of roles and the roles in the OpenAPI
//! document are made from it, and docs/api.md is tested against it.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn;
use axum::routing::{self, MethodRouter};
use axum::{Extension, Router};

use crate::data::role::Role;
use crate::http::api::Api;
use crate::http::form::conditional;
use crate::http::form::problem::{self, Problem};
use crate::http::guard::roles::AccessRule;
use crate::http::openapi::{self, RoleLookup};
use crate::http::probes;
use crate::http::resources::{
    accounts, audit, backup, channels, command, config, dead_letters, devlog, emotes, faves,
    history, page, people, replay, rules, series, series_stream, simulate, status, stream, streams,
    tokens, transfer, undo, voice, watch, why,
};
use crate::rule_file::LARGEST;
use AccessRule::{Anybody, Machines};

/// Where the API begins.
pub(crate) const API: &str = "/api/v1";

/// The largest body of most requests, in bytes.
const LARGEST_BODY: usize = 64 << 10;

/// The largest body that may hold a recording and a component, in bytes.
const LARGEST_UPLOAD: usize = 96 << 20;

const VIEWER: AccessRule = AccessRule::Holder(Role::Viewer);
const MODERATOR: AccessRule = AccessRule::Holder(Role::Moderator);
const OWNER: AccessRule = AccessRule::Holder(Role::Owner);

/// A method of a path.
pub(crate) struct Route {
    pub(crate) method: Method,
    /// The whole path, as the router has it.
    pub(crate) path: &'static str,
    pub(crate) who: AccessRule,
    /// The largest body, in bytes.
    body: usize,
    handler: fn() -> MethodRouter<Arc<Api>>,
}

/// Every route. There is no default role, so a new resource cannot be open by accident.
pub(crate) const ROUTES: &[Route] = &[
    get("/healthz", Machines, || routing::get(probes::alive)),
    get("/readyz", Machines, || routing::get(probes::ready)),
    get("/metrics", Machines, || routing::get(probes::figures)),
    get("/", Anybody, || routing::get(page::index)),
    get("/icon.svg", Anybody, || routing::get(page::icon)),
    // Twitch sends a browser there. It has no token, and brings back what only heatd and Twitch know.
    get(accounts::CALLBACK, Anybody, || routing::get(accounts::come_back)),
    get("/assets/{name}", Anybody, || routing::get(page::asset)),
    get("/api/v1/openapi.json", Anybody, || {
        routing::get(openapi::document).layer(Extension(RoleLookup(described)))
    }),
    get("/api/v1/status", VIEWER, || routing::get(status::show)),
    get("/api/v1/watch", VIEWER, || routing::get(watch::follow)),
    get("/api/v1/whoami", VIEWER, || routing::get(tokens::whoami)),
    get("/api/v1/tokens", OWNER, || routing::get(tokens::list)),
    post("/api/v1/tokens", OWNER, || routing::post(tokens::add)),
    delete("/api/v1/tokens/{name}", OWNER, || routing::delete(tokens::revoke)),
    get("/api/v1/accounts", OWNER, || routing::get(accounts::list)),
    post("/api/v1/accounts/{login}/login", OWNER, || routing::post(accounts::begin)),
    delete("/api/v1/accounts/{login}/login", OWNER, || routing::delete(accounts::end)),
    // Raw data: what people have written, and what heatd asks Twitch.
    get("/api/v1/devlog", OWNER, || routing::get(devlog::follow)),
    get("/api/v1/backup", OWNER, || routing::get(backup::send)),
    post("/api/v1/backup", OWNER, || routing::post(backup::make)),
    get("/api/v1/channels", VIEWER, || routing::get(channels::list)),
    post("/api/v1/channels", OWNER, || routing::post(channels::add)),
    delete("/api/v1/channels/{channel}", OWNER, || routing::delete(channels::remove)),
    post("/api/v1/channels/{channel}/stream", MODERATOR, || routing::post(stream::change)),
    post("/api/v1/channels/{channel}/command", MODERATOR, || routing::post(command::give)),
    post("/api/v1/channels/{channel}/say", MODERATOR, || routing::post(voice::say)),
    post("/api/v1/channels/{channel}/bans", MODERATOR, || routing::post(voice::ban)),
    delete("/api/v1/channels/{channel}/bans/{login}", MODERATOR, || routing::delete(voice::unban)),
    delete("/api/v1/channels/{channel}/messages/{id}", MODERATOR, || {
        routing::delete(voice::remove)
    }),
    get("/api/v1/channels/{channel}/series", VIEWER, || routing::get(series::points)),
    get("/api/v1/channels/{channel}/live", VIEWER, || routing::get(series_stream::follow)),
    get("/api/v1/channels/{channel}/emotes", VIEWER, || routing::get(emotes::list)),
    get("/api/v1/channels/{channel}/streams", VIEWER, || routing::get(streams::list)),
    // Moderators, because it names people.
    get("/api/v1/channels/{channel}/faves", MODERATOR, || routing::get(faves::list)),
    get("/api/v1/channels/{channel}/people/{person}", MODERATOR, || routing::get(people::show)),
    get("/api/v1/history/messages", MODERATOR, || routing::get(history::messages)),
    get("/api/v1/channels/{channel}/why", MODERATOR, || routing::get(why::explain)),
    // A moderator may only try events out. The handler refuses `live` to all but the owner.
    post("/api/v1/channels/{channel}/simulate", MODERATOR, || routing::post(simulate::run)),
    // A moderator takes back what people did. The handler refuses `digest`, a version of a rule, to all but the owner.
    post("/api/v1/channels/{channel}/undo", MODERATOR, || routing::post(undo::run)),
    post("/api/v1/channels/{channel}/forget", OWNER, || routing::post(transfer::forget)),
    large(
        Method::POST,
        "/api/v1/channels/{channel}/import",
        OWNER,
        transfer::LARGEST_GROUP,
        || routing::post(transfer::import),
    ),
    large(Method::POST, "/api/v1/channels/{channel}/replay", OWNER, LARGEST_UPLOAD, || {
        routing::post(replay::run)
    }),
    get("/api/v1/export", OWNER, || routing::get(transfer::export)),
    get("/api/v1/rules", MODERATOR, || routing::get(rules::list)),
    large(Method::POST, "/api/v1/channels/{channel}/rules", OWNER, LARGEST, || {
        routing::post(rules::add)
    }),
    delete("/api/v1/channels/{channel}/rules/{slot}", OWNER, || routing::delete(rules::remove)),
    large(Method::PUT, "/api/v1/channels/{channel}/rules/{slot}", OWNER, LARGEST, || {
        routing::put(rules::deploy)
    }),
    post("/api/v1/channels/{channel}/rules/{slot}/settings", OWNER, || {
        routing::post(rules::settings)
    }),
    large(Method::POST, "/api/v1/channels/{channel}/rules/{slot}/shadow", OWNER, LARGEST, || {
        routing::post(rules::shadow)
    }),
    post("/api/v1/channels/{channel}/rules/{slot}/promote", OWNER, || {
        routing::post(rules::promote)
    }),
    post("/api/v1/channels/{channel}/rules/{slot}/drop", OWNER, || {
        routing::post(rules::drop_shadow)
    }),
    post("/api/v1/channels/{channel}/rules/{slot}/rollback", OWNER, || {
        routing::post(rules::roll_back)
    }),
    post("/api/v1/channels/{channel}/rules/{slot}/disable", OWNER, || {
        routing::post(rules::disable)
    }),
    post("/api/v1/channels/{channel}/rules/{slot}/enable", OWNER, || routing::post(rules::enable)),
    post("/api/v1/channels/{channel}/rules/{slot}/retry", OWNER, || {
        routing::post(dead_letters::retry)
    }),
    get("/api/v1/audit", MODERATOR, || routing::get(audit::list)),
    get("/api/v1/dead-letters", MODERATOR, || routing::get(dead_letters::list)),
    // As they were called before; they go with the next release.
    get("/api/v1/history", MODERATOR, || routing::get(audit::list)),
    get("/api/v1/letters", MODERATOR, || routing::get(dead_letters::list_by_old_name)),
    get("/api/v1/config/diff", OWNER, || routing::get(config::diff)),
    get("/api/v1/config/export", OWNER, || routing::get(config::export)),
];

const fn route(
    method: Method,
    path: &'static str,
    who: AccessRule,
    handler: fn() -> MethodRouter<Arc<Api>>,
) -> Route {
    Route { method, path, who, body: LARGEST_BODY, handler }
}

/// A route with a larger body.
const fn large(
    method: Method,
    path: &'static str,
    who: AccessRule,
    body: usize,
    handler: fn() -> MethodRouter<Arc<Api>>,
) -> Route {
    Route { method, path, who, body, handler }
}

const fn get(
    path: &'static str,
    who: AccessRule,
    handler: fn() -> MethodRouter<Arc<Api>>,
) -> Route {
    route(Method::GET, path, who, handler)
}

const fn post(
    path: &'static str,
    who: AccessRule,
    handler: fn() -> MethodRouter<Arc<Api>>,
) -> Route {
    route(Method::POST, path, who, handler)
}

const fn delete(
    path: &'static str,
    who: AccessRule,
    handler: fn() -> MethodRouter<Arc<Api>>,
) -> Route {
    route(Method::DELETE, path, who, handler)
}

impl Route {
    /// The path below the API. None: it is not part of the API.
    pub(crate) fn below_api(&self) -> Option<&'static str> {
        self.path.strip_prefix(API)
    }
}

/// The router, made from the table. Anything else is answered with a problem.
pub(crate) fn router() -> Router<Arc<Api>> {
    let routes = ROUTES.iter().fold(Router::new(), |router, route| {
        let handler = (route.handler)().layer(DefaultBodyLimit::max(route.body));
        router.route(
            route.path,
            match route.below_api() {
                Some(_) => handler.layer(from_fn(problem::tell)).layer(from_fn(conditional::pack)),
                // The page has its own compression and cache rules, and the format of /metrics depends on Accept.
                None => handler,
            },
        )
    });
    routes
        .fallback(|| async { Problem::new(StatusCode::NOT_FOUND, "heatd has no such resource") })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this resource has no such method")
        })
}

/// Who may make a request. The router must have matched it already.
pub(crate) fn who(request: &Request) -> AccessRule {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    who_may(request.method(), path, request.uri().path())
}

/// `path` is the route that the router found, if any.
fn who_may(method: &Method, path: Option<&str>, address: &str) -> AccessRule {
    // The answer to HEAD is that to GET without its body.
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let mut here = ROUTES.iter().filter(|route| Some(route.path) == path);
    let found = here.clone().find(|route| route.method == *method);
    match found.or_else(|| here.next()).map(|route| route.who) {
        // A method that the resource does not have: for the owner, who then gets 405.
        Some(AccessRule::Holder(_)) if found.is_none() => OWNER,
        Some(who) => who,
        // No such resource: 404 for everybody with a token, and 401 without one.
        None if address.starts_with(API) => VIEWER,
        None => Anybody,
    }
}

/// Who may use a method of a path as the description has it: below the API, or beside it.
pub(crate) fn described(method: &Method, path: &str) -> Option<AccessRule> {
    let is_it = |route: &&Route| {
        route.method == *method && (route.below_api() == Some(path) || route.path == path)
    };
    ROUTES.iter().find(is_it).map(|route| route.who)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The rows of docs/api.md: who, method, path.
    fn documented() -> BTreeSet<(String, String, String)> {
        let page = include_str!("../../../../docs/api.md");
        let mut rows = BTreeSet::new();
        for line in page.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let mut words = cells[1].split('`').skip(1).step_by(2);
            let (method, path) = words.next().unwrap().split_once(' ').unwrap();
            let path = path.split(['?', '[']).next().unwrap();
            let path = path
                .replace("CHANNEL", "{channel}")
                .replace("SLOT", "{slot}")
                .replace("NAME", "{name}")
                .replace("LOGIN", "{login}")
                .replace("PERSON", "{person}")
                .replace("ID", "{id}");
            let before = path.rsplit_once('/').unwrap().0.to_owned();
            rows.insert((cells[2].to_owned(), method.to_owned(), path));
            // One row tells of several actions, by their last words.
            let others = words.filter(|it| it.bytes().all(|byte| byte.is_ascii_lowercase()));
            for other in others {
                let path = format!("{before}/{other}");
                rows.insert((cells[2].to_owned(), method.to_owned(), path));
            }
        }
        rows
    }

    #[test]
    fn every_route_is_in_the_page_with_the_role_that_it_needs() {
        let rows = ROUTES.iter().filter_map(|route| {
            let who = match route.who {
                AccessRule::Holder(role) => role.name(),
                Anybody | Machines => "anybody",
            };
            Some((who.to_owned(), route.method.to_string(), route.below_api()?.to_owned()))
        });
        let rows: BTreeSet<_> = rows.collect();
        let documented = documented();
        let missing: Vec<_> = rows.difference(&documented).collect();
        assert!(missing.is_empty(), "docs/api.md has no row for {missing:?}");
        let others: Vec<_> = documented.difference(&rows).collect();
        assert!(others.is_empty(), "docs/api.md has rows that are no routes: {others:?}");
        assert!(rows.len() > 18, "{} routes", rows.len());
    }

    #[test]
    fn what_is_no_route_is_for_those_who_have_a_token_and_other_methods_for_the_owner() {
        let status = "/api/v1/status";
        assert_eq!(who_may(&Method::GET, Some(status), status), VIEWER);
        assert_eq!(who_may(&Method::HEAD, Some(status), status), VIEWER);
        assert_eq!(who_may(&Method::POST, Some(status), status), OWNER);
        assert_eq!(who_may(&Method::GET, Some("/api/v1/tokens"), "/api/v1/tokens"), OWNER);
        assert_eq!(who_may(&Method::GET, None, "/api/v1/of/tomorrow"), VIEWER);
        assert_eq!(who_may(&Method::GET, None, "/favicon.ico"), Anybody);
        assert_eq!(who_may(&Method::POST, Some("/metrics"), "/metrics"), Machines);
    }
}
