//! Where the tools for authors keep compiled code, so that the same component is compiled once for `test` and `bench` however often they are called.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::data::code_cache::prune;

/// The folder of compiled code, made if it is not there. None: this person has no folder for such things, or it cannot be made. Then everything is
/// compiled each time, which is slower and nothing else.
///
/// Compiled code is run as it is, so nobody else may write there.
pub(super) fn folder() -> Option<PathBuf> {
    let folder = home(|name| env::var_os(name).map(PathBuf::from))?.join("heat-level/compiled");
    make_private(&folder).ok()?;
    prune(&folder, &BTreeSet::new());
    Some(folder)
}

/// The folder for caches, as the XDG Base Directory Specification, and Windows, have it.
fn home(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).filter(|folder| folder.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let about = fs::metadata(folder)?;
    let is_own = about.uid() == rustix::process::geteuid().as_raw();
    let is_private = about.permissions().mode() & 0o022 == 0;
    match is_own && is_private {
        true => Ok(()),
        false => Err(std::io::ErrorKind::PermissionDenied.into()),
    }
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_where_caches_are() {
        let of = |set: &[(&str, &str)]| {
            home(|name| set.iter().find(|(it, _)| *it == name).map(|(_, value)| value.into()))
        };
        assert_eq!(of(&[("HOME", "/home/ann")]), Some("/home/ann/.cache".into()));
        let both = [("HOME", "/home/ann"), ("XDG_CACHE_HOME", "/cache")];
        assert_eq!(of(&both), Some("/cache".into()));
        assert_eq!(of(&[("HOME", "ann")]), None);
        assert_eq!(of(&[]), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_write_to_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let compiled = folder.path().join("a/compiled");
        make_private(&compiled).unwrap();
        assert_eq!(fs::metadata(&compiled).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&compiled, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(make_private(&compiled).is_err());
    }
}
