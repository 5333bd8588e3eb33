//! A target led by coverage: libFuzzer in a test program that was built with counters in the code.

use std::ffi::{CString, c_char, c_int};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::Target;

/// An input grows no longer than this, and takes no longer than so many seconds.
const LONGEST: usize = 8 << 10;
const SLOWEST: u32 = 10;

/// How much memory the whole program may have, in MiB.
const MEMORY: u32 = 2048;

/// How many lines of recordings are seeds at most: reading all of them would be most of a short run.
const RECORDED: usize = 3_000;

/// What `cargo xtask fuzz` asks of a test program.
pub(super) struct Orders {
    /// Only targets with this in their names.
    only: String,
    seconds: u32,
    /// A folder for all targets, where what was learnt is kept for the next time.
    folder: PathBuf,
}

impl Orders {
    pub(super) fn of_this_process() -> Option<Self> {
        let seconds = std::env::var("HEAT_FUZZ_SECONDS").ok()?.parse().ok()?;
        let only = std::env::var("HEAT_FUZZ_ONLY").unwrap_or_default();
        Some(Self { only, seconds, folder: std::env::var_os("HEAT_FUZZ_FOLDER")?.into() })
    }
}

static RUN: OnceLock<fn(&[u8])> = OnceLock::new();

/// Runs a target if it is meant, and ends the process.
#[expect(clippy::print_stderr, reason = "read by `cargo xtask fuzz`")]
#[expect(clippy::disallowed_methods, reason = "libFuzzer ends the process in the same way")]
#[expect(unsafe_code, reason = "libFuzzer is called by its C interface")]
pub(super) fn run(target: &Target, orders: &Orders) -> ! {
    if !target.name.contains(&orders.only) {
        std::process::exit(0);
    }
    eprintln!("target: {}", target.name);
    RUN.set(target.run).expect("one target in one process");
    let arguments = prepare(target, orders).expect("the folder can be written");
    // It wants pointers that it may change, and keeps them.
    let mut arguments: Vec<*mut c_char> = arguments
        .into_iter()
        .map(|it| CString::new(it).expect("an argument without a zero").into_raw())
        .collect();
    let mut count = c_int::try_from(arguments.len()).expect("few arguments");
    let mut first = arguments.as_mut_ptr();
    libfuzzer_sys::initialize(std::ptr::null(), std::ptr::null());
    // SAFETY: the pointers are to as many texts as said, and live as long as the process.
    let code = unsafe { LLVMFuzzerRunDriver(&mut count, &mut first, one) };
    std::process::exit(code);
}

#[expect(unsafe_code, reason = "libFuzzer is called by its C interface")]
unsafe extern "C" {
    fn LLVMFuzzerRunDriver(
        count: *mut c_int,
        arguments: *mut *mut *mut c_char,
        one: extern "C" fn(*const u8, usize) -> c_int,
    ) -> c_int;
}

#[expect(unsafe_code, reason = "libFuzzer hands over a pointer")]
extern "C" fn one(input: *const u8, length: usize) -> c_int {
    // SAFETY: libFuzzer promises so many bytes.
    unsafe { libfuzzer_sys::test_input_wrap(input, length) }
}

#[expect(unsafe_code, reason = "the name that the crate wants")]
#[expect(improper_ctypes_definitions, reason = "the crate declares it so, in Rust on both sides")]
// SAFETY: no other function of this program has the name.
#[unsafe(no_mangle)]
extern "C" fn rust_fuzzer_test_input(input: &[u8]) -> c_int {
    if let Some(run) = RUN.get() {
        run(input);
    }
    0
}

/// Writes down seeds and words, and says with which arguments libFuzzer is called.
fn prepare(target: &Target, orders: &Orders) -> std::io::Result<Vec<String>> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let folder = orders.folder.join(target.name);
    let (learnt, seeds) = (folder.join("learnt"), folder.join("seeds"));
    for folder in [&learnt, &seeds, &target.folder()] {
        std::fs::create_dir_all(folder)?;
    }
    let recorded = recorded(target.recorded);
    let given = target.seeds.iter().map(|it| it.to_vec()).chain(recorded);
    for (number, seed) in given.enumerate() {
        std::fs::write(seeds.join(number.to_string()), seed)?;
    }
    let mut words = String::new();
    for word in target.words {
        let escaped: String = word.bytes().fold(String::new(), |mut escaped, byte| {
            // Writing to a text cannot fail.
            let _ = write!(escaped, "\\x{byte:02x}");
            escaped
        });
        words += &format!("\"{escaped}\"\n");
    }
    let dictionary = folder.join("words");
    std::fs::write(&dictionary, words)?;
    Ok(vec![
        target.name.to_owned(),
        format!("-max_total_time={}", orders.seconds),
        format!("-artifact_prefix={}/", path(&target.folder())),
        format!("-dict={}", path(&dictionary)),
        format!("-timeout={SLOWEST}"),
        format!("-rss_limit_mb={MEMORY}"),
        format!("-max_len={LONGEST}"),
        "-print_final_stats=1".to_owned(),
        path(&learnt),
        path(&seeds),
        path(&target.folder()),
    ])
}

/// The lines of the recordings whose paths end so, shortest files first.
fn recorded(ends: &[&str]) -> Vec<Vec<u8>> {
    let Some(folder) = std::env::var_os("HEAT_RECORDINGS") else { return Vec::new() };
    let mut lines = Vec::new();
    for end in ends {
        // A folder of recordings need not have all kinds.
        let Ok(text) = std::fs::read(Path::new(&folder).join(end)) else { continue };
        let usable = text.split(|byte| *byte == b'\n').filter(|it| it.len() <= LONGEST);
        lines.extend(usable.map(<[u8]>::to_vec).take(RECORDED / ends.len()));
    }
    lines
}
