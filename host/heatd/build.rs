//! Takes the built page of `host/dashboard/dist` into heatd. Where it was not built, heatd says so instead: Rust alone is enough to build
//! heatd.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let crate_folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let dashboard = crate_folder.with_file_name("dashboard");
    let dist = dashboard.join("dist");
    let is_built = dist.join("index.html").is_file();
    // Cargo takes a path that is not there for one that has changed, each time; so until there is one, the folder above is looked at.
    let watched = if is_built { &dist } else { &dashboard };
    println!("cargo::rerun-if-changed={}", watched.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if is_built {
        collect(&dist, "", &mut files)?;
    }
    files.sort();
    let mut code = "&[\n".to_owned();
    for name in &files {
        // Writing into a string does not fail.
        let _ = writeln!(code, "    {},", entry(&dist, name));
    }
    code += "]\n";
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("page.rs"), code)
}

/// The names of all files below a folder, with slashes, but for those that are another one compressed.
fn collect(folder: &Path, prefix: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), names)?;
        } else if !name.starts_with('.') && !name.ends_with(".gz") && !name.ends_with(".br") {
            names.push(format!("{prefix}{name}"));
        }
    }
    Ok(())
}

/// A file as code: its name, and its bytes in each encoding that there is.
fn entry(dist: &Path, name: &str) -> String {
    let path = |ending: &str| dist.join(format!("{name}{ending}"));
    let bytes = |path: PathBuf| format!("include_bytes!({:?})", path.display().to_string());
    let packed = |ending: &str| match path(ending) {
        path if path.is_file() => format!("Some({})", bytes(path)),
        _ => "None".to_owned(),
    };
    let (plain, brotli, gzip) = (bytes(path("")), packed(".br"), packed(".gz"));
    format!("File {{ name: {name:?}, plain: {plain}, brotli: {brotli}, gzip: {gzip} }}")
}
