//! A hostile vendor behind the gateway and hostile callers before it, through real sockets: bounded memory, a
//! clear status, never a hang and never a shorter list.

mod azure;
mod emitted;
mod requests;
mod veeam;
mod wire;
