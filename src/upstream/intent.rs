//! What a request is, declared where it is sent. Retries, the class of a Retry-After, and what is traced follow from it.

/// What a request does at the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing: it is retried.
    Read,
    /// Twice has the effect of once. It is repeated after the backend has seen that it had no effect, since the response
    /// tells whether this request or another one had it.
    IdempotentWrite,
    /// Each has an effect of its own, such as a logon that counts against an account: it is never repeated.
    Write,
}

/// Whether a request holds a secret besides its credential header, which no trace shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitivity {
    /// Its URL is traced, without the query.
    Ordinary,
    /// Of its URL only the origin is traced.
    Sensitive,
}

/// What a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// What it does at the vendor.
    pub effect: Effect,
    /// Whether it holds a secret.
    pub sensitivity: Sensitivity,
}

impl Intent {
    /// A read.
    pub const READ: Self = Self::ordinary(Effect::Read);
    /// A write that may be repeated.
    pub const IDEMPOTENT_WRITE: Self = Self::ordinary(Effect::IdempotentWrite);
    /// The exchange of a credential for a token or a session.
    pub const LOGON: Self = Self { effect: Effect::Write, sensitivity: Sensitivity::Sensitive };
    /// The end of a session, whose id its URL holds.
    pub const LOGOFF: Self =
        Self { effect: Effect::IdempotentWrite, sensitivity: Sensitivity::Sensitive };

    const fn ordinary(effect: Effect) -> Self {
        Self { effect, sensitivity: Sensitivity::Ordinary }
    }
}
