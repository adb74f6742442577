//! Submit mail to PowerMTA with JSON: the HTTP daemon and the commands.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    pmtaemailapi::main()
}
