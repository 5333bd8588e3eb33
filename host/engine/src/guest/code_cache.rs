//! Compiled code: kept on disk, and made here or by another process.
//!
//! Compiling takes memory and time that no fuel pays for, and a compiler is a large program that reads what a stranger has made. So
//! heatd lets a process of its own do it; what this module keeps is what came of that.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{debug, warn};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::contract::digest::Digest;
use crate::contract::limits::Limits;
use crate::error::LoadError;
use crate::guest::bounds;
use crate::guest::weight::may_weigh;

/// Whether anybody still wants what has been compiled for so long. It is asked several times a second.
pub type StillWanted<'a> = dyn Fn(Duration) -> bool + 'a;

/// A component that has to be compiled.
pub struct CompileJob<'a> {
    /// The bytes of the component.
    pub component: &'a [u8],
    /// Bytes of memory that an instance may have.
    pub memory: usize,
    /// Asked meanwhile; the work ends when it says no.
    pub still_wanted: &'a StillWanted<'a>,
}

/// Compiles elsewhere, and hands over what [`crate::Sandbox::compile_for_another`] made there.
pub type Compiler = Box<dyn Fn(&CompileJob<'_>) -> Result<Vec<u8>, LoadError> + Send + Sync>;

/// Where compiled code comes from.
pub(crate) struct CodeCache {
    folder: Option<PathBuf>,
    /// None: it is compiled here.
    compiler: Option<Compiler>,
}

impl CodeCache {
    pub(crate) fn new(folder: Option<&Path>) -> Self {
        Self { folder: folder.map(Path::to_owned), compiler: None }
    }

    pub(crate) fn compiled_by(self, compiler: Compiler) -> Self {
        Self { compiler: Some(compiler), ..self }
    }

    /// Compiled code of this component: what is on the disk, or else it is made and kept.
    pub(crate) fn get(
        &self,
        engine: &Engine,
        bytes: &[u8],
        limits: &Limits,
        still_wanted: &StillWanted<'_>,
    ) -> Result<Component, LoadError> {
        let digest = Digest::of(bytes);
        if let Some(component) = self.kept(engine, digest) {
            return Ok(component);
        }
        let Some(compiler) = &self.compiler else {
            let component = compile(engine, bytes, limits)?;
            if self.folder.is_some() {
                match packed(&component) {
                    Ok(code) => self.keep(engine, digest, &code),
                    Err(error) => warn!(%digest, %error, "compiled code could not be kept"),
                }
            }
            return Ok(component);
        };
        let job = CompileJob { component: bytes, memory: limits.memory, still_wanted };
        let code = compiler(&job)?;
        let component = unpacked(engine, &code).map_err(|problem| {
            let problem =
                format!("what the process that compiles has made cannot be used: {problem}");
            LoadError::Compiler(problem)
        })?;
        self.keep(engine, digest, &code);
        Ok(component)
    }

    /// What was compiled earlier and is on the disk.
    fn kept(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let file = self.file(engine, digest)?;
        let bytes = std::fs::read(&file).ok()?;
        let component = unpacked(engine, &bytes);
        if let Err(problem) = &component {
            warn!(file = %file.display(), problem, "compiled code cannot be used; compiling again");
        }
        component.ok()
    }

    fn keep(&self, engine: &Engine, digest: Digest, code: &[u8]) {
        let Some(file) = self.file(engine, digest) else { return };
        if let Err(error) = write_beside(&file, code) {
            warn!(file = %file.display(), %error, "compiled code could not be kept");
        }
    }

    /// Where the code of this component is kept, if it is.
    pub(crate) fn file(&self, engine: &Engine, digest: Digest) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        Some(folder.join(format!("{digest}-{:016x}.cwasm", settings_hash(engine))))
    }
}

/// Compiles here, behind the bounds.
fn compile(engine: &Engine, bytes: &[u8], limits: &Limits) -> Result<Component, LoadError> {
    bounds::check(bytes)?;
    may_weigh(bytes, limits)?;
    Component::new(engine, bytes).map_err(|error| LoadError::NotAComponent(format!("{error:#}")))
}

/// Everything that decides whether compiled code fits this engine: version, target, settings, and the bounds that it passed.
fn settings_hash(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    bounds::VERSION.hash(&mut hasher);
    hasher.finish()
}

/// Compiled code behind its checksum.
pub(crate) fn packed(component: &Component) -> wasmtime::Result<Vec<u8>> {
    let code = component.serialize()?;
    Ok([&Digest::of(&code).0[..], &code].concat())
}

#[expect(
    unsafe_code,
    reason = "deserialising compiled code is unsafe by its nature; the checksum guards it"
)]
fn unpacked(engine: &Engine, bytes: &[u8]) -> Result<Component, String> {
    let (sum, code) = bytes.split_at_checked(32).ok_or("it is cut short")?;
    if Digest::of(code).0 != sum {
        return Err("it is damaged".to_owned());
    }
    // SAFETY: the bytes are what `packed` made, whole and unchanged, since their checksum holds; only this program and the process
    // that it starts to compile write them, and nothing accepts compiled code from outside.
    let component = unsafe { Component::deserialize(engine, code) };
    debug!(bytes = code.len(), fits = component.is_ok(), "compiled code found");
    component.map_err(|error| format!("{error:#}"))
}

/// Writes beside the target and renames, so that a crash leaves no half file under the final name.
fn write_beside(file: &Path, code: &[u8]) -> std::io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let unfinished = file.with_extension("part");
    std::fs::write(&unfinished, code)?;
    std::fs::rename(unfinished, file)
}
