//! demo
use clap::Args;
#[derive(Args)]
pub(crate) struct Options {
    /// Ends by itself after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
}
pub(crate) fn run(_o: &Options) -> anyhow::Result<()> {
    anyhow::bail!("x {:?}", _o.seconds)
}
