//! Options of the store of idempotency keys.

use crate::units;
use clap::Args;
use pmtaemail::PickupOptions;
use std::path::PathBuf;

/// Where keys are remembered, and how many.
#[derive(Debug, Args)]
#[command(next_help_heading = "Idempotency keys")]
pub struct StateArgs {
    /// Where the keys of the last 24 hours are remembered, from the first request that has one; by default next to
    /// the staging folder
    #[arg(long, value_name = "DIR", env = "PMTAEMAIL_STATE")]
    state: Option<PathBuf>,

    /// Approximate maximum size of the remembered keys, in bytes or with a unit: 500 bytes per key, plus its receipt.
    /// When it is full, new keys are refused
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "1GiB",
        env = "PMTAEMAIL_STATE_LIMIT"
    )]
    #[arg(value_parser = units::bytes)]
    state_limit: usize,
}

impl StateArgs {
    /// Adds them to the options of the pickup directory.
    pub fn apply(&self, options: PickupOptions) -> PickupOptions {
        let options = options.with_state_limit(self.state_limit as u64);
        match &self.state {
            Some(folder) => options.with_state(folder),
            None => options.with_default_state(),
        }
    }
}
