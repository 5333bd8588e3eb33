//! Which role a resource needs: one table. What does not stand in it is the owner's, so whoever adds a resource opens it on purpose.

use axum::http::Method;

use crate::data::role::Role;

/// Method, path as the router has it, and the least role that may use it.
const OPEN: [(Method, &str, Role); 17] = [
    (Method::GET, "/status", Role::Viewer),
    (Method::GET, "/watch", Role::Viewer),
    (Method::GET, "/rules", Role::Moderator),
    (Method::GET, "/history", Role::Moderator),
    (Method::GET, "/letters", Role::Moderator),
    (Method::GET, "/channels/{channel}/why", Role::Moderator),
    (Method::POST, "/channels/{channel}/stream", Role::Moderator),
    (Method::POST, "/channels/{channel}/command", Role::Moderator),
    // Of a moderator nothing that was made up happens.
    (Method::POST, "/channels/{channel}/simulate", Role::Moderator),
    // Of a moderator what a person or an event has brought, and not a version of a rule.
    (Method::POST, "/channels/{channel}/undo", Role::Moderator),
    (Method::GET, "/whoami", Role::Viewer),
    (Method::GET, "/channels", Role::Viewer),
    (Method::GET, "/channels/{channel}/series", Role::Viewer),
    (Method::GET, "/channels/{channel}/live", Role::Viewer),
    (Method::GET, "/channels/{channel}/emotes", Role::Viewer),
    (Method::GET, "/channels/{channel}/streams", Role::Viewer),
    // It has names.
    (Method::GET, "/channels/{channel}/faves", Role::Moderator),
];

/// Where the API begins. The router names whole paths.
pub(super) const API: &str = "/api/v1";

/// The least role that may use a resource. None: there is no such resource, and it is no secret that there is none.
pub(super) fn needed(method: &Method, path: Option<&str>) -> Option<Role> {
    let path = path?;
    let path = path.strip_prefix(API).unwrap_or(path);
    let open = OPEN.iter().find(|(of, at, _)| of == method && *at == path);
    Some(open.map_or(Role::Owner, |(.., role)| *role))
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every method and path that the router is given, as its source says.
    pub(in crate::http) fn routes() -> BTreeSet<(String, String)> {
        let source = include_str!("../http.rs");
        let mut routes = BTreeSet::new();
        for call in source.split(".route(").skip(1) {
            let path = call.split('"').nth(1).unwrap();
            let handlers = call.split(".layer(").next().unwrap();
            let handlers = handlers.split('"').nth(2).unwrap_or(handlers);
            for method in ["get", "post", "put", "delete", "patch"] {
                if handlers.contains(&format!("{method}(")) {
                    let path = path.strip_prefix(API).unwrap_or(path);
                    routes.insert((method.to_uppercase(), path.to_owned()));
                }
            }
        }
        routes
    }

    /// The rows of the page: who, method, path.
    fn documented() -> BTreeSet<(String, String, String)> {
        let page = include_str!("../../../../docs/api.md");
        let mut rows = BTreeSet::new();
        for line in page.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let request = cells[1].split('`').nth(1).unwrap();
            let (method, path) = request.split_once(' ').unwrap();
            let path = path.split(['?', '[']).next().unwrap();
            let path = path
                .replace("CHANNEL", "{channel}")
                .replace("SLOT", "{slot}")
                .replace("NAME", "{name}");
            // One row tells of several actions.
            let path = match path.strip_suffix("/promote").or(path.strip_suffix("/retry")) {
                Some(before) => format!("{before}/{{action}}"),
                None => path,
            };
            rows.insert((cells[2].to_owned(), method.to_owned(), path));
        }
        rows
    }

    #[test]
    fn every_route_is_in_the_page_with_the_role_that_it_needs() {
        let documented = documented();
        let pages = ["/", "/healthz", "/readyz", "/metrics"];
        let mut seen = 0;
        for (method, path) in routes() {
            if pages.contains(&path.as_str()) {
                continue;
            }
            seen += 1;
            let needed = needed(&method.parse().unwrap(), Some(&format!("{API}{path}")));
            let role = if path == "/openapi.json" { "anybody" } else { needed.unwrap().name() };
            let row = (role.to_owned(), method.clone(), path.clone());
            assert!(
                documented.contains(&row),
                "docs/api.md has no row | `{method} {path}` | {role} |"
            );
        }
        assert_eq!(
            seen,
            documented.len(),
            "docs/api.md has rows that are no routes: {documented:?}"
        );
        assert!(seen > 18, "{seen} routes were found");
    }

    #[test]
    fn the_table_opens_what_there_is_and_nothing_else() {
        let routes = routes();
        for (method, path, _) in &OPEN {
            assert!(
                routes.contains(&(method.to_string(), (*path).to_owned())),
                "{method} {path} is no route"
            );
        }
        let needed = |method: Method, path| needed(&method, path);
        assert_eq!(needed(Method::GET, Some("/api/v1/of/tomorrow")), Some(Role::Owner));
        assert_eq!(needed(Method::POST, Some("/api/v1/status")), Some(Role::Owner));
        assert_eq!(needed(Method::GET, None), None);
    }
}
