//! heatd and heat-writer as whole programs: what they cost and how fast they are, each figure beside its floor of the same run.
//!
//! Run by `cargo xtask bench`, which says where everything is; it prints figures as JSON. Reading order: [`stage`] has the programs,
//! [`mqtt`] the load, [`usage`] what the system says of a process; then a file for each part.

#[cfg(target_os = "linux")]
mod account;
#[cfg(target_os = "linux")]
mod answers;
#[cfg(target_os = "linux")]
mod chat;
#[cfg(target_os = "linux")]
mod idle;
#[cfg(target_os = "linux")]
mod latency;
#[cfg(target_os = "linux")]
mod lone;
#[cfg(target_os = "linux")]
mod mqtt;
#[cfg(target_os = "linux")]
mod pages;
#[cfg(target_os = "linux")]
mod peers;
#[cfg(target_os = "linux")]
mod rate;
#[cfg(target_os = "linux")]
mod setup;
#[cfg(target_os = "linux")]
mod stage;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod usage;
#[cfg(target_os = "linux")]
mod watch;

#[cfg(target_os = "linux")]
fn main() -> anyhow::Result<()> {
    // Started by `cargo bench` it is told nothing, and has nothing to do.
    let Some(setup) = setup::Setup::from_arguments()? else { return Ok(()) };
    let parts: [(&str, fn(&setup::Setup) -> anyhow::Result<()>); 10] = [
        ("chat", chat::run),
        ("lone", lone::run),
        ("mqtt", rate::run),
        ("latency", latency::run),
        ("idle", idle::run),
        ("start", start::run),
        ("account", account::run),
        ("page", pages::run),
        ("watch", watch::run),
        ("peers", peers::run),
    ];
    for (name, part) in parts.iter().filter(|(name, _)| setup.wants(name)) {
        setup::progress(&format!("part {name}"));
        part(&setup).map_err(|error| error.context(format!("the part {name} failed")))?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    // What a process costs is read from /proc; `cargo xtask bench` says so.
}
