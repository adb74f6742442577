//! Options of other services' APIs.

use crate::units;
use clap::{ArgAction, Args, ValueEnum};

/// Options of other services' APIs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Other services' APIs")]
pub struct CompatArgs {
    /// Turn off SparkPost's API (/api/v1/transmissions) and Resend's (/emails)
    #[arg(long, value_name = "BOOL", env = "PMTAEMAIL_NO_COMPAT", value_parser = units::boolean)]
    #[arg(num_args = 0..=1, require_equals = true, action = ArgAction::Set)]
    #[arg(
        default_value = "false",
        default_missing_value = "true",
        hide_default_value = true
    )]
    pub no_compat: bool,

    /// Features that a transmission of SparkPost's API may request although they are not supported; requests for
    /// other unsupported features are refused
    #[arg(long, value_name = "OPTION", value_delimiter = ',')]
    #[arg(env = "PMTAEMAIL_SPARKPOST_IGNORE")]
    pub sparkpost_ignore: Vec<SparkPostOption>,
}

/// An option of a transmission that is not done here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SparkPostOption {
    /// Tracking of who opens it
    #[value(name = "open_tracking")]
    OpenTracking,
    /// Tracking of who follows its links
    #[value(name = "click_tracking")]
    ClickTracking,
}
