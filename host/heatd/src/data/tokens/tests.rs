//! Tokens: made, kept, found, ended.

use super::*;

const SECRET: &str = "of the data folder";

fn known(tokens: &Tokens, secret: &str) -> Option<(String, Role)> {
    match tokens.find(secret, now()) {
        Found::Known(caller) => Some((caller.name, caller.role)),
        _ => None,
    }
}

#[test]
fn a_token_outlives_a_restart_and_its_secret_is_nowhere_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(folder.path(), SECRET).unwrap();
    let (told, secret) = tokens.add(Some("ann".to_owned()), Role::Moderator, None).unwrap();
    assert_eq!((told.name.as_str(), told.role, secret.len()), ("ann", Role::Moderator, 64));
    let again = Tokens::open(folder.path(), SECRET).unwrap();
    assert_eq!(known(&again, &secret), Some(("ann".to_owned(), Role::Moderator)));
    assert_eq!(known(&again, SECRET), Some((OWNER.to_owned(), Role::Owner)));
    assert_eq!(known(&again, ""), None);
    let file = folder.path().join("api.tokens");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("ann") && !text.contains(&secret), "{text}");
    // The hash itself opens nothing.
    assert_eq!(known(&again, &Digest::of(secret.as_bytes()).to_string()), None);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn an_expired_token_is_told_from_a_wrong_one_and_a_revoked_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(folder.path(), SECRET).unwrap();
    let soon = now() + 60_000;
    let (_, short) = tokens.add(None, Role::Viewer, Some(soon)).unwrap();
    assert!(matches!(tokens.find(&short, soon - 1), Found::Known(_)));
    assert_eq!(tokens.find(&short, soon), Found::Expired);
    assert!(tokens.add(None, Role::Viewer, Some(1)).unwrap_err().contains("expired"));
    assert_eq!((tokens.revoke("viewer"), tokens.revoke("viewer")), (Ok(true), Ok(false)));
    assert_eq!(tokens.find(&short, soon), Found::Unknown);
    assert_eq!(known(&Tokens::open(folder.path(), SECRET).unwrap(), &short), None);
}

#[test]
fn names_are_plain_and_nobodys_else() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(folder.path(), SECRET).unwrap();
    for odd in ["", "Ann", "a b", "a/b", "\u{1b}", "owner", "heatd", &"a".repeat(25)] {
        assert!(tokens.add(Some(odd.to_owned()), Role::Owner, None).is_err(), "{odd:?}");
    }
    let names: Vec<String> =
        (0..3).map(|_| tokens.add(None, Role::Viewer, None).unwrap().0.name).collect();
    assert_eq!(names, ["viewer", "viewer-2", "viewer-3"]);
    assert!(tokens.add(Some("viewer".to_owned()), Role::Owner, None).is_err());
    for _ in 3..MOST {
        tokens.add(None, Role::Viewer, None).unwrap();
    }
    assert!(tokens.add(None, Role::Viewer, None).unwrap_err().contains("revoke one"));
    assert_eq!(tokens.list().len(), MOST + 1);
}

#[test]
fn the_last_use_is_kept_within_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(folder.path(), SECRET).unwrap();
    let (_, secret) = tokens.add(None, Role::Viewer, None).unwrap();
    let used = |tokens: &Tokens| tokens.list()[1].last_used_at;
    assert_eq!((used(&tokens), tokens.is_behind()), (None, false));
    let first = now();
    tokens.find(&secret, first);
    assert!(tokens.is_behind());
    tokens.note_use();
    tokens.find(&secret, first + file::USE);
    assert!(!tokens.is_behind());
    assert_eq!(used(&tokens), Some(first + file::USE));
    assert_eq!(used(&Tokens::open(folder.path(), SECRET).unwrap()), Some(first));
    tokens.find(&secret, first + file::USE + 1);
    assert!(tokens.is_behind());
}

#[test]
fn a_file_that_is_no_list_of_tokens_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api.tokens");
    for odd in ["", "{", r#"{"tokens":[{"name":"ann","role":"king"}]}"#] {
        std::fs::write(&file, odd).unwrap();
        let error = Tokens::open(folder.path(), SECRET).err().map(|it| format!("{it:#}"));
        assert!(error.as_ref().is_some_and(|it| it.contains("api.tokens")), "{error:?}");
    }
}
