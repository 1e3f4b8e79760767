//! Robustness: responses of vendors and requests of callers that are malformed, contradictory, too large or without end.
//! The gateway uses bounded memory and returns a clear status; it never hangs and never returns a shorter list.
//! `tests/memory.rs` measures the memory.

mod azure_responses;
mod http;
mod requests;
mod simulator_settings;
mod veeam_responses;
