//! Page and resume tokens: what is unsealed was sealed, for the same purpose and request; what is sealed
//! inside may come from another release and is read as such.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use restore_point_gateway::model::{Purpose, Sealer, TokenError};
use restore_point_gateway::service;

const DAY: Duration = Duration::from_secs(86_400);

static SEALER: LazyLock<Sealer> =
    LazyLock::new(|| Sealer::new(b"a key of at least thirty-two bytes").expect("a key"));

fuzz_target!(|data: &[u8]| {
    let now = Timestamp::UNIX_EPOCH;
    let open =
        |purpose, request: &[u8], token: &str| SEALER.open(purpose, request, token, now, DAY);

    // Nobody can make one who has not the key.
    if let Ok(token) = std::str::from_utf8(data) {
        for purpose in [Purpose::Page, Purpose::Resume] {
            assert_eq!(open(purpose, b"", token), Err(TokenError::Invalid));
        }
        assert!(token.is_empty() || service::fuzzing::page_token(&SEALER, token).is_err());
    }

    // The first byte says where it is cut, and where one bit of it changes.
    let Some((&first, rest)) = data.split_first() else { return };
    let (request, content) = rest.split_at(usize::from(first).min(rest.len()));
    let token = SEALER.seal(Purpose::Page, request, content, now).expect("it is sealed");
    assert_eq!(open(Purpose::Page, request, &token).as_deref(), Ok(content));
    assert_eq!(open(Purpose::Resume, request, &token), Err(TokenError::Invalid));
    let other = [request, b"x"].concat();
    assert_eq!(open(Purpose::Page, &other, &token), Err(TokenError::Invalid));
    let mut forged = token.into_bytes();
    let at = usize::from(first) % forged.len();
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).expect("ASCII");
    assert_eq!(open(Purpose::Page, request, &forged), Err(TokenError::Invalid));

    for read in [service::fuzzing::page_content, service::fuzzing::resume_content] {
        if let Some(content) = read(content) {
            assert_eq!(read(&content), Some(content), "it is read again as what it was");
        }
    }
});
